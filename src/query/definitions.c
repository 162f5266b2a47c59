/* SPDX-License-Identifier: BSD-2-Clause */
/* Which stacks, files and sockets a recording defines: one pass over its tables, when first asked
 * for. */
#include <stdlib.h>

#include "event/schema.h"
#include "query/internal.h"

static struct id_list *list_of(struct query *query, unsigned int kind)
{
	switch (kind) {
	case EVENT_STACK:
		return &query->stack_ids;
	case EVENT_FILE:
		return &query->file_ids;
	case EVENT_SOCKET:
		return &query->socket_ids;
	default:
		return NULL;
	}
}

static void add_definition(struct query *query, const struct event_header *event)
{
	struct id_list *list = list_of(query, event->kind);

	if (!list)
		return;
	array_reserve((void **)&list->ids, &list->capacity, list->count + 1, sizeof(*list->ids));
	list->ids[list->count++] =
		(uint64_t)event_field_value(event, event_field_find(event->kind, "id"), 0);
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The same id is defined more than once: before the log could overwrite it, it was written again.
 */
static void sort_and_thin(struct id_list *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
	for (size_t i = 0; i < list->count; i++) {
		if (!kept || list->ids[kept - 1] != list->ids[i])
			list->ids[kept++] = list->ids[i];
	}
	list->count = kept;
}

static int read_definitions(struct query *query)
{
	struct recording_range range = {.streams = STREAM_BIT(STREAM_TABLE), .to_ns = UINT64_MAX};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int more = recording_cursor_new(&cursor, model_recording(query->model), &range);

	if (more)
		return more;
	while ((more = recording_cursor_next(cursor, &event)) > 0)
		add_definition(query, event);
	recording_cursor_free(cursor);
	sort_and_thin(&query->stack_ids);
	sort_and_thin(&query->file_ids);
	sort_and_thin(&query->socket_ids);
	return more;
}

int query_defined(struct query *query, unsigned int kind, const struct id_list **ret)
{
	int err = query->has_definitions ? 0 : read_definitions(query);

	if (err)
		return err;
	query->has_definitions = true;
	*ret = list_of(query, kind);
	return 0;
}
