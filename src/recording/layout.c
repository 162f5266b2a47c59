/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording/layout.h"

#include <string.h>

#include "base/hash.h"
#include "event/event.h"
#include "event/schema.h"

#define TAIL_NONE UINT16_MAX

/* A field in the file and the place of the same field in this version. */
struct move {
	uint16_t from;
	uint16_t from_size;
	uint16_t to;
	uint16_t to_size;
	uint16_t count;
	bool is_signed;
};

enum layout_action {
	LAYOUT_UNKNOWN = 0,
	LAYOUT_SAME,
	LAYOUT_REBUILD
};

struct layout {
	enum layout_action action;
	uint16_t fixed_size; /* in the file */
	uint16_t from_tail;  /* offset in the file, or TAIL_NONE */
	uint16_t to_tail;
	size_t move_count;
	struct move *moves;
};

struct layouts {
	struct layout kinds[EVENT_KIND_LIMIT];
};

/* ---- this version's table ---- */

static uint64_t hash_more(uint64_t hash, const void *bytes, size_t size)
{
	return hash_mix(hash * 31 + hash_bytes(bytes, size));
}

uint64_t layouts_hash(void)
{
	uint64_t hash = 0;

	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		if (!schema)
			continue;
		hash = hash_more(hash, schema->name, strlen(schema->name));
		hash = hash_more(hash, (uint32_t[]){kind, schema->fixed_size}, 8);
		for (unsigned int i = 0; i < schema->field_count; i++) {
			const struct event_field *field = &schema->fields[i];

			hash = hash_more(hash, field->name, strlen(field->name));
			hash = hash_more(hash,
					 (uint16_t[]){field->offset, field->size, field->count,
						      field->is_signed},
					 8);
		}
	}
	return hash;
}

/* Appends an event with a tail of two strings: FIXED with its size still to be set. */
static void add_texts(struct buffer *events, struct event_header *fixed, size_t fixed_size,
		      const char *first, const char *second)
{
	size_t first_size = strlen(first) + 1, second_size = strlen(second) + 1;
	size_t size = event_align(fixed_size + first_size + second_size);
	char *to = buffer_extend(events, size);

	fixed->size = (uint16_t)size;
	memset(to, 0, size);
	memcpy(to, fixed, fixed_size);
	memcpy(to + fixed_size, first, first_size);
	memcpy(to + fixed_size + first_size, second, second_size);
}

static void add_field_info(struct buffer *events, uint64_t time_ns, unsigned int kind,
			   const struct event_field *field)
{
	struct event_field_info info = {
		.header = {.kind = EVENT_FIELD_INFO, .time_ns = time_ns},
		.kind = kind,
		.offset = field->offset,
		.size = field->size,
		.count = field->count,
		.meaning = field->meaning,
		.is_signed = field->is_signed,
	};

	add_texts(events, &info.header, sizeof(info), field->name, field->help);
}

void layouts_write(struct buffer *events, uint64_t time_ns)
{
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);
		struct event_kind_info info = {
			.header = {.kind = EVENT_KIND_INFO, .time_ns = time_ns},
			.kind = kind,
		};

		if (!schema)
			continue;
		info.fixed_size = schema->fixed_size;
		add_texts(events, &info.header, sizeof(info), schema->name, schema->says);
		for (unsigned int i = 0; i < schema->field_count; i++)
			add_field_info(events, time_ns, kind, &schema->fields[i]);
	}
}

/* ---- reading another version's table ---- */

static void read_kind(struct layouts *layouts, const struct event_kind_info *info)
{
	const struct event_schema *schema = event_schema(info->kind);
	struct layout *layout;

	if (!schema || strcmp(event_tail_text(&info->header, info->text, 0), schema->name) != 0)
		return;
	if (info->fixed_size < sizeof(struct event_header) || info->fixed_size > EVENT_SIZE_MAX)
		return;
	layout = &layouts->kinds[info->kind];
	/* The first row counts: fields are checked against its size. */
	if (layout->action != LAYOUT_UNKNOWN)
		return;
	layout->action = info->fixed_size == schema->fixed_size ? LAYOUT_SAME : LAYOUT_REBUILD;
	layout->fixed_size = (uint16_t)info->fixed_size;
}

static bool field_is_inside(const struct event_field_info *info, const struct layout *layout)
{
	if (info->offset < sizeof(struct event_header))
		return false;
	return info->offset + (size_t)info->size * info->count <= layout->fixed_size;
}

/* Notes where the field goes; the kind stays as it is only if each of its fields is where it was.
 */
static void read_field(struct layouts *layouts, const struct event_field_info *info)
{
	const char *name = event_tail_text(&info->header, info->text, 0);
	const struct event_field *field = event_field_find(info->kind, name);
	struct layout *layout;
	struct move *move;

	if (info->kind >= EVENT_KIND_LIMIT)
		return;
	layout = &layouts->kinds[info->kind];
	if (layout->action == LAYOUT_UNKNOWN || !field_is_inside(info, layout))
		return;
	if (!field || field->offset != info->offset || field->size != info->size ||
	    field->count != info->count || field->is_signed != (info->is_signed != 0))
		layout->action = LAYOUT_REBUILD;
	if (!field || (field->size == 0) != (info->size == 0))
		return;
	if (field->size == 0) {
		layout->from_tail = info->offset;
		layout->to_tail = field->offset;
		return;
	}
	/* A hostile table may repeat a field; more moves than fields can only be that. */
	if (layout->move_count == event_schema(info->kind)->field_count)
		return;
	if (!layout->moves)
		layout->moves = xcalloc(event_schema(info->kind)->field_count, sizeof(*move));
	move = &layout->moves[layout->move_count++];
	move->from = info->offset;
	move->from_size = info->size;
	move->to = field->offset;
	move->to_size = field->size;
	move->count = info->count < field->count ? info->count : field->count;
	move->is_signed = info->is_signed != 0;
}

