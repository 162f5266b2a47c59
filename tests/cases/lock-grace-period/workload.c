/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COUNT processes set a limit of a disk's queue, again and again: the kernel holds a mutex of the
 * queue, freezes it, and for that waits for a grace period of RCU. The victim asks for something
 * impossible, which the kernel refuses with the same mutex held. The disk is a loop device of the
 * workload's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define TUNERS_MAX 8

static NAMED_FUNCTION void set_limit(int fd, const char *value)
{
	if (pwrite(fd, value, strlen(value), 0) < 0)
		give_up("setting a limit");
	KEEP_FRAME();
}

static void tune(void *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	for (int i = 0;; i++)
		set_limit(fd, i % 2 ? "512" : "1024");
}

static NAMED_FUNCTION void ask_in_vain(int fd)
{
	if (pwrite(fd, "impossible", 10, 0) >= 0 || errno != EINVAL)
		give_up("asking for the impossible");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(200 * NS_PER_US);
	wait_begin(requests);
	ask_in_vain(*(int *)fd);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	char device[32], backing[64], limit[64];
	pid_t tuners[TUNERS_MAX];

	if (argc != 3)
		usage("TRUTH COUNT");
	come_first();
	int truth = truth_open(argv[1]);
	uint64_t count = number_argument(argv[2], "COUNT");
	snprintf(backing, sizeof(backing), "/proc/self/fd/%d", scratch_file(1 << 20, 0));
	loop_begin(backing, device);
	snprintf(limit, sizeof(limit), "/sys/block/%s/queue/max_sectors_kb",
		 device + strlen("/dev/"));
	int fd = open(limit, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		give_up(limit);
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &fd,
				    .blocked_key = "ns.lock.kernel"};

	for (uint64_t i = 0; i < count && i < TUNERS_MAX; i++)
		tuners[i] = process_start("tuner", tune, limit);
	run_requests(&requests);
	for (uint64_t i = 0; i < count && i < TUNERS_MAX; i++)
		process_end(tuners[i]);
	return 0;
}
