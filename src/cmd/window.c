/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/window.h"

#include <string.h>

#include "event/schema.h"

struct window_chunk {
	enum recording_stream stream;
	uint16_t cpu;
	uint64_t first_ns;
	uint64_t last_ns;
	char *events;
	size_t size;
};

static void roster_put(struct window *window, const struct event_thread *event)
{
	struct event_thread *copy = xmalloc(event->header.size);
	uint64_t *old = map64_get(&window->roster, event->tid);

	memcpy(copy, event, event->header.size);
	if (old)
		free((void *)(uintptr_t)*old);
	map64_put(&window->roster, event->tid, (uintptr_t)copy);
}

static void roster_remove(struct window *window, uint32_t tid)
{
	uint64_t *old = map64_get(&window->roster, tid);

	if (!old)
		return;
	free((void *)(uintptr_t)*old);
	map64_remove(&window->roster, tid);
}

/* A thread known by a name, and for a process its command line; the rest is as in EARLIER (NULL:
 * nothing was known of it). */
static void roster_name(struct window *window, const struct event_thread *earlier, uint32_t tid,
			uint32_t pid, const char *comm, const char *cmdline, uint64_t time_ns)
{
	size_t bytes = event_align(sizeof(struct event_thread) + strlen(cmdline) + 1);
	struct event_thread *event = xcalloc(1, bytes);

	*event = earlier ? *earlier : (struct event_thread){.start_ns = time_ns, .ns_tid = tid};
	event->header = (struct event_header){
		.kind = EVENT_THREAD, .size = (uint16_t)bytes, .time_ns = time_ns};
	event->tid = tid;
	event->pid = pid;
	memcpy(event->comm, comm, sizeof(event->comm));
	memcpy(event->cmdline, cmdline, strlen(cmdline) + 1);
	roster_put(window, event);
	free(event);
}

static const struct event_thread *roster_get(const struct window *window, uint32_t tid)
{
	const uint64_t *entry = map64_get(&window->roster, tid);

	return entry ? (const struct event_thread *)(uintptr_t)*entry : NULL;
}

static void remember_birth(struct window *window, const struct event_fork *birth)
{
	const struct event_thread *parent = roster_get(window, birth->parent_pid);
	const struct event_thread newborn = {.start_ns = birth->header.time_ns,
					     .ppid = birth->parent_pid,
					     .uid = parent ? parent->uid : 0,
					     .flags = parent ? parent->flags : 0,
					     .ns_tid = birth->ns_tid};

	roster_name(window, &newborn, birth->tid, birth->pid, birth->comm,
		    birth->pid == birth->tid && parent ? parent->cmdline : "",
		    birth->header.time_ns);
}

static void remember_program(struct window *window, const struct event_exec *program)
{
	const struct event_thread *known = roster_get(window, program->tid);
	struct event_thread earlier = {.start_ns = program->header.time_ns, .ns_tid = program->tid};

	if (known)
		earlier = *known;
	earlier.flags = 0; /* kernel threads begin programs, too, and are none then */
	roster_name(window, &earlier, program->tid, program->pid, program->comm, program->cmdline,
		    program->header.time_ns);
}

/* Is more known of TID than what was at TIME_NS? */
static bool is_outdated(const struct window *window, uint32_t tid, uint64_t time_ns)
{
	const struct event_thread *known = roster_get(window, tid);
	const uint64_t *death_ns = map64_get(&window->deaths, tid);

	return (known && known->header.time_ns > time_ns) || (death_ns && *death_ns > time_ns);
}

/* What an event that leaves the window says about who lives on. */
static void remember(struct window *window, const struct event_header *header)
{
	const struct event_fork *birth = (const void *)header;
	const struct event_exec *program = (const void *)header;
	const struct event_rename *name = (const void *)header;
	const struct event_exit *end = (const void *)header;
	const struct event_thread *known;

	switch (header->kind) {
	case EVENT_FORK:
		if (!is_outdated(window, birth->tid, header->time_ns))
			remember_birth(window, birth);
		break;
	case EVENT_EXEC:
		if (program->old_tid != program->tid)
			roster_remove(window, program->old_tid);
		if (!is_outdated(window, program->tid, header->time_ns))
			remember_program(window, program);
		break;
	case EVENT_RENAME:
		known = roster_get(window, name->tid);
		if (!is_outdated(window, name->tid, header->time_ns))
			roster_name(window, known, name->tid, name->pid, name->comm,
				    known ? known->cmdline : "", header->time_ns);
		break;
	case EVENT_EXIT:
		if (!is_outdated(window, end->tid, header->time_ns)) {
			roster_remove(window, end->tid);
			map64_put(&window->deaths, end->tid, header->time_ns);
		}
		break;
	default:
		break;
	}
}

