/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/columns.h"

#include <string.h>

#include "event/event.h"

#define KEY_BYTES      8 /* mark, kind, size: the same in all of a group */
#define TIME_OFFSET    8
#define LEAVING_OFFSET 16 /* the thread that leaves or wakes */
#define COMING_OFFSET  20 /* of a switch: the thread that comes */
#define RECORD_MIN     24 /* so that both thread fields are inside */

_Static_assert(offsetof(struct event_header, time_ns) == TIME_OFFSET, "the format says so");
_Static_assert(offsetof(struct event_switch, prev_tid) == LEAVING_OFFSET, "the format says so");
_Static_assert(offsetof(struct event_switch, next_tid) == COMING_OFFSET, "the format says so");
_Static_assert(offsetof(struct event_waking, waker_tid) == LEAVING_OFFSET, "the format says so");

struct group {
	uint64_t key;
	size_t record_bytes;
	size_t record_count;
	size_t filled;
	unsigned char *records; /* encoding: all; decoding: all, bytes KEY_BYTES on */
	const unsigned char *first;
	const unsigned char *bitmap;
};

struct groups {
	struct group at[COLUMNS_GROUPS_MAX];
	size_t count;
};

void columns_cuts_release(struct columns_cuts *cuts)
{
	free(cuts->offsets);
	*cuts = (struct columns_cuts){0};
}

static void cut(struct columns_cuts *cuts, const struct buffer *body)
{
	if (cuts->count > 0 && cuts->offsets[cuts->count - 1] == body->size)
		return;
	array_reserve((void **)&cuts->offsets, &cuts->capacity, cuts->count + 1,
		      sizeof(*cuts->offsets));
	cuts->offsets[cuts->count++] = body->size;
}

static size_t key_record_bytes(uint64_t key)
{
	struct event_header header;

	memcpy(&header, &key, KEY_BYTES);
	return header.size;
}

static bool key_is_switch(uint64_t key)
{
	struct event_header header;

	memcpy(&header, &key, KEY_BYTES);
	return header.kind == EVENT_SWITCH;
}

static size_t bitmap_bytes(const struct group *group)
{
	return (group->record_bytes - KEY_BYTES + 7) / 8;
}

static bool plane_varies(const unsigned char *bitmap, size_t byte)
{
	return bitmap[(byte - KEY_BYTES) / 8] >> ((byte - KEY_BYTES) % 8) & 1;
}

/* ---- encoding ---- */

static struct group *find_group(struct groups *groups, uint64_t key)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->at[i].key == key)
			return &groups->at[i];
	}
	return NULL;
}

/* Counts the events of each group; false if they do not suit. */
static bool count_groups(struct groups *groups, const unsigned char *at, const unsigned char *end,
			 size_t *ret_count)
{
	struct group *group = NULL;
	size_t count = 0;

	for (; at < end; at += group->record_bytes, count++) {
		uint64_t key;

		memcpy(&key, at, KEY_BYTES);
		group = find_group(groups, key);
		if (!group) {
			size_t record_bytes = key_record_bytes(key);

			if (groups->count == COLUMNS_GROUPS_MAX || record_bytes < RECORD_MIN ||
			    record_bytes > COLUMNS_RECORD_MAX)
				return false;
			group = &groups->at[groups->count++];
			group->key = key;
			group->record_bytes = record_bytes;
		}
		group->record_count++;
	}
	*ret_count = count;
	return count > 0;
}

/* Copies the events to their groups, times as differences, leaving threads as what was not
 * expected. */
static void fill_groups(struct groups *groups, const unsigned char *at, const unsigned char *end,
			unsigned char *sequence)
{
	uint64_t last_ns = 0;
	uint32_t running = 0;

	while (at < end) {
		uint64_t key, time_ns, since_ns;
		uint32_t leaving;
		struct group *group;
		unsigned char *to;

		memcpy(&key, at, KEY_BYTES);
		group = find_group(groups, key);
		to = group->records + group->filled++ * group->record_bytes;
		memcpy(to, at, group->record_bytes);
		memcpy(&time_ns, at + TIME_OFFSET, sizeof(time_ns));
		since_ns = time_ns - last_ns;
		last_ns = time_ns;
		memcpy(to + TIME_OFFSET, &since_ns, sizeof(since_ns));
		memcpy(&leaving, at + LEAVING_OFFSET, sizeof(leaving));
		leaving ^= running;
		memcpy(to + LEAVING_OFFSET, &leaving, sizeof(leaving));
		if (key_is_switch(key))
			memcpy(&running, at + COMING_OFFSET, sizeof(running));
		*sequence++ = (unsigned char)(group - groups->at);
		at += group->record_bytes;
	}
}

