/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/unwinders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/uprobe.h"
#include "symbol/resolver.h"

/*
 * Where a walk begins: return addresses are put back before the first is read. Of gcc and LLVM,
 * then of libunwind, whose local walks begin with a cursor or are a backtrace as a whole.
 */
static const char *const functions[] = {
	"_Unwind_RaiseException", "_Unwind_ForcedUnwind",
	"_Unwind_Resume",         "_Unwind_Resume_or_Rethrow",
	"_Unwind_Backtrace",      "__unw_init_local",
	"unw_init_local",         "_ULx86_64_init_local",
	"_ULx86_64_init_local2",  "_Ux86_64_init_local",
	"unw_backtrace",          "unw_backtrace2",
};

bool unwinders_is_library(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return (!strncmp(base, "libgcc_s", 8) || !strncmp(base, "libunwind", 9)) &&
	       strstr(base, ".so");
}

/* The C library finds the unwinder by itself; the others are linked with one. */
static bool is_linked(const char *soname)
{
	static const char *const begins[] = {"libgcc_s.so", "libunwind", "libstdc++.so",
					     "libc++.so", "libc++abi.so"};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (!strncmp(soname, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}

static bool is_c_library(const char *soname)
{
	return !strncmp(soname, "libc.so", 7) || !strncmp(soname, "libpthread.so", 13) ||
	       !strncmp(soname, "ld-", 3);
}

bool unwinders_are_known(const struct resolver_listing *listing)
{
	if (!listing->may_unwind || is_c_library(listing->soname))
		return true;
	for (size_t i = 0; i < listing->needed_count; i++) {
		if (is_linked(listing->needed[i]))
			return true;
	}
	for (size_t i = 0; i < listing->count; i++) {
		if (!strncmp(listing->items[i].symbol, "_Unwind_R", 9))
			return true;
	}
	return false;
}

static size_t find(struct resolver *resolver, const char *path, uint64_t *offsets)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		const struct resolver_query query = {.binary = path, .function = functions[i]};
		struct resolver_function found;
		bool is_known = false;

		if (resolver_find_function(resolver, &query, &found)) {
			fail_clear();
			continue;
		}
		for (size_t k = 0; k < count; k++)
			is_known |= offsets[k] == found.file_offset;
		if (!is_known)
			offsets[count++] = found.file_offset;
		free(found.path);
	}
	return count;
}

static void keep(struct unwinders *unwinders, int fd)
{
	array_reserve((void **)&unwinders->fds, &unwinders->fd_capacity, unwinders->fd_count + 1,
		      sizeof(*unwinders->fds));
	unwinders->fds[unwinders->fd_count++] = fd;
}

static int attach(struct unwinders *unwinders, const char *path, const uint64_t *offsets,
		  size_t count)
{
	int link, event;

	if (unwinders->has_multi) {
		link = uprobe_attach_many(unwinders->program_fd, path, offsets, (uint32_t)count);
		if (link < 0)
			return link;
		keep(unwinders, link);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		link = uprobe_attach_one(unwinders->program_fd, path, offsets[i], &event);
		if (link < 0)
			return link;
		keep(unwinders, link);
		keep(unwinders, event);
	}
	return 0;
}

int unwinders_add(struct unwinders *unwinders, struct resolver *resolver, const char *path)
{
	uint64_t offsets[ARRAY_SIZE(functions)];
	struct unwinder_file *file;
	struct stat status;
	size_t count;
	int err;

	if (stat(path, &status))
		return -errno;
	for (size_t i = 0; i < unwinders->file_count; i++) {
		file = &unwinders->files[i];
		if (file->device == status.st_dev && file->inode == status.st_ino)
			return file->found;
	}
	count = find(resolver, path, offsets);
	err = count ? attach(unwinders, path, offsets, count) : 0;
	array_reserve((void **)&unwinders->files, &unwinders->file_capacity,
		      unwinders->file_count + 1, sizeof(*unwinders->files));
	file = &unwinders->files[unwinders->file_count++];
	*file = (struct unwinder_file){
		.device = status.st_dev, .inode = status.st_ino, .found = err ? err : (int)count};
	return file->found;
}

void unwinders_release(struct unwinders *unwinders)
{
	while (unwinders->fd_count > 0)
		close(unwinders->fds[--unwinders->fd_count]);
	free(unwinders->fds);
	free(unwinders->files);
	*unwinders = (struct unwinders){0};
}
