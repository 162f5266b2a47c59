/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/list.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "view/words.h"
#include "view/wrap.h"

#define LABEL_WIDTH 16
#define INDENT      2

/* "ran_instead" -> "ran instead", "blocked_ns" -> "blocked" */
static void add_label(struct buffer *buffer, const char *name)
{
	size_t length = strlen(name);

	if (length > 3 && !strcmp(name + length - 3, "_ns"))
		length -= 3;
	for (size_t i = 0; i < length; i++)
		buffer_add(buffer, name[i] == '_' ? " " : &name[i], 1);
}

static void add_number(struct buffer *buffer, enum table_column_kind kind, int64_t value,
		       uint64_t time_origin_ns)
{
	char text[UNITS_TEXT_SIZE];
	uint64_t size = value < 0 ? 0 : (uint64_t)value;

	switch (kind) {
	case COLUMN_DURATION_NS:
		buffer_printf(buffer, "%s", format_ns(text, size));
		break;
	case COLUMN_TIME_NS:
		buffer_printf(buffer, "%.6f s", (double)(value - (int64_t)time_origin_ns) / 1e9);
		break;
	case COLUMN_COUNT:
		buffer_printf(buffer, "%s", format_count(text, size));
		break;
	case COLUMN_HEX:
		buffer_printf(buffer, "0x%" PRIx64, (uint64_t)value);
		break;
	default:
		buffer_printf(buffer, "%" PRId64, value);
		break;
	}
}

/* The value as harmless text; empty if there is none. */
static void add_value(struct buffer *buffer, sqlite3_stmt *statement, int column,
		      const struct list_options *options)
{
	int type = sqlite3_column_type(statement, column);
	enum table_column_kind kind =
		query_column_kind(sqlite3_column_name(statement, column), type, false);

	if (type == SQLITE_INTEGER)
		add_number(buffer, kind, sqlite3_column_int64(statement, column),
			   options->time_origin_ns);
	else if (type != SQLITE_NULL && sqlite3_column_text(statement, column))
		utf8_add_escaped(buffer, (const char *)sqlite3_column_text(statement, column));
}

static void print_item(sqlite3_stmt *statement, const struct list_options *options, FILE *out)
{
	struct buffer text = {0}, label = {0};

	add_value(&text, statement, 0, options);
	fprintf(out, "%s%s%s\n", options->colour ? "\033[1m" : "", text.size ? text.data : "-",
		options->colour ? "\033[0m" : "");
	for (int i = 1; i < sqlite3_column_count(statement); i++) {
		if (words_have(options->hide, sqlite3_column_name(statement, i)))
			continue;
		buffer_clear(&text);
		add_value(&text, statement, i, options);
		if (!text.size)
			continue;
		buffer_clear(&label);
		add_label(&label, sqlite3_column_name(statement, i));
		fprintf(out, "%*s%-*s", INDENT, "", LABEL_WIDTH, label.data);
		wrap_print(text.data, INDENT + LABEL_WIDTH, options->width, out);
	}
	buffer_release(&label);
	buffer_release(&text);
}

int list_print(struct query *query, sqlite3_stmt *statement, const struct list_options *options,
	       FILE *out, uint64_t *ret_rows)
{
	uint64_t rows = 0;
	int more;

	for (; (more = query_step(query, statement)) > 0; rows++) {
		if (!options->limit || rows < options->limit)
			print_item(statement, options, out);
	}
	*ret_rows = rows;
	return more;
}