/* Which bytes differ from the first event's anywhere in the group: a bit each. */
static void find_planes(const struct group *group, unsigned char *bitmap)
{
	unsigned char differs[COLUMNS_RECORD_MAX] = {0};

	for (size_t i = 1; i < group->record_count; i++) {
		const unsigned char *record = group->records + i * group->record_bytes;

		for (size_t b = KEY_BYTES; b < group->record_bytes; b++)
			differs[b] |= record[b] ^ group->records[b];
	}
	memset(bitmap, 0, bitmap_bytes(group));
	for (size_t b = KEY_BYTES; b < group->record_bytes; b++)
		bitmap[(b - KEY_BYTES) / 8] |= (differs[b] != 0) << ((b - KEY_BYTES) % 8);
}

static void add_group_head(const struct group *group, struct buffer *body)
{
	struct columns_group head = {.key = group->key, .record_count = group->record_count};

	buffer_add(body, &head, sizeof(head));
	find_planes(group, buffer_extend(body, bitmap_bytes(group)));
	buffer_add(body, group->records + KEY_BYTES, group->record_bytes - KEY_BYTES);
}

static void add_planes(const struct group *group, struct buffer *body, struct columns_cuts *cuts)
{
	unsigned char bitmap[COLUMNS_RECORD_MAX / 8];

	find_planes(group, bitmap);
	for (size_t b = KEY_BYTES; b < group->record_bytes; b++) {
		const unsigned char *from = group->records + b;
		unsigned char *plane;

		if (!plane_varies(bitmap, b))
			continue;
		plane = buffer_extend(body, group->record_count - 1);
		for (size_t i = 1; i < group->record_count; i++)
			plane[i - 1] = from[i * group->record_bytes];
		cut(cuts, body);
	}
}

/* Gives each group its part of MEMORY, SIZE bytes in all. */
static void place_groups(struct groups *groups, unsigned char *memory)
{
	for (size_t i = 0; i < groups->count; i++) {
		groups->at[i].records = memory;
		memory += groups->at[i].record_bytes * groups->at[i].record_count;
	}
}

bool columns_encode(const void *events, size_t size, struct buffer *ret_body,
		    struct columns_cuts *ret_cuts)
{
	const unsigned char *from = events;
	struct groups groups = {.count = 0};
	_cleanup_free_ unsigned char *memory = NULL;
	struct columns_head head;
	unsigned char *sequence;
	size_t count;

	if (!count_groups(&groups, from, from + size, &count))
		return false;
	memory = xmalloc(size + count);
	sequence = memory + size;
	place_groups(&groups, memory);
	fill_groups(&groups, from, from + size, sequence);

	buffer_clear(ret_body);
	ret_cuts->count = 0;
	head = (struct columns_head){.record_count = (uint32_t)count,
				     .group_count = (uint32_t)groups.count};
	buffer_add(ret_body, &head, sizeof(head));
	for (size_t i = 0; i < groups.count; i++)
		add_group_head(&groups.at[i], ret_body);
	cut(ret_cuts, ret_body);
	if (groups.count > 1)
		buffer_add(ret_body, sequence, count);
	cut(ret_cuts, ret_body);
	for (size_t i = 0; i < groups.count; i++)
		add_planes(&groups.at[i], ret_body, ret_cuts);
	return true;
}

/* ---- decoding ---- */

/* What is left of a body. */
struct reader {
	const unsigned char *at;
	size_t left;
};

/* The next SIZE bytes, or NULL if there are not so many. */
static const unsigned char *take(struct reader *reader, size_t size)
{
	const unsigned char *at = reader->at;

	if (size > reader->left)
		return NULL;
	reader->at += size;
	reader->left -= size;
	return at;
}

