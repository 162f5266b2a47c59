/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a statement into a table. */
#include <stdlib.h>
#include <string.h>

#include "query/internal.h"

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && !strcmp(name + n - m, end);
}

static bool is_count(const char *name)
{
	static const char *const counts[] = {"count",   "switches", "preemptions", "waits",
					     "samples", "runs",     "events",      "wakeups",
					     "frames",  "threads",  "times",       "calls"};

	return is_one_of(name, counts, ARRAY_SIZE(counts)) || ends_with(name, "_count");
}

enum table_column_kind query_column_kind(const char *name, int sqlite_type, bool plain)
{
	static const char *const moments[] = {"start_ns", "end_ns",  "wake_ns", "from_ns",
					      "to_ns",    "time_ns", "at_ns",   "counted_from_ns"};

	if (sqlite_type == SQLITE_TEXT || sqlite_type == SQLITE_BLOB)
		return COLUMN_TEXT;
	if (plain)
		return COLUMN_NUMBER;
	if (is_one_of(name, moments, ARRAY_SIZE(moments)))
		return COLUMN_TIME_NS;
	if (ends_with(name, "_ns"))
		return COLUMN_DURATION_NS;
	if (ends_with(name, "_bytes"))
		return COLUMN_BYTES;
	if (ends_with(name, "_share") || !strcmp(name, "share"))
		return COLUMN_PERCENT;
	if (ends_with(name, "_address"))
		return COLUMN_HEX;
	if (ends_with(name, "_bar") || !strcmp(name, "bar"))
		return COLUMN_BAR;
	if (is_count(name))
		return COLUMN_COUNT;
	return sqlite_type == SQLITE_NULL ? COLUMN_TEXT : COLUMN_NUMBER;
}

/* Bytes that are no text are shown as hexadecimal digits. */
static void add_blob(struct table *table, const uint8_t *bytes, int size)
{
	struct buffer text = {0};

	for (int i = 0; i < size; i++)
		buffer_printf(&text, "%02x", bytes[i]);
	table_add_text(table, text.data ? text.data : "");
	buffer_release(&text);
}

static void add_value(struct table *table, sqlite3_stmt *statement, int i)
{
	switch (sqlite3_column_type(statement, i)) {
	case SQLITE_INTEGER:
		table_add_number(table, sqlite3_column_int64(statement, i));
		break;
	case SQLITE_FLOAT:
		table_add_real(table, sqlite3_column_double(statement, i));
		break;
	case SQLITE_TEXT:
		table_add_text(table, (const char *)sqlite3_column_text(statement, i));
		break;
	case SQLITE_BLOB:
		add_blob(table, sqlite3_column_blob(statement, i),
			 sqlite3_column_bytes(statement, i));
		break;
	default:
		table_add_empty(table);
		break;
	}
}

static struct table *make_table(const struct query *query, sqlite3_stmt *statement,
				const struct query_print *options, bool has_row)
{
	unsigned int count = (unsigned int)sqlite3_column_count(statement);
	_cleanup_free_ struct table_column *columns = xcalloc(count, sizeof(*columns));
	struct table *table;

	for (unsigned int i = 0; i < count; i++) {
		int type = has_row ? sqlite3_column_type(statement, (int)i) : SQLITE_NULL;

		columns[i].name = sqlite3_column_name(statement, (int)i);
		columns[i].kind = query_column_kind(columns[i].name, type, options->plain);
	}
	table = table_new(options->out, options->format, columns, count);
	table_set_colour(table, options->colour);
	table_set_width(table, options->width);
	table_set_time_origin(table, model_start_ns(query->model));
	return table;
}

int query_print(struct query *query, sqlite3_stmt *statement, const struct query_print *options,
		uint64_t *ret_rows)
{
	int columns = sqlite3_column_count(statement);
	int more = query_step(query, statement);
	struct table *table;
	uint64_t rows = 0;

	if (more < 0)
		return more;
	table = make_table(query, statement, options, more > 0);
	for (; more > 0; more = query_step(query, statement), rows++) {
		for (int i = 0; i < columns && (!options->limit || rows < options->limit); i++)
			add_value(table, statement, i);
		if (options->on_row)
			options->on_row(options->context, statement);
	}
	table_finish(table);
	if (more == 0 && ret_rows)
		*ret_rows = rows;
	return more;
}