void window_add(struct window *window, enum recording_stream stream, uint16_t cpu,
		const void *events, size_t size)
{
	struct window_chunk *chunk;
	const struct event_header *event = events;

	if (stream == STREAM_TABLE) {
		if (event->kind == EVENT_THREAD)
			roster_put(window, events);
		else
			buffer_add(&window->definitions, events, size);
		return;
	}
	array_reserve((void **)&window->chunks, &window->capacity, window->count + 1,
		      sizeof(*window->chunks));
	chunk = &window->chunks[window->count++];
	*chunk = (struct window_chunk){.stream = stream,
				       .cpu = cpu,
				       .first_ns = UINT64_MAX,
				       .events = xmalloc(size),
				       .size = size};
	memcpy(chunk->events, events, size);
	for (size_t at = 0; at < size; at += event->size) {
		event = (const struct event_header *)(chunk->events + at);
		if (event->time_ns < chunk->first_ns)
			chunk->first_ns = event->time_ns;
		if (event->time_ns > chunk->last_ns)
			chunk->last_ns = event->time_ns;
	}
}

static bool is_about_life(const struct event_header *event)
{
	return event->kind == EVENT_FORK || event->kind == EVENT_EXEC ||
	       event->kind == EVENT_RENAME || event->kind == EVENT_EXIT;
}

static int compare_times(const void *a, const void *b)
{
	const struct event_header *one = *(const struct event_header *const *)a;
	const struct event_header *other = *(const struct event_header *const *)b;

	return one->time_ns < other->time_ns ? -1 : one->time_ns > other->time_ns;
}

/* The chunks [0, COUNT) of OLD leave the window. They come CPU after CPU: a thread may be born in a
 * later chunk than it ends in, so all are put in order first. */
static void remember_chunks(struct window *window, const struct window_chunk *old, size_t count)
{
	const struct event_header **events = NULL;
	size_t event_count = 0, capacity = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t at = 0; old[i].stream == STREAM_EVIDENCE && at < old[i].size;) {
			const struct event_header *event = (const void *)(old[i].events + at);

			at += event->size;
			if (!is_about_life(event))
				continue;
			array_reserve((void **)&events, &capacity, event_count + 1,
				      sizeof(*events));
			events[event_count++] = event;
		}
	}
	if (event_count > 0)
		qsort(events, event_count, sizeof(*events), compare_times);
	for (size_t i = 0; i < event_count; i++)
		remember(window, events[i]);
	free(events);
}

/* Deaths are kept only as long as a chunk still has events from before. */
static void forget_deaths(struct window *window)
{
	uint64_t oldest_ns = UINT64_MAX, tid, death_ns;
	size_t at = 0;

	for (size_t i = 0; i < window->count; i++) {
		if (window->chunks[i].stream == STREAM_EVIDENCE &&
		    window->chunks[i].first_ns < oldest_ns)
			oldest_ns = window->chunks[i].first_ns;
	}
	while (map64_next(&window->deaths, &at, &tid, &death_ns)) {
		if (death_ns < oldest_ns)
			map64_remove(&window->deaths, tid);
	}
}

void window_forget(struct window *window, uint64_t before_ns)
{
	struct window_chunk *old = xcalloc(window->count, sizeof(*old));
	size_t kept = 0, old_count = 0;

	for (size_t i = 0; i < window->count; i++) {
		if (window->chunks[i].last_ns >= before_ns)
			window->chunks[kept++] = window->chunks[i];
		else
			old[old_count++] = window->chunks[i];
	}
	window->count = kept;
	remember_chunks(window, old, old_count);
	forget_deaths(window);
	for (size_t i = 0; i < old_count; i++)
		free(old[i].events);
	free(old);
}

struct recording *window_look(const struct window *window)
{
	struct recording *recording = recording_memory_new();
	uint64_t tid, entry;
	size_t at = 0;

	while (map64_next(&window->roster, &at, &tid, &entry)) {
		const struct event_thread *event = (const struct event_thread *)(uintptr_t)entry;

		recording_memory_add(recording, STREAM_TABLE, 0, event, event->header.size);
	}
	if (window->definitions.size > 0)
		recording_memory_add(recording, STREAM_TABLE, 0, window->definitions.data,
				     window->definitions.size);
	for (size_t i = 0; i < window->count; i++)
		recording_memory_add(recording, window->chunks[i].stream, window->chunks[i].cpu,
				     window->chunks[i].events, window->chunks[i].size);
	return recording;
}

void window_release(struct window *window)
{
	uint64_t tid, entry;
	size_t at = 0;

	while (map64_next(&window->roster, &at, &tid, &entry))
		free((void *)(uintptr_t)entry);
	map64_release(&window->roster);
	map64_release(&window->deaths);
	for (size_t i = 0; i < window->count; i++)
		free(window->chunks[i].events);
	free(window->chunks);
	buffer_release(&window->definitions);
}
