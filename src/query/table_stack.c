/* SPDX-License-Identifier: BSD-2-Clause */
/* stack, frame: what stack ids stand for; and folded texts of stacks. */
#include <string.h>

#include "query/internal.h"

/* ---- folded text ---- */

/* The separator inside a name would make two names of it. */
static void add_name(struct buffer *text, const char *name)
{
	size_t from = text->size;

	if (text->size)
		buffer_add(text, ";", 1), from++;
	buffer_add(text, name, strlen(name));
	for (; from < text->size; from++) {
		if (text->data[from] == ';')
			text->data[from] = ':';
	}
}

static void fold(struct buffer *text, const struct stack *stack)
{
	uint32_t skip = model_stack_skip(stack);

	if (stack->flags & EVENT_STACK_TRUNCATED)
		add_name(text, "[deeper than recorded]");
	else if (stack->flags & (EVENT_STACK_BROKEN | EVENT_STACK_SKIPPED))
		add_name(text, "[callers not found]");
	/* A stack of nothing but the scheduler still has to be something. */
	if (skip >= stack->place_count)
		skip = stack->place_count ? stack->place_count - 1 : 0;
	for (uint32_t i = stack->place_count; i-- > skip;)
		add_name(text, stack->places[i]->function);
}

const char *query_stack_text(struct query *query, uint64_t id)
{
	uint64_t *known = map64_get(&query->stack_texts, id);
	const struct stack *stack;
	struct buffer text = {0};
	const char *kept;

	if (known)
		return (const char *)(uintptr_t)*known;
	stack = id ? model_stack(query->model, id) : NULL;
	if (!stack)
		return NULL;
	fold(&text, stack);
	kept = arena_strdup(&query->arena, text.data ? text.data : "");
	buffer_release(&text);
	map64_put(&query->stack_texts, id, (uintptr_t)kept);
	return kept;
}

/* ---- the tables ---- */

struct stack_row {
	uint64_t stack_id; /* as asked for: ids with the same frames share a stack */
	const struct stack *stack;
	uint32_t depth;
	bool is_skipped;
	const struct place *place;
};

/* Walks stacks and, for the table frame, their places. */
struct stack_cursor {
	struct vtab_cursor base;
	const struct id_list *list;
	size_t at;          /* the next stack */
	struct id_list one; /* of a statement that asks for one stack */
	uint64_t one_id;
	uint32_t skip;
	struct stack_row row;
};

/* Both tables have the id as their first column. */
static int stack_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct stack_cursor *cursor = (struct stack_cursor *)base;
	int64_t id;

	cursor->at = 0;
	cursor->row = (struct stack_row){0};
	if (!vtab_scan_equal(scan, 0, &id))
		return query_defined(base->query, EVENT_STACK, &cursor->list);
	cursor->one_id = (uint64_t)id;
	cursor->one = (struct id_list){.ids = &cursor->one_id, .count = 1};
	cursor->list = &cursor->one;
	return 0;
}

static int stack_next(struct vtab_cursor *base)
{
	struct stack_cursor *cursor = (struct stack_cursor *)base;
	struct stack_row *row = &cursor->row;

	while (cursor->at < cursor->list->count) {
		row->stack_id = cursor->list->ids[cursor->at++];
		row->stack = model_stack(base->query->model, row->stack_id);
		if (!row->stack)
			continue;
		cursor->skip = model_stack_skip(row->stack);
		base->row = row;
		return 1;
	}
	return 0;
}

static int frame_next(struct vtab_cursor *base)
{
	struct stack_cursor *cursor = (struct stack_cursor *)base;
	struct stack_row *row = &cursor->row;

	row->depth++;
	while (!row->stack || row->depth >= row->stack->place_count) {
		int more = stack_next(base);

		if (more <= 0)
			return more;
		row->depth = 0;
	}
	row->place = row->stack->places[row->depth];
	row->is_skipped = row->depth < cursor->skip;
	return 1;
}

static uint64_t stack_estimate(struct query *query, const struct vtab *table)
{
	const struct recording_info *info = recording_info(model_recording(query->model));

	return info->event_count[EVENT_STACK] * (table == &vtab_frame ? 20 : 1);
}

