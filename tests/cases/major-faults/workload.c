/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim touches pages of a mapped file that are not in memory: one here and one there, or one
 * after the other (read-ahead does part of the work).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "case.h"
#include "sandbox.h"

#define FILE_BYTES    (64UL << 20)
#define FILE_PAGES    (FILE_BYTES / PAGE_BYTES)
#define PAGES_AT_ONCE 16

struct mapped_file {
	int fd;
	bool is_scattered;
	const volatile char *bytes;
	uint64_t next;
};

static NAMED_FUNCTION unsigned int touch_page(const volatile char *page)
{
	return *page;
}

static uint64_t next_page(struct mapped_file *file)
{
	if (file->is_scattered)
		return random_next(&file->next) % FILE_PAGES;
	return file->next++ % FILE_PAGES;
}

static void request(struct requests *requests, void *context)
{
	struct mapped_file *file = context;

	wait_begin(requests);
	for (int i = 0; i < PAGES_AT_ONCE; i++)
		touch_page(file->bytes + next_page(file) * PAGE_BYTES);
	wait_end(requests);
	if (requests->victim.requests % 64 == 0) {
		madvise((void *)file->bytes, FILE_BYTES, MADV_DONTNEED);
		posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH scattered|sequential");
	come_first();
	int truth = truth_open(argv[1]);
	struct mapped_file file = {.fd = scratch_file(FILE_BYTES, 0),
				   .is_scattered = !strcmp(argv[2], "scattered"),
				   .next = 1};
	char *bytes = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, file.fd, 0);

	if (bytes == MAP_FAILED ||
	    madvise(bytes, FILE_BYTES, file.is_scattered ? MADV_RANDOM : MADV_NORMAL))
		give_up("mapping a file");
	file.bytes = bytes;
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &file,
				    .blocked_key = "about.mem.fault"};

	run_requests(&requests);
	return 0;
}
