/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of rows, filled once and printed as aligned text, as JSON (one object a line) or as CSV.
 * Text is buffered (up to 10,000 rows), because column widths depend on the rows; JSON and CSV
 * stream.
 *
 * Text cells come from anywhere: control characters are printed as \x1b in text, and JSON and CSV
 * are always valid UTF-8. CSV is quoted as RFC 4180 says; its lines end in \n alone, as Unix tools
 * expect.
 */
#ifndef DASHCAM_BASE_TABLE_H
#define DASHCAM_BASE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum table_format {
	TABLE_TEXT,
	TABLE_JSON,
	TABLE_CSV
};

/* How a column's values are shown as text; JSON and CSV always have the plain number or string. */
enum table_column_kind {
	COLUMN_TEXT,        /* left-aligned */
	COLUMN_NUMBER,      /* right-aligned, as it is: ids */
	COLUMN_COUNT,       /* right-aligned, 12,345 */
	COLUMN_DURATION_NS, /* right-aligned, 1.23 ms */
	COLUMN_TIME_NS,     /* right-aligned, seconds since the table's origin: 1.234567 */
	COLUMN_BYTES,       /* right-aligned, 1.23 MB */
	COLUMN_PERCENT,     /* right-aligned, of a ratio 0..1: 12.3 % */
	COLUMN_HEX,         /* right-aligned, 0x1f */
	COLUMN_BAR,         /* left-aligned, a bar for a ratio 0..1 */
};

struct table_column {
	const char *name; /* key in JSON, heading in CSV and (with _ns dropped) in text */
	enum table_column_kind kind;
};

struct table;

/* COLUMNS is copied. COLOUR: bold headings (only if OUT is a terminal, which the caller decides).
 * TIME_ORIGIN_NS is subtracted from COLUMN_TIME_NS values in text. WIDTH: text columns, the last
 * one first, are cut so that lines fit (0: never); if that is not enough, the last columns of
 * numbers are left out, and named below the table. The caller frees with table_finish. */
struct table *table_new(FILE *out, enum table_format format, const struct table_column *columns,
			unsigned int column_count);
void table_set_width(struct table *table, unsigned int width);
void table_set_colour(struct table *table, bool colour);
void table_set_time_origin(struct table *table, uint64_t time_origin_ns);

/* The next cell of the current row; a row ends by itself after its last column. */
void table_add_text(struct table *table, const char *text); /* copied; NULL is an empty cell */
void table_add_number(struct table *table, int64_t value);
void table_add_real(struct table *table, double value);
void table_add_empty(struct table *table); /* nothing known: "-" in text, null in JSON */

uint64_t table_rows(const struct table *table);

/* Prints what is pending and frees the table. */
void table_finish(struct table *table);

#endif
