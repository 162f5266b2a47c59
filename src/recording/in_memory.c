/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings that live in memory: the same list of chunks, each with its events beside it.
 */
#include <string.h>

#include "event/schema.h"
#include "recording/chunk.h"

struct recording *recording_memory_new(void)
{
	return recording_alloc();
}

static uint64_t growing_key(unsigned int stream, unsigned int cpu)
{
	return (uint64_t)stream << 16 | cpu;
}

/* The chunk that takes the next event of SIZE bytes. */
static struct chunk *find_chunk(struct recording *recording, enum recording_stream stream,
				uint16_t cpu, uint64_t time_ns, size_t size)
{
	uint64_t *found = map64_get(&recording->growing, growing_key(stream, cpu));
	struct chunk *chunk = found ? &recording->chunks[*found] : NULL;

	if (chunk && chunk->decoded_bytes + size <= FORMAT_CHUNK_TARGET)
		return chunk;
	map64_put(&recording->growing, growing_key(stream, cpu), recording->chunk_count);
	return recording_add_chunk(recording, &(struct chunk){.first_ns = time_ns,
							      .last_ns = time_ns,
							      .stream = stream,
							      .cpu = cpu});
}

static void add_event(struct recording *recording, struct chunk *chunk,
		      const struct event_header *event)
{
	struct recording_info *info = &recording->info;

	array_reserve((void **)&chunk->events, &chunk->capacity,
		      chunk->decoded_bytes + (size_t)event->size, 1);
	memcpy(chunk->events + chunk->decoded_bytes, event, event->size);
	chunk->decoded_bytes += event->size;
	chunk->event_count++;
	info->decoded_bytes += event->size;
	info->event_count[event->kind]++;
	if (event->time_ns < chunk->first_ns)
		chunk->first_ns = event->time_ns;
	if (event->time_ns > chunk->last_ns)
		chunk->last_ns = event->time_ns;
	if (chunk->stream == STREAM_TABLE)
		return;
	if (event->time_ns < info->first_ns)
		info->first_ns = event->time_ns;
	if (event->time_ns > info->last_ns)
		info->last_ns = event->time_ns;
}

void recording_memory_add(struct recording *recording, enum recording_stream stream, uint16_t cpu,
			  const void *events, size_t size)
{
	const char *at = events;
	const char *end = at + size;

	while (at < end && event_is_sound((const void *)at, (size_t)(end - at))) {
		const struct event_header *event = (const void *)at;

		add_event(recording,
			  find_chunk(recording, stream, cpu, event->time_ns, event->size), event);
		at += event->size;
	}
}

static void uncount(struct recording *recording, const struct chunk *chunk)
{
	const char *end = chunk->events + chunk->decoded_bytes;

	for (const char *at = chunk->events; at < end;) {
		const struct event_header *event = (const void *)at;

		recording->info.event_count[event->kind]--;
		at += event->size;
	}
}

void recording_memory_forget(struct recording *recording, uint64_t before_ns)
{
	size_t kept = 0;

	map64_release(&recording->growing);
	for (size_t i = 0; i < recording->chunk_count; i++) {
		struct chunk *chunk = &recording->chunks[i];

		if (chunk->stream != STREAM_TABLE && chunk->last_ns < before_ns) {
			uncount(recording, chunk);
			free(chunk->events);
			continue;
		}
		/* Of each log the last chunk in the list is the one that grows. */
		map64_put(&recording->growing, growing_key(chunk->stream, chunk->cpu), kept);
		recording->chunks[kept++] = *chunk;
	}
	recording->chunk_count = kept;
	recording_sum_chunks(recording);
}
