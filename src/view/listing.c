/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/listing.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"

static void print_line(sqlite3_stmt *statement, const struct listing_options *options,
		       struct buffer *line, FILE *out)
{
	const char *text = (const char *)sqlite3_column_text(statement, 2);
	char duration[UNITS_TEXT_SIZE] = "";

	if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
		format_ns(duration, (uint64_t)sqlite3_column_int64(statement, 0));
	buffer_clear(line);
	buffer_printf(line, "%10s  %7" PRId64 "  ", duration,
		      (int64_t)sqlite3_column_int64(statement, 1));
	utf8_add_escaped(line, text ? text : "");
	if (options->width && utf8_columns(line->data) > options->width)
		fprintf(out, "%.*s\u2026\n", (int)utf8_fit(line->data, options->width - 1),
			line->data);
	else
		fprintf(out, "%s\n", line->data);
}

int listing_print(struct query *query, sqlite3_stmt *statement,
		  const struct listing_options *options, FILE *out, uint64_t *ret_rows)
{
	struct buffer line = {0};
	uint64_t rows = 0;
	int more;

	fprintf(out, "%s%10s  %7s  %s%s\n", options->colour ? "\033[1m" : "", "DURATION", "TID",
		"FUNCTION", options->colour ? "\033[0m" : "");
	while ((more = query_step(query, statement)) > 0) {
		if (options->limit && rows++ == options->limit)
			break;
		print_line(statement, options, &line, out);
	}
	buffer_release(&line);
	*ret_rows = rows;
	return more < 0 ? more : 0;
}
