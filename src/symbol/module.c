/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/error.h"

/* How long the reader may take to open a module or to answer about one address. */
#define ANSWER_LIMIT_MS 2000

/* Build ids shorter than this are not relied on to be unique. */
#define BUILD_ID_SIZE_MIN 8

/* Addresses below this belong to 32-bit processes, whose vdso is another one. */
#define VDSO_LOWEST (UINT64_C(1) << 32)

struct modules *modules_new(struct helper *helper, bool source_lines)
{
	struct modules *modules = xcalloc(1, sizeof(*modules));

	modules->helper = helper;
	modules->source_lines = source_lines;
	return modules;
}

void modules_free(struct modules *modules)
{
	if (!modules)
		return;
	for (size_t i = 0; i < modules->count; i++) {
		struct module *module = modules->items[i];

		free((char *)(uintptr_t)module->place.path);
		free(module->link);
		free(module->rows);
		map64_release(&module->call_sites);
		free(module);
	}
	free(modules->items);
	map64_release(&modules->by_build_id);
	map64_release(&modules->by_file);
	map64_release(&modules->by_inode);
	arena_release(&modules->rows);
	free(modules);
}

static struct module *add(struct modules *modules, uint32_t kind, const struct module_place *place)
{
	struct module *module = xcalloc(1, sizeof(*module));

	array_reserve((void **)&modules->items, &modules->capacity, modules->count + 1,
		      sizeof(struct module *));
	modules->items[modules->count++] = module;
	module->index = (uint32_t)modules->count;
	module->kind = kind;
	module->place = *place;
	module->place.path = xstrdup(place->path);
	return module;
}

static struct module *known(const struct map64 *map, uint64_t key)
{
	uint64_t *slot = map64_get(map, key);

	return slot ? (struct module *)(uintptr_t)*slot : NULL;
}

static struct module *by_build_id(const struct modules *modules, const uint8_t *build_id,
				  uint32_t size)
{
	struct module *module;

	if (size < BUILD_ID_SIZE_MIN)
		return NULL;
	module = known(&modules->by_build_id, hash_bytes(build_id, size));
	return module && module->build_id_size == size && !memcmp(module->build_id, build_id, size)
		       ? module
		       : NULL;
}

static uint64_t inode_key(uint32_t device, uint64_t inode)
{
	return hash_mix(hash_mix(device) + inode);
}

/* A file that has been written to, or another one with the number of a removed one, is another
 * module. */
static uint64_t file_key(const struct stat *stat)
{
	const uint64_t parts[] = {stat->st_dev, stat->st_ino, (uint64_t)stat->st_size,
				  (uint64_t)stat->st_mtim.tv_sec, (uint64_t)stat->st_mtim.tv_nsec};

	return hash_bytes(parts, sizeof(parts));
}

/* The reader did not survive the module, or hung on it. */
static void give_up(struct module *module, int err)
{
	if (!module->is_unreadable)
		warn("%s: its symbols are left out: %s", module->place.path,
		     err == -ETIMEDOUT ? "reading them takes too long"
		     : err == -ENODEV  ? "the symbol reader cannot be started"
				       : "the symbol reader crashed on it");
	module->is_unreadable = true;
}

static bool reader_failed(int err)
{
	return err == -ETIMEDOUT || err == -EPIPE || err == -ENODEV;
}

/* Takes over what the reader says of an ELF file, as far as it makes sense. */
static void describe(struct module *module, const struct message *reply, size_t size)
{
	const struct message_opened *opened = (const struct message_opened *)reply;

	if (size != sizeof(*opened) || opened->segment_count > MESSAGE_SEGMENTS_MAX ||
	    opened->build_id_size > EVENT_BUILD_ID_MAX ||
	    !memchr(opened->link, '\0', sizeof(opened->link)))
		return;
	module->entry = opened->entry;
	module->segment_count = opened->segment_count;
	memcpy(module->segments, opened->segments, sizeof(module->segments));
	module->build_id_size = opened->build_id_size;
	memcpy(module->build_id, opened->build_id, sizeof(module->build_id));
	free(module->link);
	module->link = opened->link[0] ? xstrdup(opened->link) : NULL;
	module->link_checksum = opened->link_checksum;
}

