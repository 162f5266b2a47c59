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
static const char *const walkers[] = {
	"_Unwind_RaiseException", "_Unwind_ForcedUnwind",
	"_Unwind_Resume",         "_Unwind_Resume_or_Rethrow",
	"_Unwind_Backtrace",      "__unw_init_local",
	"unw_init_local",         "_ULx86_64_init_local",
	"_ULx86_64_init_local2",  "_Ux86_64_init_local",
	"unw_backtrace",          "unw_backtrace2",
};

/* Where an exception has arrived. */
static const char *const catchers[] = {"__cxa_begin_catch"};

bool unwinders_is_library(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return (!strncmp(base, "libgcc_s", 8) || !strncmp(base, "libunwind", 9) ||
		!strncmp(base, "libstdc++", 9) || !strncmp(base, "libc++abi", 9)) &&
	       strstr(base, ".so");
}

#define OFFSETS_MAX 32

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

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/* By one of its names. */
static bool has_name(const struct resolver_listed *function, const char *const *names, size_t count)
{
	if (is_one_of(function->symbol, names, count))
		return true;
	for (const char *alias = function->aliases; *alias; alias += strlen(alias) + 1) {
		if (is_one_of(alias, names, count))
			return true;
	}
	return false;
}

static size_t find(const struct resolver_listing *listing, const char *const *names, size_t count,
		   uint64_t *offsets)
{
	size_t found = 0;

	for (size_t i = 0; i < listing->count && found < OFFSETS_MAX; i++) {
		const struct resolver_listed *function = &listing->items[i];

		if (has_name(function, names, count) && function->place != RESOLVER_PLACE_NONE)
			offsets[found++] = function->probe_offset;
	}
	return found;
}

static void keep(struct unwinders *unwinders, int fd)
{
	array_reserve((void **)&unwinders->fds, &unwinders->fd_capacity, unwinders->fd_count + 1,
		      sizeof(*unwinders->fds));
	unwinders->fds[unwinders->fd_count++] = fd;
}

static int attach(struct unwinders *unwinders, int program_fd, const char *path,
		  const uint64_t *offsets, size_t count)
{
	int link, event;

	if (count == 0)
		return 0;

	if (unwinders->has_multi) {
		link = uprobe_attach_many(program_fd, path, offsets, (uint32_t)count);
		if (link < 0)
			return link;
		keep(unwinders, link);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		link = uprobe_attach_one(program_fd, path, offsets[i], &event);
		if (link < 0)
			return link;
		keep(unwinders, link);
		keep(unwinders, event);
	}
	return 0;
}

static int look_into(struct unwinders *unwinders, struct resolver *resolver, const char *path)
{
	const struct resolver_query query = {.binary = path};
	uint64_t walks[OFFSETS_MAX], catches[OFFSETS_MAX];
	struct resolver_listing listing;
	size_t walk_count, catch_count;
	int err = resolver_list_functions(resolver, &query, &listing);

	if (err)
		return err;
	walk_count = find(&listing, walkers, ARRAY_SIZE(walkers), walks);
	catch_count = find(&listing, catchers, ARRAY_SIZE(catchers), catches);
	resolver_listing_release(&listing);
	err = attach(unwinders, unwinders->walk_fd, path, walks, walk_count);
	if (!err)
		err = attach(unwinders, unwinders->catch_fd, path, catches, catch_count);
	return err ? err : (int)walk_count;
}

int unwinders_add(struct unwinders *unwinders, struct resolver *resolver, const char *path)
{
	struct unwinder_file *file;
	struct stat status;
	int found;

	if (stat(path, &status))
		return -errno;
	for (size_t i = 0; i < unwinders->file_count; i++) {
		file = &unwinders->files[i];
		if (file->device == status.st_dev && file->inode == status.st_ino)
			return file->found;
	}
	found = look_into(unwinders, resolver, path);
	array_reserve((void **)&unwinders->files, &unwinders->file_capacity,
		      unwinders->file_count + 1, sizeof(*unwinders->files));
	unwinders->files[unwinders->file_count++] = (struct unwinder_file){
		.device = status.st_dev, .inode = status.st_ino, .found = found};
	return found;
}

void unwinders_release(struct unwinders *unwinders)
{
	while (unwinders->fd_count > 0)
		close(unwinders->fds[--unwinders->fd_count]);
	free(unwinders->fds);
	free(unwinders->files);
	*unwinders = (struct unwinders){0};
}