static void get_stack_text(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct stack_row *row = cursor->row;

	vtab_result_text(out, query_stack_text(cursor->query, row->stack_id));
}

static void get_stack_flag(const struct vtab_cursor *cursor, sqlite3_context *out, uint16_t flag)
{
	vtab_result_bool(out, ((const struct stack_row *)cursor->row)->stack->flags & flag);
}

static void get_is_user(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_stack_flag(cursor, out, EVENT_STACK_USER);
}

static void get_is_whole(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	uint16_t flags = ((const struct stack_row *)cursor->row)->stack->flags;

	vtab_result_bool(out, !(flags & (EVENT_STACK_TRUNCATED | EVENT_STACK_BROKEN |
					 EVENT_STACK_POINTERS | EVENT_STACK_SKIPPED)));
}

static void get_file(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct place *place = ((const struct stack_row *)cursor->row)->place;

	vtab_result_text(out, place->file[0] ? place->file : NULL);
}

#define OF_STACK(type, name, member, help)                                                         \
	VTAB_BEHIND(type, name, struct stack_row, stack, struct stack, member, help)
#define OF_PLACE(type, member, help)                                                               \
	VTAB_BEHIND(type, #member, struct stack_row, place, struct place, member, help)

static const struct vtab_column stack_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "id", struct stack_row, stack_id, VTAB_EQUAL | VTAB_UNIQUE,
		    "the id that waits and samples carry"),
	OF_STACK(VTAB_NUMBER, "frames", place_count, "number of frames, inlined calls included"),
	VTAB_COMPUTED("is_user", get_is_user, 0, "1: user frames, 0: kernel frames"),
	VTAB_COMPUTED("is_whole", get_is_whole, 0, "0: outer frames, or some callers, are missing"),
	OF_STACK(VTAB_NUMBER, "flags", flags,
		 "1 user, 2 truncated, 4 broken, 8 walked by frame pointers, 16 not unwound"),
	VTAB_COMPUTED("text", get_stack_text, 0, "as stack(id): folded, outermost first"),
};

const struct vtab vtab_stack = {
	.name = "stack",
	.says = "stacks",
	.columns = stack_columns,
	.column_count = ARRAY_SIZE(stack_columns),
	.cursor_bytes = sizeof(struct stack_cursor),
	.estimate = stack_estimate,
	.start = stack_start,
	.next = stack_next,
};

static const struct vtab_column frame_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "stack_id", struct stack_row, stack_id, VTAB_EQUAL, "the stack"),
	VTAB_MEMBER(VTAB_NUMBER, "depth", struct stack_row, depth, 0, "0 is the innermost"),
	OF_PLACE(VTAB_TEXT, function, "name, or module+offset where no symbol covers the address"),
	OF_PLACE(VTAB_NUMBER, offset, "bytes from the function's start"),
	OF_PLACE(VTAB_TEXT, module, "file it is in, kernel"),
	VTAB_COMPUTED("file", get_file, 0, "source file, where known"),
	OF_PLACE(VTAB_ID, line, "source line, where known"),
	OF_PLACE(VTAB_TEXT, module_path, "path of the module"),
	OF_PLACE(VTAB_NUMBER, is_inlined, "1: an inlined call inside the next frame"),
	OF_PLACE(VTAB_NUMBER, is_unnamed, "1: no symbol covers the address"),
	OF_PLACE(VTAB_NUMBER, is_kernel, "1: kernel code"),
	VTAB_MEMBER(VTAB_NUMBER, "is_skipped", struct stack_row, is_skipped, 0,
		    "1: scheduler or recorder on top of a wait: stack(id) leaves it out"),
};

const struct vtab vtab_frame = {
	.name = "frame",
	.says = "frames of the stacks, innermost first",
	.columns = frame_columns,
	.column_count = ARRAY_SIZE(frame_columns),
	.cursor_bytes = sizeof(struct stack_cursor),
	.estimate = stack_estimate,
	.start = stack_start,
	.next = frame_next,
};
