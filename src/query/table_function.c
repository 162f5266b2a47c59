/* SPDX-License-Identifier: BSD-2-Clause */
/* function: what the calls of each traced function, or span of each name, took. */
#include "model/call_sums.h"
#include "query/internal.h"

enum {
	FUNCTION_ID = 0
}; /* the column that narrows a scan */

static size_t function_count(struct query *query)
{
	return call_name_count(query->model);
}

static int function_range(struct vtab_cursor *cursor)
{
	struct query *query = cursor->query;
	int err = 0;
	int64_t id;

	if (!query->call_sums) {
		query->call_sums = xcalloc(1, sizeof(*query->call_sums));
		err = call_sums_make(query->call_sums, query->model, &query->filter);
	}
	if (err) {
		call_sums_release(query->call_sums);
		free(query->call_sums);
		query->call_sums = NULL;
		return err;
	}
	if (vtab_scan_equal(&cursor->scan, FUNCTION_ID, &id)) {
		bool is_there = id >= 0 && (uint64_t)id < cursor->end;

		cursor->position = is_there ? (size_t)id : 0;
		cursor->end = is_there ? cursor->position + 1 : 0;
	}
	return 0;
}

/* The row is the name. What has no definition is shown only if it was called. */
static const void *function_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct query *query = cursor->query;
	const struct call_name *name = call_name_at(query->model, i);

	if (i == 0 && !query->call_sums->items[0].calls)
		return NULL;
	return call_name_is_taken(&query->filter, name) ? name : NULL;
}

static const struct call_sum *sum_of(const struct vtab_cursor *cursor)
{
	return &cursor->query->call_sums->items[((const struct call_name *)cursor->row)->index];
}

/* column->index: the member's offset in the sum. */
static void get_number(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const char *sum = (const char *)sum_of(cursor);

	sqlite3_result_int64(out, (int64_t) * (const uint64_t *)(sum + cursor->column->index));
}

static void get_time(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const char *sum = (const char *)sum_of(cursor);

	vtab_result_time(out, *(const uint64_t *)(sum + cursor->column->index));
}

static void get_average(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct call_sum *sum = sum_of(cursor);

	if (sum->calls)
		sqlite3_result_int64(out, (int64_t)(sum->total_ns / sum->calls));
}

static void get_threads(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, sum_of(cursor)->threads);
}

static void get_place(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	uint32_t flags = ((const struct call_name *)cursor->row)->flags;

	if (flags & (EVENT_NAME_CHEAP | EVENT_NAME_COSTLY))
		vtab_result_text(out, flags & EVENT_NAME_CHEAP ? "cheap" : "costly");
}

static void get_flag(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_bool(out,
			 ((const struct call_name *)cursor->row)->flags & cursor->column->index);
}

static void get_since(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_id(out, ((const struct call_name *)cursor->row)->counted.since_ns);
}

#define NAME(type, name_, member, help) VTAB_MEMBER(type, name_, struct call_name, member, 0, help)
#define GET(name_, get_, index_, help_)                                                            \
	{                                                                                          \
		.name = name_, .help = help_, .type = VTAB_GET, .get = get_, .index = index_       \
	}
#define SUM(member, help)      GET(#member, get_number, offsetof(struct call_sum, member), help)
#define SUM_TIME(member, help) GET(#member, get_time, offsetof(struct call_sum, member), help)

static const struct vtab_column function_columns[] = {
	[FUNCTION_ID] = VTAB_MEMBER(VTAB_NUMBER, "id", struct call_name, index,
				    VTAB_EQUAL | VTAB_UNIQUE, "number of the function"),
	NAME(VTAB_TEXT, "name", name, "the function, or what --span calls it"),
	NAME(VTAB_TEXT, "location", where, "binary:function"),
	SUM(calls, "all calls, counted ones included"),
	SUM(written, "those that were recorded one by one"),
	SUM(counted, "those that were only counted (--min-time, --max-rate)"),
	SUM(total_ns, "time inside it; calls of itself from inside are not counted twice"),
	SUM(self_ns, "without what was traced inside of it"),
	VTAB_COMPUTED("avg_ns", get_average, 0, "total_ns by the number of calls"),
	SUM_TIME(p50_ns, "half of the calls took at most this; NULL: not known, see counted"),
	SUM_TIME(p90_ns, "nine of ten"),
	SUM_TIME(p99_ns, "99 of 100"),
	SUM_TIME(max_ns, "the longest one that returned"),
	SUM(returned, "recorded ones whose return was seen"),
	SUM(returned_ns, "their lengths in all, whether or not inside another"),
	SUM(open, "that had not returned when their thread or the recording ended"),
	SUM(inferred,
	    "whose return was not seen (longjmp, exception, more than 64 inside each other, no probe there)"),
	SUM(inherited, "that the parent had begun before a fork"),
	VTAB_COMPUTED("threads", get_threads, 0,
		      "how many threads called it, as recorded one by one"),
	VTAB_COMPUTED(
		"place", get_place, 0,
		"cheap or costly: whether the kernel emulates the instruction under its probe"),
	GET("is_traced", get_flag, EVENT_NAME_TRACED, "1: by -F; 0: named by --span or a marker"),
	GET("is_entry_only", get_flag, EVENT_NAME_ENTRY_ONLY,
	    "1: no probe on its return: all ends are inferred"),
	GET("is_library", get_flag, EVENT_NAME_LIBRARY, "1: of a library"),
	VTAB_COMPUTED(
		"counted_from_ns", get_since, 0,
		"it was called too often (--max-rate): since then its calls were only counted"),
};

const struct vtab vtab_function = {
	.name = "function",
	.says = "what the calls of each traced function took",
	.columns = function_columns,
	.column_count = ARRAY_SIZE(function_columns),
	.count = function_count,
	.range = function_range,
	.at = function_at,
};
