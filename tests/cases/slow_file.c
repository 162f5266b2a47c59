/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sandbox.h"
#include "slow_file.h"
#include "workload.h"

#define FILE_NODE     2 /* FUSE_ROOT_ID is 1 */
#define FILE_NAME     "disk"
#define WRITE_MAX     (256 * 1024)
#define REQUEST_BYTES (WRITE_MAX + 4096)
#define VALID_SECONDS 3600 /* how long the kernel may keep names and attributes */

struct slow_file_settings {
	volatile uint64_t delay_ns;
	volatile bool is_busy;
};

struct server {
	int fuse;
	char *bytes;
	size_t size_bytes;
	struct slow_file_settings *settings;
};

struct request {
	struct fuse_in_header header;
	union {
		struct fuse_read_in read;
		struct fuse_write_in write;
		char body[REQUEST_BYTES - sizeof(struct fuse_in_header)];
	};
};

static NAMED_FUNCTION void slow_sleep(uint64_t delay_ns)
{
	sleep_ns(delay_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void slow_compute(uint64_t delay_ns)
{
	spin_ns(delay_ns);
	KEEP_FRAME();
}

static void be_slow(const struct server *server)
{
	uint64_t delay_ns = server->settings->delay_ns;

	if (delay_ns && server->settings->is_busy)
		slow_compute(delay_ns);
	else if (delay_ns)
		slow_sleep(delay_ns);
}

static void answer(const struct server *server, const struct request *request, int error,
		   const void *body, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + size, .error = -error, .unique = request->header.unique};
	struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)body, size}};

	/* ENOENT: whoever asked was killed meanwhile. */
	if (writev(server->fuse, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		give_up("answering a request");
}

static struct fuse_attr attributes(const struct server *server, uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};

	attr.mode = node == FILE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700;
	attr.size = node == FILE_NODE ? server->size_bytes : 0;
	attr.blocks = attr.size / 512;
	return attr;
}

static void answer_init(const struct server *server, const struct request *request)
{
	struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
				    .minor = FUSE_KERNEL_MINOR_VERSION,
				    .max_readahead = WRITE_MAX,
				    .flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES,
				    .max_pages = WRITE_MAX / 4096,
				    .max_background = 16,
				    .congestion_threshold = 12,
				    .max_write = WRITE_MAX,
				    .time_gran = 1};

	answer(server, request, 0, &out, sizeof(out));
}

static void answer_lookup(const struct server *server, const struct request *request)
{
	struct fuse_entry_out out = {.nodeid = FILE_NODE,
				     .entry_valid = VALID_SECONDS,
				     .attr_valid = VALID_SECONDS,
				     .attr = attributes(server, FILE_NODE)};

	if (strcmp(request->body, FILE_NAME))
		answer(server, request, ENOENT, NULL, 0);
	else
		answer(server, request, 0, &out, sizeof(out));
}

static void answer_attributes(const struct server *server, const struct request *request)
{
	struct fuse_attr_out out = {.attr_valid = VALID_SECONDS,
				    .attr = attributes(server, request->header.nodeid)};

	answer(server, request, 0, &out, sizeof(out));
}

static void answer_read(const struct server *server, const struct request *request)
{
	uint64_t offset = request->read.offset, size = request->read.size;

	be_slow(server);
	if (offset > server->size_bytes)
		offset = server->size_bytes;
	if (size > server->size_bytes - offset)
		size = server->size_bytes - offset;
	answer(server, request, 0, server->bytes + offset, size);
}

static void answer_write(const struct server *server, const struct request *request)
{
	uint64_t offset = request->write.offset, size = request->write.size;
	struct fuse_write_out out = {.size = size};

	be_slow(server);
	if (offset > server->size_bytes || size > server->size_bytes - offset) {
		answer(server, request, ENOSPC, NULL, 0);
		return;
	}
	memcpy(server->bytes + offset, request->body + sizeof(request->write), size);
	answer(server, request, 0, &out, sizeof(out));
}

static void answer_request(const struct server *server, const struct request *request)
{
	struct fuse_open_out opened = {0};
	struct fuse_statfs_out space = {.st = {.bsize = 4096, .namelen = 255, .frsize = 4096}};

	switch (request->header.opcode) {
	case FUSE_INIT:
		answer_init(server, request);
		break;
	case FUSE_LOOKUP:
		answer_lookup(server, request);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		answer_attributes(server, request);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(server, request, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer_read(server, request);
		break;
	case FUSE_WRITE:
		answer_write(server, request);
		break;
	case FUSE_FSYNC:
		be_slow(server);
		answer(server, request, 0, NULL, 0);
		break;
	case FUSE_STATFS:
		answer(server, request, 0, &space, sizeof(space));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_DESTROY:
		answer(server, request, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* these want no answer */
	default:
		answer(server, request, ENOSYS, NULL, 0);
	}
}

static void serve(void *argument)
{
	struct server *server = argument;
	static struct request request;

	server->bytes = mmap(NULL, server->size_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (server->bytes == MAP_FAILED)
		give_up("memory for the file");
	for (;;) {
		ssize_t size = read(server->fuse, &request, sizeof(request));

		if (size < 0 && errno == ENODEV)
			return; /* it was unmounted */
		if (size < 0 && errno != EINTR && errno != ENOENT)
			give_up("reading a request");
		if (size >= (ssize_t)sizeof(request.header))
			answer_request(server, &request);
	}
}

void slow_file_begin(struct slow_file *file, const char *comm, size_t size_bytes)
{
	struct server server = {.size_bytes = size_bytes};
	char options[128];

	server.settings = mmap(NULL, sizeof(*server.settings), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	server.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server.settings == MAP_FAILED || server.fuse < 0)
		give_up("/dev/fuse");
	snprintf(file->directory, sizeof(file->directory), "slow-XXXXXX");
	if (!mkdtemp(file->directory))
		give_up(file->directory);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 server.fuse);
	if (mount("slow", file->directory, "fuse", MS_NOSUID | MS_NODEV, options))
		give_up("mounting the slow file system");
	file->server = process_start(comm, serve, &server);
	/* Only the server keeps it: when that is killed, the kernel fails all requests. */
	close(server.fuse);
	snprintf(file->path, sizeof(file->path), "%s/" FILE_NAME, file->directory);
	file->settings = server.settings;
}

void slow_file_delay(struct slow_file *file, uint64_t delay_ns, bool is_busy)
{
	file->settings->is_busy = is_busy;
	file->settings->delay_ns = delay_ns;
}

void slow_file_end(struct slow_file *file)
{
	umount2(file->directory, MNT_DETACH);
	process_end(file->server);
	rmdir(file->directory);
	munmap(file->settings, sizeof(*file->settings));
}