/* Kinds of which the file names fewer fields than this version has are rebuilt too. */
static void check_complete(struct layouts *layouts)
{
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		struct layout *layout = &layouts->kinds[kind];
		const struct event_schema *schema = event_schema(kind);
		size_t found = layout->move_count + (layout->from_tail != TAIL_NONE);

		if (layout->action == LAYOUT_SAME && found != schema->field_count)
			layout->action = LAYOUT_REBUILD;
	}
}

struct layouts *layouts_read(const void *events, size_t size)
{
	struct layouts *layouts = xcalloc(1, sizeof(*layouts));
	const char *at = events;
	const char *end = at + size;

	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		layouts->kinds[kind].from_tail = TAIL_NONE;
		layouts->kinds[kind].to_tail = TAIL_NONE;
	}
	while (at < end) {
		const struct event_header *event = (const void *)at;

		if (!event_is_sound(event, (size_t)(end - at)))
			break;
		if (event->kind == EVENT_KIND_INFO)
			read_kind(layouts, (const void *)event);
		else if (event->kind == EVENT_FIELD_INFO)
			read_field(layouts, (const void *)event);
		at += event->size;
	}
	check_complete(layouts);
	/* These two are how the table is read at all: format version 1 fixes them. */
	layouts->kinds[EVENT_KIND_INFO].action = LAYOUT_SAME;
	layouts->kinds[EVENT_FIELD_INFO].action = LAYOUT_SAME;
	return layouts;
}

void layouts_free(struct layouts *layouts)
{
	if (!layouts)
		return;
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++)
		free(layouts->kinds[kind].moves);
	free(layouts);
}

bool layouts_knows(const struct layouts *layouts, unsigned int kind)
{
	return kind < EVENT_KIND_LIMIT && layouts->kinds[kind].action != LAYOUT_UNKNOWN;
}

/* ---- rebuilding events ---- */

static void move_field(const struct move *move, const char *from, char *to)
{
	if (move->from_size == move->to_size) {
		memcpy(to + move->to, from + move->from, (size_t)move->from_size * move->count);
		return;
	}
	/* A number of another width: widened with its sign, or cut. */
	if (move->from_size > 8 || move->to_size > 8)
		return;
	for (unsigned int i = 0; i < move->count; i++) {
		struct event_field field = {.offset = move->from,
					    .size = move->from_size,
					    .is_signed = move->is_signed};
		int64_t value = event_field_value((const void *)from, &field, i);

		memcpy(to + move->to + i * move->to_size, &value, move->to_size);
	}
}

/* Fields that the file does not have, and whose absence is not 0. */
static void fill_absent(const struct event_schema *schema, char *to)
{
	for (unsigned int i = 0; i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];
		int64_t value = field->if_absent;

		if (value)
			memcpy(to + field->offset, &value, field->size);
	}
}

static bool schema_has_tail(const struct event_schema *schema)
{
	return schema->field_count > 0 && schema->fields[schema->field_count - 1].size == 0;
}

/* Appends EVENT in this version's layout. False if it does not fit an event. */
static bool rebuild(const struct layout *layout, const struct event_header *event,
		    struct buffer *out)
{
	const struct event_schema *schema = event_schema(event->kind);
	size_t tail_bytes = layout->from_tail == TAIL_NONE ? 0 : event->size - layout->from_tail;
	size_t size = schema->fixed_size;
	char *to;

	if (layout->from_tail == TAIL_NONE && schema_has_tail(schema))
		size += 8; /* of zeros: the strings that the file does not have are empty */
	if (layout->to_tail != TAIL_NONE && layout->to_tail + tail_bytes > size)
		size = layout->to_tail + tail_bytes;
	size = event_align(size);
	if (size > EVENT_SIZE_MAX)
		return false;
	to = buffer_extend(out, size);
	memset(to, 0, size);
	fill_absent(schema, to);
	memcpy(to, event, sizeof(*event));
	((struct event_header *)(void *)to)->size = (uint16_t)size;
	for (size_t i = 0; i < layout->move_count; i++)
		move_field(&layout->moves[i], (const char *)event, to);
	if (tail_bytes > 0)
		memcpy(to + layout->to_tail, (const char *)event + layout->from_tail, tail_bytes);
	return true;
}

void layouts_translate(const struct layouts *layouts, const void *events, size_t size,
		       struct buffer *out, uint64_t *ret_dropped)
{
	const char *at = events;
	const char *end = at + size;

	while (at < end) {
		const struct event_header *event = (const void *)at;
		const struct layout *layout;

		if (!event_is_framed(event, (size_t)(end - at))) {
			(*ret_dropped)++;
			return;
		}
		at += event->size;
		if (!layouts_knows(layouts, event->kind))
			continue;
		layout = &layouts->kinds[event->kind];
		if (layout->action == LAYOUT_SAME)
			buffer_add(out, event, event->size);
		else if (event->size < layout->fixed_size || !rebuild(layout, event, out))
			(*ret_dropped)++;
	}
}
