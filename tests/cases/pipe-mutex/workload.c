/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process writes KILOBYTES at once to a pipe from a mapped file that is not in memory: the kernel
 * reads it from the disk, page by page, with the pipe's mutex held. The victim writes a few bytes
 * to the same pipe, which a third process empties.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "sandbox.h"

#define FILE_BYTES (32UL << 20)

struct cold_writer {
	int pipe_fd;
	int file_fd;
	size_t size_bytes;
};

static NAMED_FUNCTION void write_from_file(const struct cold_writer *writer, const char *bytes)
{
	if (write(writer->pipe_fd, bytes, writer->size_bytes) < 0)
		give_up("the long write");
	KEEP_FRAME();
}

static void write_cold_bytes(void *argument)
{
	const struct cold_writer *writer = argument;
	char *bytes = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, writer->file_fd, 0);

	if (bytes == MAP_FAILED)
		give_up("mapping a file");
	for (;;) {
		/* No reading ahead; and what was read before is forgotten. */
		madvise(bytes, FILE_BYTES, MADV_DONTNEED);
		madvise(bytes, FILE_BYTES, MADV_RANDOM);
		posix_fadvise(writer->file_fd, 0, 0, POSIX_FADV_DONTNEED);
		for (size_t at = 0; at + writer->size_bytes <= FILE_BYTES; at += writer->size_bytes)
			write_from_file(writer, bytes + at);
	}
}

static void empty_pipe(void *fd)
{
	static char bytes[1 << 20];

	while (read(*(int *)fd, bytes, sizeof(bytes)) > 0)
		;
}

static NAMED_FUNCTION void write_little(int fd)
{
	if (write(fd, "x", 1) != 1)
		give_up("the short write");
	KEEP_FRAME();
}

static void request(struct requests *requests, void *fd)
{
	spin_ns(100 * NS_PER_US);
	wait_begin(requests);
	write_little(*(int *)fd);
	wait_end(requests);
}

int main(int argc, char **argv)
{
	int ends[2];

	if (argc != 3)
		usage("TRUTH KILOBYTES");
	run_in_real_time(1);
	int truth = truth_open(argv[1]);
	if (pipe2(ends, O_CLOEXEC) || fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) < 0)
		give_up("pipe");
	struct cold_writer writer = {.pipe_fd = ends[1],
				     .file_fd = scratch_file(FILE_BYTES, 0),
				     .size_bytes = number_argument(argv[2], "KILOBYTES") << 10};
	struct requests requests = {.truth = truth,
				    .request = request,
				    .context = &ends[1],
				    .blocked_key = "ns.lock.kernel"};
	pid_t reader = process_start("reader", empty_pipe, &ends[0]);
	pid_t cold_writer = process_start("cold-writer", write_cold_bytes, &writer);

	run_requests(&requests);
	process_end(cold_writer);
	process_end(reader);
	return 0;
}
