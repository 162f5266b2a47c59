/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two writers of one file: a process writes MEGABYTES with each call, the victim one byte
 * elsewhere. The kernel lets one writer at a time into a file (the inode's lock). The file is in
 * memory or on a disk.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

struct bulk {
	int fd;
	char *bytes;
	size_t size_bytes;
};

static NAMED_FUNCTION void write_much(const struct bulk *bulk)
{
	if (pwrite(bulk->fd, bulk->bytes, bulk->size_bytes, 0) < 0)
		give_up("the long write");
	KEEP_FRAME();
}

static void write_again_and_again(void *argument)
{
	const struct bulk *bulk = argument;

	for (;;) {
		write_much(bulk);
	}
}

static NAMED_FUNCTION void write_little(int fd, uint64_t offset)
{
	if (pwrite(fd, "x", 1, offset) != 1)
		give_up("the short write");
	KEEP_FRAME();
}

static int open_again(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

struct victim_file {
	int fd;
	uint64_t end;
};

static void request(struct requests *requests, void *context)
{
	const struct victim_file *file = context;

	sleep_ns(NS_PER_MS);
	wait_begin(requests);
	write_little(file->fd, file->end);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH memory|disk MEGABYTES");
	come_first();
	int truth = truth_open(argv[1]);
	struct bulk bulk = {.size_bytes = number_argument(argv[3], "MEGABYTES") << 20};

	/* On a disk the bulk writer goes past the page cache, the victim does not. */
	bulk.fd = strcmp(argv[2], "memory") ? scratch_file(bulk.size_bytes, O_DIRECT)
					    : memfd_create("shared", MFD_CLOEXEC);
	struct victim_file file = {open_again(bulk.fd), bulk.size_bytes};
	bulk.bytes = aligned_alloc(PAGE_BYTES, bulk.size_bytes);
	if (file.fd < 0 || !bulk.bytes)
		give_up("the file");
	memset(bulk.bytes, 'y', bulk.size_bytes);
	write_much(&bulk);
	/* A waiter would not sleep but spin while the holder runs on another CPU. */
	pin_to_cpu(0);
	pid_t writer = process_start("bulk-writer", write_again_and_again, &bulk);
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &file,
				    .blocked_key = "ns.lock.kernel"};

	run_requests(&requests);
	process_end(writer);
	return 0;
}