/* Gives FD to the reader as this module's file. */
static int send_elf(struct modules *modules, struct module *module, int fd)
{
	struct message_open request = {
		.message = {.type = MESSAGE_OPEN_ELF, .module = module->index},
		.source_lines = modules->source_lines,
		.build_id_size = module->build_id_size,
	};
	const struct message *reply;
	size_t size;
	int err;

	memcpy(request.build_id, module->build_id, module->build_id_size);
	err = helper_ask(modules->helper, &request.message, sizeof(request), fd, ANSWER_LIMIT_MS,
			 &reply, &size);
	module->has_debug = false;
	if (!err)
		describe(module, reply, size);
	else if (reader_failed(err))
		give_up(module, err);
	return err;
}

/* Has the file of a mapping opened, by the first way from WAY on that works. */
static int open_file(struct modules *modules, const struct module_place *place,
		     enum opener_what what, unsigned int way, struct opener_reply *reply)
{
	struct opener_request request = {
		.what = what,
		.way = way,
		.pid = place->pid,
		.parent_pid = place->parent_pid,
		.start = place->start,
		.end = place->end,
		.device = place->device,
		.inode = place->inode,
	};
	int fd;

	if (strlen(place->path) >= sizeof(request.path))
		return -ENAMETOOLONG;
	strcpy(request.path, place->path);
	fd = helper_open(modules->helper, &request, reply);
	if (fd == -ETIMEDOUT)
		warn("%s: its file system does not answer: its symbols are left out", place->path);
	return fd;
}

/* Opens the module's file anew, by whichever way works, and gives it to the reader. */
static int open_again(struct modules *modules, struct module *module)
{
	const enum opener_what what =
		module->kind == EVENT_MODULE_VDSO ? OPENER_VDSO : OPENER_MAPPED;
	struct opener_reply reply = {.way = 0};
	int err;

	/* A file may be there, but the wrong one: the reader tells by the build id. */
	do {
		_cleanup_close_ int fd =
			open_file(modules, &module->place, what, reply.way, &reply);

		err = fd < 0 ? fd : send_elf(modules, module, fd);
		if (fd < 0)
			break;
		reply.way++;
	} while (err == -ESTALE && what == OPENER_MAPPED);
	return err;
}

int module_ask(struct modules *modules, struct module *module, const struct message *request,
	       size_t size, unsigned int limit_ms, const struct message **ret_reply,
	       size_t *ret_size)
{
	int err;

	if (module->is_unreadable)
		return -ENOENT;
	err = helper_ask(modules->helper, request, size, -1, limit_ms, ret_reply, ret_size);
	if (err == -ENOENT) {
		if (module->kind == EVENT_MODULE_JIT) {
			module->map_size = 0;
			err = module_refresh_map(modules, module) ? 0 : -ENODATA;
		} else {
			err = open_again(modules, module);
			module->is_unreadable |= err != 0;
		}
		if (!err)
			err = helper_ask(modules->helper, request, size, -1, limit_ms, ret_reply,
					 ret_size);
	}
	if (reader_failed(err))
		give_up(module, err);
	return err;
}

static struct module_place place_of(const struct process *process, const struct mapping *mapping)
{
	return (struct module_place){
		.pid = process->pid,
		.parent_pid = process->parent_pid,
		.start = mapping->start,
		.end = mapping->end,
		.device = mapping->device,
		.inode = mapping->inode,
		.path = mapping->path->text,
	};
}

/* A file the reader has just described: perhaps it is one that is known by another name. */
static struct module *settle(struct modules *modules, struct module *module)
{
	struct module *same = by_build_id(modules, module->build_id, module->build_id_size);

	if (same && !same->is_missing)
		return same;
	if (module->build_id_size >= BUILD_ID_SIZE_MIN)
		map64_put(&modules->by_build_id,
			  hash_bytes(module->build_id, module->build_id_size), (uintptr_t)module);
	return module;
}

static uint32_t stat_device(const struct stat *stat)
{
	return (uint32_t)major(stat->st_dev) << 20 | (uint32_t)minor(stat->st_dev);
}

static bool has_build_id(const struct module *module, const struct mapping *mapping)
{
	return module->build_id_size == mapping->build_id_size &&
	       !memcmp(module->build_id, mapping->build_id, mapping->build_id_size);
}

