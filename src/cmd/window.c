/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/window.h"

#include <string.h>

#include "event/schema.h"

struct window_chunk {
	enum recording_stream stream;
	uint16_t cpu;
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

/* A thread known by a name, and for a process its command line; the rest of an earlier entry is
 * kept. */
static void roster_name(struct window *window, uint32_t tid, uint32_t pid, const char *comm,
			const char *cmdline, uint64_t time_ns)
{
	size_t bytes = event_align(sizeof(struct event_thread) + strlen(cmdline) + 1);
	struct event_thread *event = xcalloc(1, bytes);
	uint64_t *old = map64_get(&window->roster, tid);

	if (old)
		*event = *(struct event_thread *)(uintptr_t)*old;
	else
		event->start_ns = time_ns;
	event->header = (struct event_header){
		.kind = EVENT_THREAD, .size = (uint16_t)bytes, .time_ns = time_ns};
	event->tid = event->ns_tid = tid;
	event->pid = pid;
	memcpy(event->comm, comm, sizeof(event->comm));
	memcpy(event->cmdline, cmdline, strlen(cmdline) + 1);
	roster_put(window, event);
	free(event);
}

static const char *cmdline_of(const struct window *window, uint32_t tid)
{
	uint64_t *entry = map64_get(&window->roster, tid);

	return entry ? ((struct event_thread *)(uintptr_t)*entry)->cmdline : "";
}

/* What an event that leaves the window says about who lives on. */
static void remember(struct window *window, const struct event_header *header)
{
	const struct event_fork *birth = (const void *)header;
	const struct event_exec *program = (const void *)header;
	const struct event_rename *name = (const void *)header;

	switch (header->kind) {
	case EVENT_FORK:
		roster_remove(window, birth->tid);
		roster_name(window, birth->tid, birth->pid, birth->comm,
			    birth->pid == birth->tid ? cmdline_of(window, birth->parent_pid) : "",
			    header->time_ns);
		break;
	case EVENT_EXEC:
		if (program->old_tid != program->tid)
			roster_remove(window, program->old_tid);
		roster_name(window, program->tid, program->pid, program->comm, program->cmdline,
			    header->time_ns);
		break;
	case EVENT_RENAME: {
		_cleanup_free_ char *cmdline = xstrdup(cmdline_of(window, name->tid));

		roster_name(window, name->tid, name->pid, name->comm, cmdline, header->time_ns);
		break;
	}
	case EVENT_EXIT:
		roster_remove(window, ((const struct event_exit *)header)->tid);
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
	*chunk = (struct window_chunk){
		.stream = stream, .cpu = cpu, .events = xmalloc(size), .size = size};
	memcpy(chunk->events, events, size);
	for (size_t at = 0; at < size; at += event->size) {
		event = (const struct event_header *)(chunk->events + at);
		if (event->time_ns > chunk->last_ns)
			chunk->last_ns = event->time_ns;
	}
}

void window_forget(struct window *window, uint64_t before_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < window->count; i++) {
		struct window_chunk *chunk = &window->chunks[i];

		if (chunk->last_ns >= before_ns) {
			window->chunks[kept++] = *chunk;
			continue;
		}
		for (size_t at = 0; chunk->stream == STREAM_EVIDENCE && at < chunk->size;) {
			const struct event_header *event =
				(const struct event_header *)(chunk->events + at);

			remember(window, event);
			at += event->size;
		}
		free(chunk->events);
	}
	window->count = kept;
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
	for (size_t i = 0; i < window->count; i++)
		free(window->chunks[i].events);
	free(window->chunks);
	buffer_release(&window->definitions);
}
