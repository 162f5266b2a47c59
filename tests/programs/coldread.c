/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads READS blocks of a file that the page cache was told to forget, far apart so that read-ahead
 * does not help. Known: the file (inode, device), how many reads, how long they took together.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "workload.h"

#define BLOCK_BYTES  4096
#define STRIDE_BYTES (256 * 1024)

static void write_file(const char *path, uint64_t blocks)
{
	static char piece[STRIDE_BYTES];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		give_up(path);
	memset(piece, 'x', sizeof(piece));
	for (uint64_t i = 0; i < blocks; i++)
		if (write(fd, piece, sizeof(piece)) != sizeof(piece))
			give_up("writing the file");
	if (fsync(fd))
		give_up("fsync");
	close(fd);
}

static NAMED_FUNCTION uint64_t read_cold_block(int fd, uint64_t offset)
{
	char block[BLOCK_BYTES];
	uint64_t begin_ns = now_ns();

	if (pread(fd, block, sizeof(block), offset) != sizeof(block))
		give_up("reading the file");
	return now_ns() - begin_ns;
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns(), read_ns = 0, longest_ns = 0;
	struct stat status;

	if (argc != 4)
		usage("TRUTH FILE READS");
	int truth = truth_open(argv[1]);
	uint64_t reads = number_argument(argv[3], "READS");

	write_file(argv[2], reads);
	int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		give_up(argv[2]);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (uint64_t i = 0; i < reads; i++) {
		uint64_t one_ns = read_cold_block(fd, i * STRIDE_BYTES);

		read_ns += one_ns;
		if (one_ns > longest_ns)
			longest_ns = one_ns;
	}
	truth_number(truth, "reads", reads);
	truth_number(truth, "read_ns", read_ns);
	truth_number(truth, "longest_ns", longest_ns);
	truth_number(truth, "inode", status.st_ino);
	truth_number(truth, "device", (uint64_t)major(status.st_dev) << 20 | minor(status.st_dev));
	truth_thread(truth, "coldread", born_ns);
	return 0;
}
