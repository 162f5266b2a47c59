/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim reads KILOBYTES here and there from a file that is not in the page cache, or past it
 * (direct).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define FILE_BYTES (64UL << 20)

struct cold_file {
	int fd;
	bool is_direct;
	char *bytes;
	size_t size_bytes;
	uint64_t random;
};

static NAMED_FUNCTION void read_cold(struct cold_file *file, uint64_t offset)
{
	if (pread(file->fd, file->bytes, file->size_bytes, offset) != (ssize_t)file->size_bytes)
		give_up("reading the file");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	struct cold_file *file = context;
	uint64_t piece = random_next(&file->random) % (FILE_BYTES / file->size_bytes);

	wait_begin(requests);
	read_cold(file, piece * file->size_bytes);
	wait_end(requests);
	if (!file->is_direct)
		posix_fadvise(file->fd, piece * file->size_bytes, file->size_bytes,
			      POSIX_FADV_DONTNEED);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH buffered|direct KILOBYTES");
	run_in_real_time(1);
	int truth = truth_open(argv[1]);
	struct cold_file file = {.is_direct = !strcmp(argv[2], "direct"),
				 .size_bytes = number_argument(argv[3], "KILOBYTES") << 10,
				 .random = 1};

	file.fd = scratch_file(FILE_BYTES, file.is_direct ? O_DIRECT : 0);
	file.bytes = aligned_alloc(PAGE_BYTES, file.size_bytes);
	if (!file.bytes)
		give_up("memory");
	posix_fadvise(file.fd, 0, 0, POSIX_FADV_RANDOM);
	struct requests requests = {
		.truth = truth, .request = request, .context = &file, .blocked_key = "ns.io.disk"};

	pin_to_cpu(disk_cpu(file.fd));
	run_requests(&requests);
	return 0;
}
