/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/open.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/memory.h"

#define DEBUG_ROOT "/usr/lib/debug"

/* The vdso is a few pages; its section headers lie at its end. */
#define VDSO_SIZE_MAX (64 * 1024)

/* Some 400,000 mappings. */
#define MAPS_SIZE_MAX (64 << 20)

static uint32_t stat_device(const struct stat *stat)
{
	return (uint32_t)major(stat->st_dev) << 20 | (uint32_t)minor(stat->st_dev);
}

/* A file whose every use, even closing, waits for a server that anybody may run. */
static bool is_fuse(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) || system.f_type == FUSE_SUPER_MAGIC;
}

/* Opens a regular file, and nothing else, whatever the path leads to. FLAGS: O_NOFOLLOW or 0. */
static int open_regular(const char *path, int flags, struct stat *ret_stat)
{
	_cleanup_close_ int place = open(path, O_PATH | O_CLOEXEC | flags);
	char name[40];
	int fd;

	if (place < 0)
		return -errno;
	if (fstat(place, ret_stat))
		return -errno;
	if (!S_ISREG(ret_stat->st_mode) || is_fuse(place))
		return -EACCES;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

/* The path without the mark that the kernel puts behind those of removed files. */
static int plain_path(const char *path, char *out, size_t size)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(path);

	if (length > sizeof(mark) - 1 && !strcmp(path + length - (sizeof(mark) - 1), mark))
		length -= sizeof(mark) - 1;
	if (path[0] != '/' || length >= size)
		return -ENOENT;
	memcpy(out, path, length);
	out[length] = '\0';
	return 0;
}

static bool is_the_file(const struct open_place *place, const struct stat *stat, unsigned int way)
{
	if (place->inode == 0)
		return true; /* the build id will tell */
	if (stat->st_ino != place->inode)
		return false;
	/* Some file systems (btrfs) give stat another device than mappings; the mapping itself is
	 * proof. */
	return way == 0 || stat_device(stat) == place->device;
}

int open_mapped(const struct open_place *place, unsigned int way, struct stat *ret_stat)
{
	char plain[PATH_MAX], path[PATH_MAX + 64];
	uint32_t root = way == 1 ? place->pid : place->parent_pid;
	int fd;

	if (way == 0) {
		snprintf(path, sizeof(path), "/proc/%u/map_files/%jx-%jx", place->pid,
			 (uintmax_t)place->start, (uintmax_t)place->end);
	} else if (plain_path(place->path, plain, sizeof(plain)) || (way == 2 && root == 0)) {
		return -ENOENT;
	} else if (way == 3) {
		snprintf(path, sizeof(path), "%s", plain);
	} else {
		snprintf(path, sizeof(path), "/proc/%u/root%s", root, plain);
	}
	fd = open_regular(path, 0, ret_stat);
	if (fd >= 0 && !is_the_file(place, ret_stat, way)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* The directory part of a mapped file's path; "" for one in the root. */
static int directory_of(const struct open_place *place, char *out, size_t size)
{
	char *slash;

	if (plain_path(place->path, out, size))
		return -ENOENT;
	slash = strrchr(out, '/');
	*slash = '\0';
	return 0;
}

/* Root directories to look in: the process's own, then ours. */
static void root_of(const struct open_place *place, bool own, char *out, size_t size)
{
	if (own)
		snprintf(out, size, "/proc/%u/root", place->pid);
	else
		out[0] = '\0';
}

int open_debug(const struct open_place *place, const char *build_id, const char *link,
	       unsigned int way, struct stat *ret_stat)
{
	static const struct {
		const char *before, *after;
	} link_places[] = {{"", "/"}, {"", "/.debug/"}, {DEBUG_ROOT, "/"}};
	char directory[PATH_MAX], root[40], path[2 * PATH_MAX];

	if (way < 1) {
		if (strlen(build_id) < 4)
			return -ENOENT;
		snprintf(path, sizeof(path), DEBUG_ROOT "/.build-id/%.2s/%s.debug", build_id,
			 build_id + 2);
		return open_regular(path, 0, ret_stat);
	}
	way--;
	if (link[0] == '\0' || strchr(link, '/') || !strcmp(link, "..") || !strcmp(link, ".") ||
	    directory_of(place, directory, sizeof(directory)))
		return -ENOENT;
	root_of(place, way % 2 == 0, root, sizeof(root));
	way /= 2;
	if ((size_t)snprintf(path, sizeof(path), "%s%s%s%s%s", root, link_places[way].before,
			     directory, link_places[way].after, link) >= sizeof(path))
		return -ENAMETOOLONG;
	return open_regular(path, 0, ret_stat);
}

int open_perf_map(uint32_t pid, uint32_t ns_pid, uint32_t uid, struct stat *ret_stat)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", pid, ns_pid);
	fd = open_regular(path, O_NOFOLLOW, ret_stat);
	if (fd < 0) { /* the process may be gone */
		snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
		fd = open_regular(path, O_NOFOLLOW, ret_stat);
	}
	if (fd >= 0 && ret_stat->st_uid != uid && ret_stat->st_uid != 0) {
		close(fd);
		fd = -EACCES;
	}
	return fd;
}

/* The bytes of our own vdso: up to the end of its section headers, which come last. */
static size_t vdso_size(const Elf64_Ehdr *header)
{
	size_t size;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64)
		return 0;
	size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	return size <= VDSO_SIZE_MAX ? size : 0;
}

int open_vdso(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size = image ? vdso_size(image) : 0;
	int fd;

	if (size == 0)
		return -ENOENT;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, image, size) != (ssize_t)size) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int open_maps(uint32_t pid)
{
	char path[40], bytes[16384];
	_cleanup_close_ int from = -1;
	off_t total = 0;
	ssize_t n;
	int to;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -errno;
	to = memfd_create("maps", MFD_CLOEXEC);
	if (to < 0)
		return -errno;
	while ((n = read(from, bytes, sizeof(bytes))) > 0 && total < MAPS_SIZE_MAX) {
		if (pwrite(to, bytes, (size_t)n, total) != n)
			break;
		total += n;
	}
	if (n != 0 || total == 0) { /* gone, a kernel thread, or no honest program */
		close(to);
		return -ESRCH;
	}
	return to;
}
