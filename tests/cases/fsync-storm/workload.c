/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COUNT processes write MEGABYTES each and make it durable, again and again. The victim appends a
 * line to another file of the same disk and makes that durable.
 */
#include <stdlib.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define STORM_MAX 8

static NAMED_FUNCTION void write_and_flush(int fd, const char *bytes, size_t size_bytes)
{
	if (pwrite(fd, bytes, size_bytes, 0) < 0 || fsync(fd))
		give_up("the storm's write");
	KEEP_FRAME();
}

static void storm(void *argument)
{
	size_t size_bytes = *(size_t *)argument;
	char *bytes = calloc(1, size_bytes);
	int fd = scratch_file(1 << 20, 0);

	if (!bytes)
		give_up("memory");
	for (;;)
		write_and_flush(fd, bytes, size_bytes);
}

static NAMED_FUNCTION void append_durably(int fd)
{
	if (write(fd, "a line of text\n", 15) != 15 || fdatasync(fd))
		give_up("the victim's write");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(200 * NS_PER_US);
	wait_begin(requests);
	append_durably(*(int *)fd);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	pid_t storms[STORM_MAX];

	if (argc != 4)
		usage("TRUTH COUNT MEGABYTES");
	run_in_real_time(1);
	int truth = truth_open(argv[1]);
	uint64_t count = number_argument(argv[2], "COUNT");
	size_t size_bytes = number_argument(argv[3], "MEGABYTES") << 20;
	int fd = scratch_file(1 << 20, 0);
	struct requests requests = {
		.truth = truth, .request = request, .context = &fd, .blocked_key = "ns.io"};

	for (uint64_t i = 0; i < count && i < STORM_MAX; i++)
		storms[i] = process_start("storm", storm, &size_bytes);
	sleep_ns(300 * NS_PER_MS);
	run_requests(&requests);
	for (uint64_t i = 0; i < count && i < STORM_MAX; i++)
		process_end(storms[i]);
	return 0;
}
