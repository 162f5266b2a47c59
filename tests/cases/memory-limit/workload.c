/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim's cgroup may have MEGABYTES of memory. The victim writes, or reads, a larger file
 * through the page cache, so that each new page must first make the kernel free another one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define PIECE_BYTES (256UL << 10)

struct large_file {
	int fd;
	bool is_written;
	char *piece;
	uint64_t pieces;
};

static NAMED_FUNCTION void fill_page_cache(const struct large_file *file, uint64_t offset)
{
	ssize_t size = file->is_written ? pwrite(file->fd, file->piece, PIECE_BYTES, offset)
					: pread(file->fd, file->piece, PIECE_BYTES, offset);

	if (size != (ssize_t)PIECE_BYTES)
		give_up("the large file");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	const struct large_file *file = context;

	fill_page_cache(file, requests->victim.requests % file->pieces * PIECE_BYTES);
}

int main(int argc, char **argv)
{
	struct cgroup group;
	char limit[32];

	if (argc != 4)
		usage("TRUTH read|written MEGABYTES");
	come_first();
	int truth = truth_open(argv[1]);
	uint64_t limit_bytes = number_argument(argv[3], "MEGABYTES") << 20;
	struct large_file file = {.fd = scratch_file(0, 0),
				  .is_written = !strcmp(argv[2], "written"),
				  .piece = malloc(PIECE_BYTES),
				  .pieces = 4 * limit_bytes / PIECE_BYTES};
	/* Not filled: reading it gives zeros without a disk. */
	if (!file.piece || ftruncate(file.fd, 4 * limit_bytes))
		give_up("the large file");
	memset(file.piece, 'x', PIECE_BYTES);
	cgroup_begin(&group, "memory");
	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)limit_bytes);
	cgroup_set(&group, "memory.limit_in_bytes", limit);
	cgroup_set(&group, "cgroup.procs", "0");
	struct requests requests = {.truth = truth, .request = request, .context = &file};

	run_requests(&requests);
	truth_text(truth, "cgroup", group.path);
	file_set("/sys/fs/cgroup/memory/cgroup.procs", "0");
	cgroup_end(&group);
	return 0;
}
