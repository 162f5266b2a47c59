/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/process.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/units.h"
#include "symbol/helper.h"

/* Dead processes to remember. */
#define DEAD_MAX 4096

/* More mappings than this are no program but an attack. */
#define MAPPINGS_MAX 100000

/* An address in no mapping makes us read again, at most this often per process. */
#define READ_AGAIN_NS         (250 * NS_PER_MS)
#define READ_AFTER_TIMEOUT_NS (10 * NS_PER_S)

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

struct shared_path *shared_path_new(const char *text)
{
	size_t size = strnlen(text, PATH_MAX - 1);
	struct shared_path *path = xmalloc(sizeof(*path) + size + 1);

	path->users = 1;
	memcpy(path->text, text, size);
	path->text[size] = '\0';
	return path;
}

static void path_drop(struct shared_path *path)
{
	if (--path->users == 0)
		free(path);
}

void process_clear(struct process *process)
{
	for (size_t i = 0; i < process->count; i++)
		path_drop(process->maps[i].path);
	process->count = 0;
}

size_t process_search(const struct process *process, uint64_t address)
{
	size_t low = 0, high = process->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->maps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes GAP places at INDEX (or removes -GAP of them). */
static void shift(struct process *process, size_t index, ptrdiff_t gap)
{
	if (gap > 0)
		array_reserve((void **)&process->maps, &process->capacity,
			      process->count + (size_t)gap, sizeof(*process->maps));
	else
		index += (size_t)-gap;
	if (index < process->count)
		memmove(process->maps + (ptrdiff_t)index + gap, process->maps + index,
			(process->count - index) * sizeof(*process->maps));
	process->count += (size_t)gap;
}

/* Frees [start, end) of mappings; returns the index where one for that range belongs. */
static size_t cut_out(struct process *process, uint64_t start, uint64_t end)
{
	size_t index = process_search(process, start), last;
	struct mapping *at = process->maps + index;

	if (index < process->count && at->start < start) {
		if (at->end > end) { /* a hole in its middle: it becomes two */
			shift(process, index, 1);
			at = process->maps + index;
			at[0] = at[1];
			at[0].path->users++;
			at[0].end = start;
			at[1].file_offset += end - at[1].start;
			at[1].start = end;
			return index + 1;
		}
		at->end = start;
		index++;
	}
	for (last = index; last < process->count && process->maps[last].end <= end; last++)
		path_drop(process->maps[last].path);
	shift(process, index, (ptrdiff_t)index - (ptrdiff_t)last);
	at = process->maps + index;
	if (index < process->count && at->start < end) {
		at->file_offset += end - at->start;
		at->start = end;
	}
	return index;
}

void process_insert(struct process *process, const struct mapping *mapping)
{
	size_t index;

	if (mapping->end <= mapping->start || process->count >= MAPPINGS_MAX) {
		path_drop(mapping->path);
		return;
	}
	index = cut_out(process, mapping->start, mapping->end);
	shift(process, index, 1);
	process->maps[index] = *mapping;
}

static struct process *lookup(const struct processes *processes, uint32_t pid)
{
	uint64_t *slot = map64_get(&processes->by_pid, pid);

	return slot ? (struct process *)(uintptr_t)*slot : NULL;
}

static void leave_the_dead(struct processes *processes, struct process *process)
{
	if (!process->is_dead)
		return;
	*(process->older ? &process->older->newer : &processes->oldest_dead) = process->newer;
	*(process->newer ? &process->newer->older : &processes->newest_dead) = process->older;
	process->newer = process->older = NULL;
	process->is_dead = false;
	processes->dead_count--;
}

static void forget(struct processes *processes, struct process *process)
{
	leave_the_dead(processes, process);
	map64_remove(&processes->by_pid, process->pid);
	process_clear(process);
	free(process->maps);
	free(process);
}

static struct process *add(struct processes *processes, uint32_t pid)
{
	struct process *process = lookup(processes, pid);

	if (process)
		return process;
	process = xcalloc(1, sizeof(*process));
	process->pid = process->ns_pid = pid;
	process->uid = UINT32_MAX;
	map64_put(&processes->by_pid, pid, (uintptr_t)process);
	return process;
}

void processes_map(struct processes *processes, const struct resolver_mapping *from)
{
	struct mapping mapping = {
		.start = from->start,
		.end = from->end,
		.file_offset = from->file_offset,
		.inode = from->inode,
		.device = from->device,
		.path = shared_path_new(from->path ? from->path : ""),
	};

	if (from->build_id && from->build_id_size > 0 &&
	    from->build_id_size <= EVENT_BUILD_ID_MAX) {
		mapping.build_id_size = (uint8_t)from->build_id_size;
		memcpy(mapping.build_id, from->build_id, from->build_id_size);
	}
	process_insert(add(processes, from->pid), &mapping);
}

void processes_fork(struct processes *processes, uint32_t parent_pid, uint32_t pid)
{
	struct process *parent = lookup(processes, parent_pid), *child;
	struct process *earlier = lookup(processes, pid);

	if (earlier)
		forget(processes, earlier);
	child = add(processes, pid);
	child->parent_pid = parent_pid;
	if (!parent || !parent->is_complete)
		return; /* read when needed */
	child->is_complete = true;
	array_reserve((void **)&child->maps, &child->capacity, parent->count, sizeof(*child->maps));
	for (size_t i = 0; i < parent->count; i++) {
		child->maps[i] = parent->maps[i];
		child->maps[i].path->users++;
		child->maps[i].is_told = false;
		/* Code without a file belongs to each process for itself. */
		if (parent->jit && child->maps[i].module == parent->jit)
			child->maps[i].module = NULL;
	}
	child->count = parent->count;
}

void processes_exec(struct processes *processes, uint32_t pid)
{
	struct process *process = add(processes, pid);

	process_clear(process);
	process->jit = NULL;
	process->is_complete = true; /* the side band tells of all that is mapped from now on */
}

void processes_exit(struct processes *processes, uint32_t pid)
{
	struct process *process = lookup(processes, pid);

	if (!process || process->is_dead)
		return;
	process->is_dead = true;
	process->older = processes->newest_dead;
	*(process->older ? &process->older->newer : &processes->oldest_dead) = process;
	processes->newest_dead = process;
	processes->dead_count++;
	while (processes->dead_count > DEAD_MAX)
		forget(processes, processes->oldest_dead);
}

/* Reads the mappings of FROM_PID for those of PROCESS. */
static bool read_maps(struct processes *processes, struct process *process, uint32_t from_pid)
{
	const struct opener_request request = {.what = OPENER_MAPS, .pid = from_pid};
	struct opener_reply reply;
	_cleanup_close_ int fd = helper_open(processes->helper, &request, &reply);

	process->read_ns = now_ns();
	/* It may be waiting for a lock on its mappings, for long: then it is left alone for a
	 * while. */
	if (fd == -ETIMEDOUT)
		process->read_ns += READ_AFTER_TIMEOUT_NS;
	return fd >= 0 && process_read_maps(process, fd);
}

struct process *processes_get(struct processes *processes, uint32_t pid)
{
	struct process *process = add(processes, pid);

	if (process->is_complete)
		return process;
	process->is_complete = true;
	/* A child that is gone before it called exec had its parent's mappings. */
	if (!read_maps(processes, process, pid) && process->count == 0 && process->parent_pid) {
		struct process *parent = lookup(processes, process->parent_pid);

		if (!parent || !parent->is_dead)
			read_maps(processes, process, process->parent_pid);
	}
	return process;
}

struct process *processes_read(struct processes *processes, uint32_t pid)
{
	struct process *process = add(processes, pid);

	if (!process->is_complete)
		return processes_get(processes, pid);
	if (!process->is_dead)
		read_maps(processes, process, pid);
	return process;
}

struct mapping *processes_find(struct processes *processes, struct process *process,
			       uint64_t address)
{
	size_t index = process_search(process, address);
	uint64_t now;

	if (index < process->count && process->maps[index].start <= address)
		return &process->maps[index];
	now = now_ns();
	if (process->is_dead || now < process->read_ns + READ_AGAIN_NS)
		return NULL;
	if (!read_maps(processes, process, process->pid))
		return NULL;
	index = process_search(process, address);
	return index < process->count && process->maps[index].start <= address
		       ? &process->maps[index]
		       : NULL;
}

void processes_release(struct processes *processes)
{
	uint64_t pid, value;
	size_t at = 0;

	while (map64_next(&processes->by_pid, &at, &pid, &value)) {
		struct process *process = (struct process *)(uintptr_t)value;

		process_clear(process);
		free(process->maps);
		free(process);
	}
	map64_release(&processes->by_pid);
	*processes = (struct processes){.dead_count = 0};
}
