/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table per kind of event, made from the event table (event/schema.h): a new kind needs nothing
 * here.
 *
 * The rows are the recording's events as they were written. Columns: time_ns, kind, then the
 * fields. Arrays of numbers become name_0, name_1, ...; tails of texts too; bytes and frames are
 * blobs.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "query/internal.h"

/* Look whether the user wants to stop after this many events that gave no row. */
#define EVENTS_BETWEEN_CHECKS 65536

struct event_cursor {
	struct vtab_cursor base;
	struct recording_cursor *recording;
	uint64_t rows_left; /* while only counting */
	bool is_counting;
};

static bool is_switch_kind(unsigned int kind)
{
	return kind == EVENT_SWITCH || kind == EVENT_WAKING || kind == EVENT_RESUME;
}

static unsigned int streams_of(unsigned int kind)
{
	if (kind == EVENT_CALL)
		return STREAM_BIT(STREAM_CALL);
	return is_switch_kind(kind) ? STREAM_BIT(STREAM_SWITCH)
				    : STREAM_BIT(STREAM_EVIDENCE) | STREAM_BIT(STREAM_TABLE);
}

/* Definitions have no time of their own: the filter's range does not concern them. */
static bool has_time(unsigned int kind)
{
	switch (kind) {
	case EVENT_STACK:
	case EVENT_FILE:
	case EVENT_SOCKET:
	case EVENT_THREAD:
	case EVENT_MAPPING:
	case EVENT_MODULE:
	case EVENT_FRAME:
	case EVENT_META:
	case EVENT_HOOK:
	case EVENT_KIND_INFO:
	case EVENT_FIELD_INFO:
	case EVENT_CGROUP:
		return false;
	default:
		return true;
	}
}

static uint64_t event_estimate(struct query *query, const struct vtab *table)
{
	return recording_info(model_recording(query->model))->event_count[table->kind];
}

/* count(*) of a whole recording is in its index; one that is damaged has to be read. */
static bool can_count(const struct query *query, const struct vtab_scan *scan)
{
	const struct recording_info *info = recording_info(model_recording(query->model));

	return scan->counts_only && filter_is_everything(&query->filter) && !info->is_torn &&
	       !info->damage[0];
}

static void event_stop(struct vtab_cursor *base)
{
	struct event_cursor *cursor = (struct event_cursor *)base;

	recording_cursor_free(cursor->recording);
	cursor->recording = NULL;
}

static int event_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct event_cursor *cursor = (struct event_cursor *)base;
	struct recording *recording = model_recording(base->query->model);
	unsigned int kind = base->table->kind;
	struct recording_range range = {.streams = streams_of(kind), .to_ns = UINT64_MAX};

	event_stop(base);
	cursor->is_counting = can_count(base->query, scan);
	if (cursor->is_counting) {
		cursor->rows_left = recording_info(recording)->event_count[kind];
		return 0;
	}
	if (has_time(kind)) {
		range.from_ns = base->query->filter.from_ns;
		range.to_ns = base->query->filter.to_ns;
		vtab_scan_range(scan, 0, &range.from_ns, &range.to_ns);
	}
	return recording_cursor_new(&cursor->recording, recording, &range);
}

/* True if the thread of any of the event's thread fields is let through. */
static bool event_is_of_thread(const struct query *query, const struct event_header *event)
{
	const struct event_schema *schema = event_schema(event->kind);
	bool has_thread = false;

	for (unsigned int i = 0; i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];
		const struct thread *thread;

		if (field->meaning != MEANING_TID)
			continue;
		has_thread = true;
		thread = model_thread_at(query->model, (uint32_t)event_field_value(event, field, 0),
					 event->time_ns);
		if (query_takes_thread(query, thread))
			return true;
	}
	return !has_thread;
}

static int event_next(struct vtab_cursor *base)
{
	struct event_cursor *cursor = (struct event_cursor *)base;
	unsigned int kind = base->table->kind;
	const struct event_header *event;
	int more;

	if (cursor->is_counting) {
		if (!cursor->rows_left)
			return 0;
		cursor->rows_left--;
		return 1;
	}
	for (uint64_t seen = 1;; seen++) {
		more = recording_cursor_next(cursor->recording, &event);
		if (more <= 0)
			return more;
		if (seen % EVENTS_BETWEEN_CHECKS == 0 && query_wants_stop(base->query))
			return -ECANCELED;
		if (event->kind != kind)
			continue;
		if (base->query->takes_thread && !event_is_of_thread(base->query, event))
			continue;
		base->row = event;
		return 1;
	}
}

/* ---- values ---- */

void vtab_result_field(sqlite3_context *out, const struct event_header *event,
		       const struct event_field *field, unsigned int index)
{
	const char *at = (const char *)event + field->offset;
	size_t bytes = (size_t)field->size * field->count;

	if (!field->size)
		bytes = event->size - field->offset;
	switch (field->meaning) {
	case MEANING_TEXT:
		sqlite3_result_text(out, at, (int)strnlen(at, bytes), SQLITE_TRANSIENT);
		break;
	case MEANING_TEXTS:
		vtab_result_copy(out, event_tail_text(event, at, index));
		break;
	case MEANING_BINARY:
	case MEANING_FRAMES:
		sqlite3_result_blob(out, at, (int)bytes, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_result_int64(out, event_field_value(event, field, index));
		break;
	}
}

static void get_kind(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, cursor->table->name + strlen("event_"));
}

