/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/chunk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "event/schema.h"

struct recording *recording_alloc(void)
{
	struct recording *recording = xcalloc(1, sizeof(*recording));

	recording->fd = -1;
	recording->info.format_version = FORMAT_VERSION;
	return recording;
}

static void add_to_info(struct recording_info *info, const struct chunk *chunk)
{
	bool is_first = info->first_ns == 0 && info->last_ns == 0;

	info->chunks++;
	info->decoded_bytes += chunk->decoded_bytes;
	if (chunk->cpu != EVENT_ANY_CPU && chunk->cpu >= info->cpu_limit)
		info->cpu_limit = chunk->cpu + 1;
	if (chunk->stream == STREAM_TABLE)
		return;
	if (is_first || chunk->first_ns < info->first_ns)
		info->first_ns = chunk->first_ns;
	if (chunk->last_ns > info->last_ns)
		info->last_ns = chunk->last_ns;
}

struct chunk *recording_add_chunk(struct recording *recording, const struct chunk *chunk)
{
	array_reserve((void **)&recording->chunks, &recording->chunk_capacity,
		      recording->chunk_count + 1, sizeof(*chunk));
	recording->chunks[recording->chunk_count] = *chunk;
	add_to_info(&recording->info, chunk);
	return &recording->chunks[recording->chunk_count++];
}

void recording_sum_chunks(struct recording *recording)
{
	struct recording_info *info = &recording->info;

	info->chunks = info->decoded_bytes = info->first_ns = info->last_ns = 0;
	info->cpu_limit = 0;
	for (size_t i = 0; i < recording->chunk_count; i++)
		add_to_info(info, &recording->chunks[i]);
}

void recording_count_kind(struct recording *recording, unsigned int kind, uint64_t count)
{
	const struct layouts *layouts = recording->layouts;

	if (layouts ? layouts_knows(layouts, kind) : event_schema(kind) != NULL)
		recording->info.event_count[kind] += count;
	else
		recording->info.unknown_events += count;
}

int read_fully(int fd, void *to, size_t size, uint64_t offset)
{
	char *at = to;

	while (size > 0) {
		ssize_t n = pread(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG; /* shorter than it was */
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

uint64_t format_hash(const void *value, size_t size)
{
	return hash_bytes(value, size - sizeof(uint64_t));
}

/* The index grows with the recording, so it is not limited as others are, but it is stored as it
 * is: it cannot be larger than the file. */
static bool size_is_sound(const struct format_chunk *header)
{
	if (header->stream == FORMAT_STREAM_INDEX)
		return header->codec == FORMAT_CODEC_NONE &&
		       header->stored_bytes == header->decoded_bytes;
	/* A payload that grew by coding is stored as it is, so it is never the larger one. */
	return header->stream < STREAM_KINDS && header->decoded_bytes <= FORMAT_DECODED_MAX &&
	       header->stored_bytes <= header->decoded_bytes;
}

bool chunk_header_is_sound(const struct format_chunk *header, uint64_t recording_id)
{
	return header->magic == FORMAT_CHUNK_MAGIC && header->recording_id == recording_id &&
	       header->hash == format_hash(header, sizeof(*header)) && size_is_sound(header) &&
	       header->event_count <= header->decoded_bytes / sizeof(struct event_header) &&
	       header->first_ns <= header->last_ns;
}

struct chunk chunk_of_header(const struct format_chunk *header, uint64_t offset)
{
	return (struct chunk){
		.offset = offset,
		.first_ns = header->first_ns,
		.last_ns = header->last_ns,
		.event_count = header->event_count,
		.decoded_bytes = header->decoded_bytes,
		.stored_bytes = header->stored_bytes,
		.stream = header->stream,
		.codec = header->codec,
		.cpu = header->cpu,
	};
}

void chunk_loader_release(struct chunk_loader *loader)
{
	codec_release(&loader->codec);
	buffer_release(&loader->stored);
	buffer_release(&loader->decoded);
}

static bool is_same_chunk(const struct chunk *a, const struct chunk *b)
{
	return a->offset == b->offset && a->first_ns == b->first_ns && a->last_ns == b->last_ns &&
	       a->event_count == b->event_count && a->decoded_bytes == b->decoded_bytes &&
	       a->stored_bytes == b->stored_bytes && a->stream == b->stream &&
	       a->codec == b->codec && a->cpu == b->cpu;
}

/* Reads header and payload to loader->stored and compares them with CHUNK and with their hashes. */
static int chunk_read(const struct recording *recording, const struct chunk *chunk,
		      struct chunk_loader *loader)
{
	struct format_chunk header;
	struct chunk found;
	const char *payload;
	int err;

	buffer_clear(&loader->stored);
	buffer_extend(&loader->stored, sizeof(header) + chunk->stored_bytes);
	err = read_fully(recording->fd, loader->stored.data, loader->stored.size, chunk->offset);
	if (err)
		return err;
	memcpy(&header, loader->stored.data, sizeof(header));
	payload = loader->stored.data + sizeof(header);
	if (!chunk_header_is_sound(&header, recording->recording_id))
		return -EBADMSG;
	found = chunk_of_header(&header, chunk->offset);
	if (!is_same_chunk(&found, chunk) ||
	    header.payload_hash != hash_bytes(payload, chunk->stored_bytes))
		return -EBADMSG;
	return 0;
}

int chunk_decode(const struct recording *recording, const struct chunk *chunk,
		 struct chunk_loader *loader, struct buffer *events)
{
	size_t before = events->size;
	int err;

	if (chunk->events) {
		buffer_add(events, chunk->events, chunk->decoded_bytes);
		return 0;
	}
	err = chunk_read(recording, chunk, loader);
	if (err)
		return err;
	buffer_extend(events, chunk->decoded_bytes);
	err = codec_decode(&loader->codec, chunk->codec,
			   loader->stored.data + sizeof(struct format_chunk), chunk->stored_bytes,
			   events->data + before, chunk->decoded_bytes);
	if (err)
		events->size = before;
	return err;
}

int chunk_load(const struct recording *recording, const struct chunk *chunk,
	       struct chunk_loader *loader, struct buffer *events)
{
	int err;

	if (!recording->layouts)
		return chunk_decode(recording, chunk, loader, events);
	buffer_clear(&loader->decoded);
	err = chunk_decode(recording, chunk, loader, &loader->decoded);
	if (err)
		return err;
	layouts_translate(recording->layouts, loader->decoded.data, loader->decoded.size, events,
			  &loader->dropped);
	return 0;
}
