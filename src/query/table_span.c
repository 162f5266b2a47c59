/* SPDX-License-Identifier: BSD-2-Clause */
/* span: calls of functions that the user named or had traced. */
#include "query/internal.h"

enum {
	SPAN_ID = 0,
	SPAN_START = 4,
}; /* columns that narrow a scan */

struct span_cursor {
	struct vtab_cursor base;
	struct span span; /* the current one */
	bool *takes_name; /* by the name's index; NULL: all */
	size_t at;
	size_t end;
};

static uint64_t span_estimate(struct query *query, const struct vtab *table)
{
	const struct recording_info *info = recording_info(model_recording(query->model));

	(void)table;
	return info->event_count[EVENT_CALL] + info->event_count[EVENT_SPAN];
}

/* The first span that starts at TIME_NS or later. */
static size_t first_from(const struct model *model, uint64_t time_ns)
{
	size_t low = 0, high = model_span_count(model);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model_span(model, middle).start_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void span_stop(struct vtab_cursor *base)
{
	struct span_cursor *cursor = (struct span_cursor *)base;

	free(cursor->takes_name);
	cursor->takes_name = NULL;
}

static void choose_names(struct span_cursor *cursor, const struct query *query)
{
	size_t count = call_name_count(query->model);

	span_stop(&cursor->base);
	if (!filter_limits_calls(&query->filter))
		return;
	cursor->takes_name = xcalloc(count, sizeof(bool));
	for (size_t i = 0; i < count; i++)
		cursor->takes_name[i] =
			call_name_is_taken(&query->filter, call_name_at(query->model, i));
}

static int span_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct span_cursor *cursor = (struct span_cursor *)base;
	struct model *model = base->query->model;
	uint64_t from_ns = 0, to_ns = base->query->filter.to_ns;
	int err = model_read_spans(model);
	int64_t id;

	if (err)
		return err;
	choose_names(cursor, base->query);
	cursor->end = model_span_count(model);
	if (vtab_scan_equal(scan, SPAN_ID, &id)) {
		bool is_there = id >= 0 && (uint64_t)id < cursor->end;

		cursor->at = is_there ? (size_t)id : 0;
		cursor->end = is_there ? cursor->at + 1 : 0;
		return 0;
	}
	vtab_scan_range(scan, SPAN_START, &from_ns, &to_ns);
	cursor->at = first_from(model, from_ns);
	if (to_ns != UINT64_MAX)
		cursor->end = first_from(model, to_ns + 1);
	return 0;
}

static bool takes(const struct span_cursor *cursor)
{
	const struct query *query = cursor->base.query;
	const struct span *span = &cursor->span;

	return query_takes_thread(query, span->thread) &&
	       query_takes_time(query, span->start_ns, span->end_ns) &&
	       (!cursor->takes_name || cursor->takes_name[span->of->index]) &&
	       (!query->filter.call_depth || span->depth < query->filter.call_depth);
}

static int span_next(struct vtab_cursor *base)
{
	struct span_cursor *cursor = (struct span_cursor *)base;

	while (cursor->at < cursor->end) {
		cursor->span = model_span(base->query->model, cursor->at++);
		if (takes(cursor)) {
			base->row = &cursor->span;
			return 1;
		}
	}
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
	vtab_result_bool(out, !(span_of(cursor)->flags &
				(EVENT_SPAN_OPEN | EVENT_SPAN_BROKEN | EVENT_SPAN_INHERITED)));
}

static void get_flag(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out, span_of(cursor)->flags & cursor->column->index);
}

#define SPAN(type, member, uses, help) VTAB_MEMBER(type, #member, struct span, member, uses, help)
#define SPAN_FLAG(name_, flag, help_)                                                              \
	{                                                                                          \
		.name = name_, .help = help_, .type = VTAB_GET, .get = get_flag, .index = flag     \
	}
#define OF_THREAD(type, name, member, help)                                                        \
	VTAB_BEHIND(type, name, struct span, thread, struct thread, member, help)

static const struct vtab_column span_columns[] = {
	[SPAN_ID] = SPAN(VTAB_NUMBER, id, VTAB_EQUAL | VTAB_UNIQUE,
			 "number of the span, in the order of their starts"),
	OF_THREAD(VTAB_NUMBER, "tid", tid, "the thread that called it"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct span, thread, pid, "its process"),
	SPAN(VTAB_TEXT, name, 0, "the function, or what --span calls it"),
	[SPAN_START] = SPAN(VTAB_NUMBER, start_ns, VTAB_RANGE, "when the function was called"),
	VTAB_COMPUTED("duration_ns", get_duration, 0, "from start to end"),
	SPAN(VTAB_NUMBER, depth, 0, "how many spans are around it; 0 is the outermost"),
	VTAB_MEMBER(VTAB_KNOWN, "parent_id", struct span, parent, 0, "the span right around it"),
	SPAN(VTAB_NUMBER, end_ns, 0, "when it returned, or was seen last"),
	OF_THREAD(VTAB_TEXT, "comm", comm, "the thread's name"),
	SPAN(VTAB_TEXT, function, 0, "binary:function"),
	VTAB_COMPUTED("returned", get_returned, 0,
		      "0: its end or start is not known, see the next"),
	SPAN_FLAG("open", EVENT_SPAN_OPEN,
		  "1: it had not returned when its thread or the recording ended"),
	SPAN_FLAG(
		"broken", EVENT_SPAN_BROKEN,
		"1: its return was not seen (longjmp, an exception, no probe there): it ended some "
		"time before end_ns"),
	OF_THREAD(VTAB_NUMBER, "thread_id", index, "number of the thread, as in the table thread"),
	VTAB_BEHIND(VTAB_NUMBER, "function_id", struct span, of, struct call_name, index,
		    "number of the function, as in the table function"),
	SPAN_FLAG("inherited", EVENT_SPAN_INHERITED,
		  "1: called by the parent, before the thread was forked"),
};

const struct vtab vtab_span = {
	.name = "span",
	.says = "calls of functions that --span named or -F traced, from call to return",
	.columns = span_columns,
	.column_count = ARRAY_SIZE(span_columns),
	.cursor_bytes = sizeof(struct span_cursor),
	.estimate = span_estimate,
	.start = span_start,
	.next = span_next,
	.stop = span_stop,
};