/* Finds or makes the module of the opened file FD. NULL: it is not the mapped file. */
static struct module *of_opened(struct modules *modules, const struct module_place *place,
				const struct mapping *mapping, int fd, const struct stat *stat)
{
	struct module *module = known(&modules->by_file, file_key(stat));
	int err;

	if (module && (mapping->build_id_size == 0 || has_build_id(module, mapping)))
		return module;
	module = add(modules, EVENT_MODULE_FILE, place);
	module->place.device = stat_device(stat);
	module->place.inode = stat->st_ino;
	module->build_id_size = mapping->build_id_size;
	memcpy(module->build_id, mapping->build_id, sizeof(module->build_id));
	err = send_elf(modules, module, fd);
	if (err == -ESTALE)
		return NULL;
	module->is_no_elf = err == -ENOEXEC;
	module->is_unreadable |= err != 0;
	module = settle(modules, module);
	map64_put(&modules->by_file, file_key(stat), (uintptr_t)module);
	if (mapping->build_id_size == 0)
		map64_put(&modules->by_inode, inode_key(mapping->device, mapping->inode),
			  (uintptr_t)module);
	return module;
}

/* Opens the file of a mapping and finds or makes its module; NULL: it is not to be had. */
static struct module *try_to_open(struct modules *modules, const struct module_place *place,
				  const struct mapping *mapping)
{
	struct opener_reply reply = {.way = 0};

	for (;; reply.way++) {
		_cleanup_close_ int fd =
			open_file(modules, place, OPENER_MAPPED, reply.way, &reply);
		struct module *module;

		if (fd < 0)
			return NULL;
		module = of_opened(modules, place, mapping, fd, &reply.stat);
		if (module)
			return module;
	}
}

/* A module whose file is not to be had: its frames stay offsets in the file. */
static struct module *of_missing(struct modules *modules, const struct module_place *place,
				 const struct mapping *mapping)
{
	struct module *module = add(modules, EVENT_MODULE_FILE, place);

	module->is_unreadable = module->is_missing = true;
	module->build_id_size = mapping->build_id_size;
	memcpy(module->build_id, mapping->build_id, sizeof(module->build_id));
	if (module->build_id_size > 0)
		settle(modules, module);
	else
		map64_put(&modules->by_inode, inode_key(mapping->device, mapping->inode),
			  (uintptr_t)module);
	return module;
}

static struct module *of_file(struct modules *modules, const struct process *process,
			      const struct mapping *mapping)
{
	struct module_place place = place_of(process, mapping);
	struct module *module;
	struct module *earlier = by_build_id(modules, mapping->build_id, mapping->build_id_size);

	if (earlier && !earlier->is_missing)
		return earlier;
	module = try_to_open(modules, &place, mapping);
	if (module)
		return module;
	/* Not to be had: take it for the last file seen there, if any. */
	if (!earlier && mapping->build_id_size == 0)
		earlier = known(&modules->by_inode, inode_key(mapping->device, mapping->inode));
	return earlier ? earlier : of_missing(modules, &place, mapping);
}

static struct module *of_vdso(struct modules *modules, const struct process *process,
			      const struct mapping *mapping)
{
	struct module_place place = place_of(process, mapping);

	if (modules->vdso)
		return modules->vdso;
	modules->vdso = add(modules, EVENT_MODULE_VDSO, &place);
	modules->vdso->is_unreadable = open_again(modules, modules->vdso) != 0;
	return modules->vdso;
}

/* The module of a process's code without files. */
static struct module *of_jit(struct modules *modules, struct process *process)
{
	struct module_place place = {.pid = process->pid};
	_cleanup_free_ char *path = NULL;

	if (process->jit)
		return process->jit;
	process_read_identity(process);
	path = xasprintf("/tmp/perf-%u.map", process->ns_pid);
	place.path = path;
	process->jit = add(modules, EVENT_MODULE_JIT, &place);
	process->jit->ns_pid = process->ns_pid;
	process->jit->uid = process->uid;
	return process->jit;
}

/* Code that lies in no file: made by the process itself. */
static bool is_anonymous(const struct mapping *mapping)
{
	return mapping->build_id_size == 0 && mapping->inode == 0;
}