/* ---- the description ---- */

/* How many columns a field becomes; texts_ as the names of a tail with two texts. */
static unsigned int field_columns(const struct event_field *field)
{
	switch (field->meaning) {
	case MEANING_RESERVED:
		return 0;
	case MEANING_TEXT:
	case MEANING_BINARY:
	case MEANING_FRAMES:
		return 1;
	case MEANING_TEXTS:
		return 2;
	default:
		return field->size ? field->count : 1;
	}
}

/* A field called kind makes way for the column that every event table has. */
static void add_field(struct query *query, struct vtab_column *columns, unsigned int *count,
		      const struct event_schema *schema, const struct event_field *field)
{
	unsigned int parts = field_columns(field);

	for (unsigned int i = 0; i < parts; i++) {
		_cleanup_free_ char *name = NULL;

		if (parts > 1)
			name = xasprintf("%s_%u", field->name, i);
		else if (!strcmp(field->name, "kind"))
			name = xasprintf("%s_kind", schema->name);
		else
			name = xstrdup(field->name);

		columns[(*count)++] = (struct vtab_column){
			.name = arena_strdup(&query->arena, name),
			.help = field->help,
			.type = VTAB_FIELD,
			.field = field,
			.index = i,
		};
	}
}

const struct vtab *query_event_table(struct query *query, unsigned int kind)
{
	const struct event_schema *schema = event_schema(kind);
	struct vtab *table = arena_alloc(&query->arena, sizeof(*table));
	_cleanup_free_ char *name = xasprintf("event_%s", schema->name);
	struct vtab_column *columns;
	unsigned int count = 2;

	for (unsigned int i = 0; i < schema->field_count; i++)
		count += field_columns(&schema->fields[i]);
	columns = arena_alloc(&query->arena, count * sizeof(*columns));
	columns[0] = (struct vtab_column)VTAB_MEMBER(VTAB_NUMBER, "time_ns", struct event_header,
						     time_ns, VTAB_RANGE, "when it happened");
	columns[1] = (struct vtab_column)VTAB_COMPUTED("kind", get_kind, 0, "name of the kind");
	count = 2;
	for (unsigned int i = 0; i < schema->field_count; i++)
		add_field(query, columns, &count, schema, &schema->fields[i]);
	*table = (struct vtab){
		.name = arena_strdup(&query->arena, name),
		.says = schema->says,
		.columns = columns,
		.column_count = count,
		.kind = kind,
		.cursor_bytes = sizeof(struct event_cursor),
		.estimate = event_estimate,
		.start = event_start,
		.next = event_next,
		.stop = event_stop,
	};
	return table;
}

/* ---- switch: the switch events with names ---- */

static void get_switch_comm(const struct vtab_cursor *cursor, sqlite3_context *out, uint32_t tid)
{
	const struct event_switch *event = cursor->row;
	const struct thread *thread =
		model_thread_at(cursor->query->model, tid, event->header.time_ns);

	vtab_result_text(out, thread ? thread->comm : NULL);
}

static void get_prev_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_switch_comm(cursor, out, ((const struct event_switch *)cursor->row)->prev_tid);
}

static void get_next_comm(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_switch_comm(cursor, out, ((const struct event_switch *)cursor->row)->next_tid);
}

static void get_prev_state_text(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, state_word(((const struct event_switch *)cursor->row)->prev_state));
}

static void get_prev_syscall(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	int number = ((const struct event_switch *)cursor->row)->prev_syscall;

	if (number >= 0)
		vtab_result_text(out, model_syscall_name(number));
}

#define SWITCH(member, help) VTAB_MEMBER(VTAB_NUMBER, #member, struct event_switch, member, 0, help)

static const struct vtab_column switch_columns[] = {
	VTAB_MEMBER(VTAB_NUMBER, "time_ns", struct event_switch, header.time_ns, VTAB_RANGE,
		    "when"),
	SWITCH(cpu, "the CPU"),
	SWITCH(prev_tid, "thread that left it; 0 is the idle task"),
	SWITCH(next_tid, "thread that took it; 0 is the idle task"),
	SWITCH(prev_state, "task state of the one that left; 0 is runnable: preempted or yielded"),
	SWITCH(next_prio,
	       "kernel priority of the one that came: 0 to 99 real time, 100 to 139 fair"),
	SWITCH(flags, "1 it had called sched_yield, 2 its CPU quota was spent"),
	VTAB_COMPUTED(
		"prev_syscall", get_prev_syscall, 0,
		"system call that the one that left blocked in; NULL: none, or it was runnable"),
	VTAB_COMPUTED("prev_comm", get_prev_comm, 0, "name of the thread that left"),
	VTAB_COMPUTED("next_comm", get_next_comm, 0, "name of the thread that came"),
	VTAB_COMPUTED("prev_state_text", get_prev_state_text, 0, "the state as a word"),
};

const struct vtab vtab_switch = {
	.name = "switch",
	.says = "each time a CPU went from one thread to another",
	.columns = switch_columns,
	.column_count = ARRAY_SIZE(switch_columns),
	.kind = EVENT_SWITCH,
	.cursor_bytes = sizeof(struct event_cursor),
	.estimate = event_estimate,
	.start = event_start,
	.next = event_next,
	.stop = event_stop,
};
