/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/index.h"

#include <stdio.h>
#include <string.h>

static bool read_trailer(const struct recording *recording, struct format_trailer *ret)
{
	uint64_t size = recording->info.file_bytes;

	return size >= sizeof(struct format_header) + sizeof(struct format_chunk) + sizeof(*ret) &&
	       read_fully(recording->fd, ret, sizeof(*ret), size - sizeof(*ret)) == 0 &&
	       ret->magic == FORMAT_TRAILER_MAGIC && ret->recording_id == recording->recording_id &&
	       ret->file_bytes == size && ret->hash == format_hash(ret, sizeof(*ret));
}

/* Appends the payload of the index, which ends where the trailer begins. */
static bool read_payload(const struct recording *recording, uint64_t offset, struct buffer *payload)
{
	uint64_t end = recording->info.file_bytes - sizeof(struct format_trailer);
	struct chunk_loader loader = {.dropped = 0};
	struct format_chunk header;
	struct chunk chunk;
	bool is_whole;

	if (offset > end - sizeof(header) ||
	    read_fully(recording->fd, &header, sizeof(header), offset) ||
	    !chunk_header_is_sound(&header, recording->recording_id) ||
	    header.stream != FORMAT_STREAM_INDEX ||
	    offset + sizeof(header) + header.stored_bytes != end)
		return false;
	chunk = chunk_of_header(&header, offset);
	is_whole = chunk_decode(recording, &chunk, &loader, payload) == 0;
	chunk_loader_release(&loader);
	return is_whole;
}

/* The chunks must fill the file from the header to the index without a gap. */
static bool entries_are_sound(const struct format_index_chunk *entries, uint64_t count,
			      uint64_t index_offset)
{
	uint64_t offset = sizeof(struct format_header);

	for (uint64_t i = 0; i < count; i++) {
		const struct format_index_chunk *entry = &entries[i];

		if (entry->offset != offset || entry->stream >= STREAM_KINDS ||
		    entry->decoded_bytes > FORMAT_DECODED_MAX ||
		    entry->stored_bytes > entry->decoded_bytes ||
		    entry->event_count > entry->decoded_bytes / sizeof(struct event_header) ||
		    entry->first_ns > entry->last_ns)
			return false;
		offset += sizeof(struct format_chunk) + entry->stored_bytes;
	}
	return offset == index_offset;
}

static void add_entries(struct recording *recording, const struct format_index_chunk *entries,
			uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const struct format_index_chunk *entry = &entries[i];
		struct chunk chunk = {
			.offset = entry->offset,
			.first_ns = entry->first_ns,
			.last_ns = entry->last_ns,
			.event_count = entry->event_count,
			.decoded_bytes = entry->decoded_bytes,
			.stored_bytes = entry->stored_bytes,
			.stream = entry->stream,
			.codec = entry->codec,
			.cpu = entry->cpu,
		};

		recording_add_chunk(recording, &chunk);
	}
}

static bool parse(struct recording *recording, uint64_t index_offset, const struct buffer *payload,
		  struct buffer *kinds)
{
	const struct format_index_chunk *entries;
	struct format_index head;
	size_t entries_bytes, kinds_bytes;

	if (payload->size < sizeof(head))
		return false;
	memcpy(&head, payload->data, sizeof(head));
	if (head.chunk_count > FORMAT_CHUNKS_MAX || head.kind_count > UINT16_MAX)
		return false;
	entries_bytes = head.chunk_count * sizeof(*entries);
	kinds_bytes = head.kind_count * sizeof(struct format_index_kind);
	if (payload->size != sizeof(head) + entries_bytes + kinds_bytes)
		return false;
	entries = (const void *)(payload->data + sizeof(head));
	if (!entries_are_sound(entries, head.chunk_count, index_offset))
		return false;
	add_entries(recording, entries, head.chunk_count);
	buffer_add(kinds, payload->data + sizeof(head) + entries_bytes, kinds_bytes);
	recording->info.good_bytes = recording->info.file_bytes;
	if (head.write_error)
		snprintf(recording->info.damage, sizeof(recording->info.damage),
			 "the recording ends early: it could not be written on (%s)",
			 strerror(head.write_error));
	return true;
}

bool index_read(struct recording *recording, struct buffer *kinds)
{
	struct buffer payload = {0};
	struct format_trailer trailer;
	bool is_whole;

	is_whole = read_trailer(recording, &trailer) &&
		   read_payload(recording, trailer.index_offset, &payload) &&
		   parse(recording, trailer.index_offset, &payload, kinds);
	buffer_release(&payload);
	return is_whole;
}

/* ---- writing ---- */

size_t index_size_max(size_t chunk_count)
{
	return sizeof(struct format_chunk) + sizeof(struct format_index) +
	       chunk_count * sizeof(struct format_index_chunk) +
	       EVENT_KIND_LIMIT * sizeof(struct format_index_kind) + sizeof(struct format_trailer);
}

static void add_payload(struct buffer *out, const struct written_chunk *chunks, size_t chunk_count,
			int write_error)
{
	struct format_index_kind kinds[EVENT_KIND_LIMIT] = {{0}};
	struct format_index head = {
		.chunk_count = chunk_count,
		.kind_count = EVENT_KIND_LIMIT - 1,
		.write_error = write_error,
	};

	buffer_add(out, &head, sizeof(head));
	for (size_t i = 0; i < chunk_count; i++) {
		buffer_add(out, &chunks[i].entry, sizeof(chunks[i].entry));
		for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++)
			kinds[kind].event_count += chunks[i].event_count[kind];
	}
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++)
		kinds[kind].kind = kind;
	buffer_add(out, &kinds[1], (EVENT_KIND_LIMIT - 1) * sizeof(kinds[0]));
}

void index_encode(struct buffer *out, uint64_t offset, uint64_t recording_id,
		  const struct written_chunk *chunks, size_t chunk_count, int write_error)
{
	struct format_chunk header = {
		.magic = FORMAT_CHUNK_MAGIC,
		.recording_id = recording_id,
		.sequence = chunk_count,
		.stream = FORMAT_STREAM_INDEX,
		.codec = FORMAT_CODEC_NONE,
	};
	struct format_trailer trailer = {
		.magic = FORMAT_TRAILER_MAGIC,
		.recording_id = recording_id,
		.index_offset = offset,
	};
	size_t at = out->size;
	size_t payload_at = at + sizeof(header);

	buffer_extend(out, sizeof(header));
	add_payload(out, chunks, chunk_count, write_error);
	header.stored_bytes = header.decoded_bytes = (uint32_t)(out->size - payload_at);
	header.payload_hash = hash_bytes(out->data + payload_at, header.stored_bytes);
	header.hash = format_hash(&header, sizeof(header));
	memcpy(out->data + at, &header, sizeof(header));
	trailer.file_bytes = offset + sizeof(header) + header.stored_bytes + sizeof(trailer);
	trailer.hash = format_hash(&trailer, sizeof(trailer));
	buffer_add(out, &trailer, sizeof(trailer));
}