struct module *modules_of(struct modules *modules, struct process *process, struct mapping *mapping)
{
	if (mapping->module)
		return mapping->module;
	if (!strcmp(mapping->path->text, "[vdso]") && mapping->start >= VDSO_LOWEST)
		mapping->module = of_vdso(modules, process, mapping);
	else if (!is_anonymous(mapping))
		mapping->module = of_file(modules, process, mapping);
	if (!mapping->module || mapping->module->is_no_elf)
		mapping->module = of_jit(modules, process);
	return mapping->module;
}

int modules_open(struct modules *modules, const char *path, struct module **ret)
{
	const struct module_place place = {.path = path};
	struct module *module = add(modules, EVENT_MODULE_FILE, &place);
	int err = open_again(modules, module);

	module->is_unreadable = err != 0;
	*ret = module;
	return err;
}

uint64_t module_address(const struct module *module, const struct mapping *mapping,
			uint64_t address)
{
	uint64_t offset = address - mapping->start + mapping->file_offset;
	const struct message_segment *best = NULL;

	if (module->kind == EVENT_MODULE_JIT)
		return address;
	/* Segments may share a page of the file at their borders: code counts first. */
	for (uint32_t i = 0; i < module->segment_count; i++) {
		const struct message_segment *segment = &module->segments[i];

		if (offset - segment->file_offset < segment->file_bytes &&
		    (!best || segment->is_code > best->is_code))
			best = segment;
	}
	return best ? offset - best->file_offset + best->address : offset;
}

bool module_file_offset(const struct module *module, uint64_t address, uint64_t *ret)
{
	for (uint32_t i = 0; i < module->segment_count; i++) {
		const struct message_segment *segment = &module->segments[i];

		if (segment->is_code && address - segment->address < segment->file_bytes) {
			*ret = address - segment->address + segment->file_offset;
			return true;
		}
	}
	return false;
}

/* Asks for a debug file, by the first way from WAY on that finds one. */
static int open_debug_file(struct modules *modules, const struct module *module, unsigned int way,
			   struct opener_reply *reply)
{
	struct opener_request request = {
		.what = OPENER_DEBUG,
		.way = way,
		.pid = module->place.pid,
	};

	for (uint32_t i = 0; i < module->build_id_size; i++)
		snprintf(request.build_id + 2 * i, 3, "%02x", module->build_id[i]);
	snprintf(request.link, sizeof(request.link), "%s", module->link ? module->link : "");
	snprintf(request.path, sizeof(request.path), "%s", module->place.path);
	return helper_open(modules->helper, &request, reply);
}

void module_offer_debug(struct modules *modules, struct module *module)
{
	const struct message request = {.type = MESSAGE_DEBUG, .module = module->index};
	struct opener_reply opened = {.way = 0};
	const struct message *reply;
	size_t size;
	int err;

	if (module->has_debug || module->kind != EVENT_MODULE_FILE || module->is_unreadable)
		return;
	module->has_debug = true;
	do {
		_cleanup_close_ int fd = open_debug_file(modules, module, opened.way, &opened);

		if (fd < 0)
			return;
		err = helper_ask(modules->helper, &request, sizeof(request), fd, ANSWER_LIMIT_MS,
				 &reply, &size);
		if (reader_failed(err))
			give_up(module, err);
		opened.way++;
	} while (err == -ESTALE || err == -ENOEXEC || err == -ENOTSUP);
}

bool module_refresh_map(struct modules *modules, struct module *module)
{
	const struct opener_request file = {
		.what = OPENER_PERF_MAP,
		.pid = module->place.pid,
		.ns_pid = module->ns_pid,
		.uid = module->uid,
	};
	const struct message request = {.type = MESSAGE_OPEN_MAP, .module = module->index};
	const struct message *reply;
	struct opener_reply opened;
	_cleanup_close_ int fd = helper_open(modules->helper, &file, &opened);
	size_t size;
	int err;

	if (fd < 0 || (uint64_t)opened.stat.st_size <= module->map_size)
		return false;
	module->map_size = (uint64_t)opened.stat.st_size;
	err = helper_ask(modules->helper, &request, sizeof(request), fd, ANSWER_LIMIT_MS, &reply,
			 &size);
	if (reader_failed(err))
		give_up(module, err);
	return !err;
}
