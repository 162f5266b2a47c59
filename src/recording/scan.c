/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/scan.h"

#include <errno.h>
#include <string.h>

#define WINDOW_BYTES (64u << 10)

/* The beginning of each chunk of one recording, enough to look for. */
struct chunk_start {
	uint64_t magic;
	uint64_t recording_id;
};

_Static_assert(offsetof(struct format_chunk, recording_id) ==
		       offsetof(struct chunk_start, recording_id),
	       "what is looked for is how chunks begin");

struct scanner {
	struct recording *recording;
	struct chunk_loader loader;
	struct buffer events;
	uint64_t *kind_count; /* by the number that the file has for a kind */
	uint64_t next_sequence;
	bool in_damage; /* since the last whole chunk */
	struct scan_result result;
	/* The part of the file around the position, so that a search never reads twice. */
	uint64_t window_offset;
	size_t window_size;
	char *window;
};

/* Moves the window, if need be, so that it begins at or before OFFSET and has SIZE bytes from
 * there, or all that the file has. Sets *ret_at and *ret_size to what it has from there. */
static int look_at(struct scanner *scanner, uint64_t offset, size_t size, const char **ret_at,
		   size_t *ret_size)
{
	uint64_t left = scanner->recording->info.file_bytes - offset;
	uint64_t window_end = scanner->window_offset + scanner->window_size;

	if (size > left)
		size = left;
	if (offset < scanner->window_offset || offset + size > window_end) {
		int err;

		scanner->window_offset = offset;
		scanner->window_size = left < WINDOW_BYTES ? left : WINDOW_BYTES;
		err = read_fully(scanner->recording->fd, scanner->window, scanner->window_size,
				 offset);
		if (err)
			return err;
		window_end = offset + scanner->window_size;
	}
	*ret_at = scanner->window + (offset - scanner->window_offset);
	*ret_size = window_end - offset;
	return 0;
}

/* Moves *OFFSET on to where a chunk may begin, or to the end of the file. */
static int find_start(struct scanner *scanner, uint64_t *offset)
{
	struct chunk_start start = {.magic = FORMAT_CHUNK_MAGIC,
				    .recording_id = scanner->recording->recording_id};
	uint64_t end = scanner->recording->info.file_bytes;

	while (end - *offset >= sizeof(struct format_chunk)) {
		const char *at, *found;
		size_t size;
		int err = look_at(scanner, *offset, sizeof(start), &at, &size);

		if (err)
			return err;
		found = memmem(at, size, &start, sizeof(start));
		if (found) {
			*offset += (uint64_t)(found - at);
			return 0;
		}
		*offset += size - sizeof(start) + 1;
	}
	*offset = end;
	return 0;
}

static void count_kinds(struct scanner *scanner)
{
	const char *at = scanner->events.data;
	const char *end = at + scanner->events.size;

	while (at < end) {
		const struct event_header *event = (const void *)at;

		if (!event_is_framed(event, (size_t)(end - at)))
			return;
		scanner->kind_count[event->kind]++;
		at += event->size;
	}
}

static void accept(struct scanner *scanner, const struct format_chunk *header, uint64_t offset)
{
	struct chunk chunk = chunk_of_header(header, offset);

	if (scanner->in_damage)
		scanner->result.damaged_places++;
	scanner->in_damage = false;
	scanner->next_sequence = header->sequence + 1;
	if (scanner->result.damaged_places == 0)
		scanner->result.good_bytes = offset + sizeof(*header) + header->stored_bytes;
	if (header->stream == FORMAT_STREAM_INDEX)
		return;
	recording_add_chunk(scanner->recording, &chunk);
	count_kinds(scanner);
}

/*
 * Looks at what stands at *OFFSET and moves it on. A header whose hash is right is believed about
 * its length also if the payload is bad: so a hostile file cannot have a payload read many times.
 */
static int step(struct scanner *scanner, uint64_t *offset)
{
	uint64_t left = scanner->recording->info.file_bytes - *offset;
	struct format_chunk header;
	struct chunk chunk;
	const char *at;
	size_t size;
	int err = look_at(scanner, *offset, sizeof(header), &at, &size);

	if (err)
		return err;
	memcpy(&header, at, sizeof(header));
	if (!chunk_header_is_sound(&header, scanner->recording->recording_id) ||
	    header.stored_bytes > left - sizeof(header) ||
	    header.sequence < scanner->next_sequence) {
		scanner->in_damage = true;
		(*offset)++;
		return find_start(scanner, offset);
	}
	chunk = chunk_of_header(&header, *offset);
	buffer_clear(&scanner->events);
	err = chunk_decode(scanner->recording, &chunk, &scanner->loader, &scanner->events);
	if (err && err != -EBADMSG)
		return err;
	if (err)
		scanner->in_damage = true;
	else
		accept(scanner, &header, *offset);
	*offset += sizeof(header) + header.stored_bytes;
	return 0;
}

static void list_kinds(const struct scanner *scanner, struct buffer *kinds)
{
	for (uint32_t kind = 0; kind <= UINT16_MAX; kind++) {
		struct format_index_kind entry = {.kind = kind,
						  .event_count = scanner->kind_count[kind]};

		if (entry.event_count)
			buffer_add(kinds, &entry, sizeof(entry));
	}
}

int scan_chunks(struct recording *recording, struct buffer *kinds, struct scan_result *ret)
{
	uint64_t offset = sizeof(struct format_header);
	struct scanner scanner = {
		.recording = recording,
		.kind_count = xcalloc(UINT16_MAX + 1, sizeof(*scanner.kind_count)),
		.result = {.good_bytes = offset},
		.window = xmalloc(WINDOW_BYTES),
	};
	int err = 0;

	while (!err && recording->info.file_bytes - offset >= sizeof(struct format_chunk) &&
	       recording->chunk_count < FORMAT_CHUNKS_MAX)
		err = step(&scanner, &offset);
	*ret = scanner.result;
	list_kinds(&scanner, kinds);
	free(scanner.kind_count);
	free(scanner.window);
	buffer_release(&scanner.events);
	chunk_loader_release(&scanner.loader);
	return err;
}
