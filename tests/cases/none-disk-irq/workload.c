/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks like a fault: a process floods the disk with reads of KILOBYTES past the page cache, and
 * there are many interrupts. But they come to another CPU than the one where the victim computes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define FILE_BYTES (32UL << 20)

struct flood {
	int fd;
	size_t size_bytes;
};

static NAMED_FUNCTION void read_past_the_cache(const struct flood *flood, char *bytes,
					       uint64_t offset)
{
	if (pread(flood->fd, bytes, flood->size_bytes, offset) < 0)
		give_up("reading the file");
	KEEP_FRAME();
}

static void read_without_end(void *argument)
{
	const struct flood *flood = argument;
	char *bytes = aligned_alloc(PAGE_BYTES, flood->size_bytes);
	uint64_t random = 1;

	for (;;) {
		uint64_t piece = random_next(&random) % (FILE_BYTES / flood->size_bytes);

		read_past_the_cache(flood, bytes, piece * flood->size_bytes);
	}
}

static NAMED_FUNCTION void work(void)
{
	compute_here(2 * NS_PER_MS);
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	(void)requests;
	(void)context;
	work();
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH KILOBYTES");
	struct requests requests = {.truth = truth_open(argv[1]), .request = request};
	struct flood flood = {.fd = scratch_file(FILE_BYTES, O_DIRECT),
			      .size_bytes = number_argument(argv[2], "KILOBYTES") << 10};

	come_first();
	int cpu = !disk_cpu(flood.fd);
	pid_t process = process_start("flood", read_without_end, &flood);
	pin_to_cpu(cpu);
	run_requests(&requests);
	process_end(process);
	return 0;
}
