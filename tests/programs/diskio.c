/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads or writes PIECES pieces of 64 KB of a file, each to the disk or from it: `direct` reads
 * past the page cache, `sync` writes and has each piece written out. Known: the file (inode,
 * device), between which moments it was, how long the calls took together.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "workload.h"

#define PIECE_BYTES (64 * 1024)

static void *piece(void)
{
	void *memory;

	if (posix_memalign(&memory, 4096, PIECE_BYTES))
		give_up("allocating");
	memset(memory, 'x', PIECE_BYTES);
	return memory;
}

static void write_file(const char *path, uint64_t pieces)
{
	void *memory = piece();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	for (uint64_t i = 0; i < pieces; i++)
		if (write(fd, memory, PIECE_BYTES) != PIECE_BYTES)
			give_up(path);
	if (fsync(fd))
		give_up("fsync");
	close(fd);
	free(memory);
}

static NAMED_FUNCTION void read_piece(int fd, void *memory, uint64_t number)
{
	if (pread(fd, memory, PIECE_BYTES, number * PIECE_BYTES) != PIECE_BYTES)
		give_up("reading");
}

static NAMED_FUNCTION void write_piece(int fd, void *memory, uint64_t number)
{
	if (pwrite(fd, memory, PIECE_BYTES, number * PIECE_BYTES) != PIECE_BYTES || fdatasync(fd))
		give_up("writing");
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns(), took_ns = 0;
	struct stat status;

	if (argc != 5 || (strcmp(argv[2], "direct") && strcmp(argv[2], "sync")))
		usage("TRUTH direct|sync FILE PIECES");
	int truth = truth_open(argv[1]);
	int is_direct = !strcmp(argv[2], "direct");
	uint64_t pieces = number_argument(argv[4], "PIECES");

	write_file(argv[3], pieces);
	int fd = open(argv[3], O_RDWR | O_CLOEXEC | (is_direct ? O_DIRECT : 0));
	if (fd < 0 || fstat(fd, &status))
		give_up(argv[3]);
	void *memory = piece();
	truth_number(truth, "begin_ns", now_ns());
	for (uint64_t i = 0; i < pieces; i++) {
		uint64_t begin_ns = now_ns();

		if (is_direct)
			read_piece(fd, memory, i);
		else
			write_piece(fd, memory, i);
		took_ns += now_ns() - begin_ns;
	}
	truth_number(truth, "end_ns", now_ns());
	truth_number(truth, "took_ns", took_ns);
	truth_number(truth, "bytes", pieces * PIECE_BYTES);
	truth_number(truth, "inode", status.st_ino);
	truth_number(truth, "device", (uint64_t)major(status.st_dev) << 20 | minor(status.st_dev));
	truth_thread(truth, "diskio", born_ns);
	free(memory);
	return 0;
}
