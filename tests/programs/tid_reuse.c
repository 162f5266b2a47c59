/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * N children one after the other, all with the same pid: the kernel is told which number to give
 * next. Known: how often it did.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

static void give_next(int file, pid_t pid)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", pid - 1);

	if (pwrite(file, text, (size_t)size, 0) < 0)
		give_up("/proc/sys/kernel/ns_last_pid");
}

int main(int argc, char **argv)
{
	pid_t wanted = 0;
	unsigned int same = 0;

	if (argc != 3)
		usage("TRUTH N");
	int truth = truth_open(argv[1]);
	int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		give_up("/proc/sys/kernel/ns_last_pid");
	for (uint64_t left = number_argument(argv[2], "N"); left > 0; left--) {
		pid_t pid;

		if (wanted)
			give_next(file, wanted);
		pid = fork();
		if (pid < 0)
			give_up("fork");
		if (pid == 0) {
			sleep_ns(NS_PER_MS / 5);
			_exit(0);
		}
		same += pid == wanted;
		wanted = wanted ? wanted : pid;
		waitpid(pid, NULL, 0);
	}
	truth_number(truth, "same", same);
	return 0;
}
