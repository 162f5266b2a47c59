/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread computes in a cgroup whose CPU quota is too small. The cgroup (version 1) is made here;
 * this process stays outside and removes it when the one inside has ended, however it ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		give_up(path);
	close(file);
}

static NAMED_FUNCTION void serve(struct requests *requests, void *context)
{
	(void)requests;
	(void)context;
	compute_here(5 * NS_PER_MS);
	KEEP_FRAME();
}

static void run_inside(const char *cgroup, const char *truth_path)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_file(cgroup, "cgroup.procs", "0");
	struct requests requests = {truth_open(truth_path), serve, NULL, NULL};
	run_requests(&requests);
	truth_text(requests.truth, "cgroup", cgroup);
}

int main(int argc, char **argv)
{
	char cgroup[64];
	int status = 0;

	if (argc != 4)
		usage("TRUTH QUOTA-US PERIOD-US");
	signal(SIGTERM, SIG_IGN); /* the process inside ends by it, and we clean up */
	signal(SIGINT, SIG_IGN);
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/cpu/dashcam-case-%d", getpid());
	if (mkdir(cgroup, 0755))
		give_up(cgroup);
	pid_t child = fork();
	if (!child) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		/* Against other programs it may have what it wants; the quota alone is short. */
		write_file(cgroup, "cpu.shares", "100000");
		write_file(cgroup, "cpu.cfs_period_us", argv[3]);
		write_file(cgroup, "cpu.cfs_quota_us", argv[2]);
		run_inside(cgroup, argv[1]);
		return 0;
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	/* A cgroup is busy for a moment after its last process has ended. */
	for (int i = 0; i < 100 && rmdir(cgroup) && errno == EBUSY; i++)
		sleep_ns(10 * NS_PER_MS);
	return child < 0 || status ? 1 : 0;
}