static bool read_group(struct reader *reader, struct group *ret)
{
	const unsigned char *at = take(reader, sizeof(struct columns_group));
	struct columns_group head;

	if (!at)
		return false;
	memcpy(&head, at, sizeof(head));
	*ret = (struct group){.key = head.key, .record_bytes = key_record_bytes(head.key)};
	if (ret->record_bytes < RECORD_MIN || ret->record_bytes > COLUMNS_RECORD_MAX ||
	    head.record_count == 0 || head.record_count > UINT32_MAX)
		return false;
	ret->record_count = head.record_count;
	ret->bitmap = take(reader, bitmap_bytes(ret));
	ret->first = take(reader, ret->record_bytes - KEY_BYTES);
	return ret->bitmap && ret->first;
}

/* Reads the heads; the groups must make up exactly EVENTS_BYTES. */
static bool read_groups(struct reader *reader, struct groups *ret, size_t events_bytes,
			size_t *ret_count)
{
	const unsigned char *at = take(reader, sizeof(struct columns_head));
	size_t bytes = 0, count = 0;
	struct columns_head head;

	if (!at)
		return false;
	memcpy(&head, at, sizeof(head));
	if (head.group_count == 0 || head.group_count > COLUMNS_GROUPS_MAX)
		return false;
	for (ret->count = 0; ret->count < head.group_count; ret->count++) {
		struct group *group = &ret->at[ret->count];

		if (!read_group(reader, group))
			return false;
		bytes += group->record_count * group->record_bytes;
		count += group->record_count;
	}
	*ret_count = count;
	return bytes == events_bytes && count == head.record_count;
}

/* Turns the planes of a group back into events; every one begins as a copy of the first. */
static bool read_planes(struct reader *reader, const struct group *group)
{
	const size_t stride = group->record_bytes;
	unsigned char *records = group->records;

	memcpy(records, &group->key, KEY_BYTES);
	memcpy(records + KEY_BYTES, group->first, stride - KEY_BYTES);
	for (size_t i = 1; i < group->record_count; i++)
		memcpy(records + i * stride, records, stride);
	for (size_t b = KEY_BYTES; b < stride; b++) {
		const unsigned char *plane;

		if (!plane_varies(group->bitmap, b))
			continue;
		plane = take(reader, group->record_count - 1);
		if (!plane)
			return false;
		for (size_t i = 1; i < group->record_count; i++)
			records[i * stride + b] = plane[i - 1];
	}
	return true;
}

/* Copies the events back to their places in the chunk and undoes the differences. */
static bool merge_groups(struct groups *groups, const unsigned char *sequence, size_t count,
			 unsigned char *to)
{
	uint64_t last_ns = 0;
	uint32_t running = 0;

	for (size_t i = 0; i < count; i++) {
		size_t which = sequence ? sequence[i] : 0;
		struct group *group;
		uint64_t since_ns;
		uint32_t leaving;

		if (which >= groups->count)
			return false;
		group = &groups->at[which];
		if (group->filled == group->record_count)
			return false;
		memcpy(to, group->records + group->filled++ * group->record_bytes,
		       group->record_bytes);
		memcpy(&since_ns, to + TIME_OFFSET, sizeof(since_ns));
		last_ns += since_ns;
		memcpy(to + TIME_OFFSET, &last_ns, sizeof(last_ns));
		memcpy(&leaving, to + LEAVING_OFFSET, sizeof(leaving));
		leaving ^= running;
		memcpy(to + LEAVING_OFFSET, &leaving, sizeof(leaving));
		if (key_is_switch(group->key))
			memcpy(&running, to + COMING_OFFSET, sizeof(running));
		to += group->record_bytes;
	}
	return true;
}

bool columns_decode(const void *body, size_t body_size, void *events, size_t events_bytes)
{
	struct reader reader = {.at = body, .left = body_size};
	_cleanup_free_ unsigned char *memory = NULL;
	const unsigned char *sequence = NULL;
	struct groups groups;
	size_t count;

	if (!read_groups(&reader, &groups, events_bytes, &count))
		return false;
	if (groups.count > 1) {
		sequence = take(&reader, count);
		if (!sequence)
			return false;
	}
	memory = xmalloc(events_bytes);
	place_groups(&groups, memory);
	for (size_t i = 0; i < groups.count; i++) {
		if (!read_planes(&reader, &groups.at[i]))
			return false;
	}
	return reader.left == 0 && merge_groups(&groups, sequence, count, events);
}
