/* SPDX-License-Identifier: BSD-2-Clause */
/* span: calls of functions that the user named. */
#include "query/internal.h"

enum {
	SPAN_ID = 0,
	SPAN_START = 4,
}; /* columns that narrow a scan */

static size_t span_count(struct query *query)
{
	return model_span_count(query->model);
}

static const void *span_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct span *span = model_span(query->model, i);

	return query_takes_thread(query, span->thread) &&
			       query_takes_time(query, span->start_ns, span->end_ns)
		       ? span
		       : NULL;
}

/* The first span that starts at TIME_NS or later. */
static size_t first_from(struct query *query, uint64_t time_ns)
{
	size_t low = 0, high = model_span_count(query->model);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model_span(query->model, middle)->start_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int span_range(struct vtab_cursor *cursor)
{
	uint64_t from_ns = 0, to_ns = cursor->query->filter.to_ns;
	int64_t id;

	if (vtab_scan_equal(&cursor->scan, SPAN_ID, &id)) {
		bool is_there = id >= 0 && (uint64_t)id < cursor->end;

		cursor->position = is_there ? (size_t)id : 0;
		cursor->end = is_there ? cursor->position + 1 : 0;
		return 0;
	}
	vtab_scan_range(&cursor->scan, SPAN_START, &from_ns, &to_ns);
	cursor->position = first_from(cursor->query, from_ns);
	if (to_ns != UINT64_MAX)
		cursor->end = first_from(cursor->query, to_ns + 1);
	return 0;
}

static const struct span *span_of(const struct vtab_cursor *cursor)
{
	return cursor->row;
}

static void get_duration(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)(span_of(cursor)->end_ns - span_of(cursor)->start_ns));
}

static void get_returned(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, span_of(cursor)->flags == 0);
}

static void get_open(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, span_of(cursor)->flags & EVENT_SPAN_OPEN);
}

static void get_broken(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, span_of(cursor)->flags & EVENT_SPAN_BROKEN);
}

#define SPAN(type, member, uses, help) VTAB_MEMBER(type, #member, struct span, member, uses, help)
#define OF_THREAD(type, name, member, help)                                                        \
	VTAB_BEHIND(type, name, struct span, thread, struct thread, member, help)

static const struct vtab_column span_columns[] = {
	[SPAN_ID] = SPAN(VTAB_NUMBER, id, VTAB_EQUAL | VTAB_UNIQUE,
			 "number of the span, in the order of their starts"),
	OF_THREAD(VTAB_NUMBER, "tid", tid, "the thread that called it"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct span, thread, pid, "its process"),
	SPAN(VTAB_TEXT, name, 0, "what --span calls it"),
	[SPAN_START] = SPAN(VTAB_NUMBER, start_ns, VTAB_RANGE, "when the function was called"),
	VTAB_COMPUTED("duration_ns", get_duration, 0, "from start to end"),
	SPAN(VTAB_NUMBER, depth, 0, "how many spans are around it; 0 is the outermost"),
	VTAB_MEMBER(VTAB_KNOWN, "parent_id", struct span, parent, 0, "the span right around it"),
	SPAN(VTAB_NUMBER, end_ns, 0, "when it returned, or was seen last"),
	OF_THREAD(VTAB_TEXT, "comm", comm, "the thread's name"),
	SPAN(VTAB_TEXT, function, 0, "binary:function"),
	VTAB_COMPUTED("returned", get_returned, 0, "0: its end is not known, see the next two"),
	VTAB_COMPUTED("open", get_open, 0,
		      "1: it had not returned when its thread or the recording ended"),
	VTAB_COMPUTED("broken", get_broken, 0,
		      "1: it was left by longjmp or an exception, some time before end_ns"),
	OF_THREAD(VTAB_NUMBER, "thread_id", index, "number of the thread, as in the table thread"),
};

const struct vtab vtab_span = {
	.name = "span",
	.says = "calls of functions that --span named, from call to return",
	.columns = span_columns,
	.column_count = ARRAY_SIZE(span_columns),
	.count = span_count,
	.range = span_range,
	.at = span_at,
};
