/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"

#define COLUMN_GAP        2
#define BAR_COLUMNS       24
#define CUT_COLUMNS_MIN   12 /* a text column is not cut below this */
#define SHOWN_COLUMNS_MIN 3
/* Rows are printed in blocks of this many, so that memory does not grow with the table. Widths only
 * grow from one block to the next; a table that fits one block is aligned throughout. */
#define BLOCK_ROWS        10000

struct table {
	FILE *out;
	enum table_format format;
	struct table_column *columns; /* names belong to the table */
	unsigned int column_count;
	unsigned int shown_count; /* columns that fit the width; known with the first block */
	unsigned int at;          /* column of the next cell */
	uint64_t rows;
	bool colour;
	bool heading_done;
	unsigned int width;
	uint64_t time_origin_ns;
	unsigned int *widths; /* of the columns, so far */
	struct buffer block;  /* cells not printed yet, each with a NUL behind */
	uint64_t block_rows;
	struct buffer scratch; /* the text of one cell */
};

/* "blocked_ns" -> "blocked", "on_cpu_ns" -> "on cpu" */
static void add_heading(struct buffer *buffer, const char *name)
{
	size_t n = strlen(name);
	size_t from = buffer->size;

	if (n > 3 && !strcmp(name + n - 3, "_ns"))
		n -= 3;
	buffer_add(buffer, name, n);
	for (size_t i = from; i < buffer->size; i++) {
		if (buffer->data[i] == '_')
			buffer->data[i] = ' ';
	}
}

static unsigned int heading_columns(const char *name)
{
	struct buffer text = {0};
	unsigned int columns;

	add_heading(&text, name);
	columns = text.size ? utf8_columns(text.data) : 0;
	buffer_release(&text);
	return columns;
}

static void write_csv_text(FILE *out, const char *text)
{
	if (*text && !strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void write_json_text(FILE *out, const char *text)
{
	json_t *json = json_string(text);

	if (json)
		json_dumpf(json, out, JSON_ENCODE_ANY);
	else
		fputs("null", out);
	json_decref(json);
}

struct table *table_new(FILE *out, enum table_format format, const struct table_column *columns,
			unsigned int column_count)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->out = out;
	table->format = format;
	table->columns = xcalloc(column_count, sizeof(*columns));
	table->column_count = table->shown_count = column_count;
	table->widths = xcalloc(column_count, sizeof(*table->widths));
	for (unsigned int i = 0; i < column_count; i++) {
		struct buffer name = {0};

		utf8_add_repaired(&name, columns[i].name);
		table->columns[i].name = name.data ? name.data : xstrdup("");
		table->columns[i].kind = columns[i].kind;
		table->widths[i] = heading_columns(table->columns[i].name);
	}
	return table;
}

void table_set_width(struct table *table, unsigned int width)
{
	table->width = width;
}

void table_set_colour(struct table *table, bool colour)
{
	table->colour = colour;
}

void table_set_time_origin(struct table *table, uint64_t time_origin_ns)
{
	table->time_origin_ns = time_origin_ns;
}

static bool is_left_aligned(const struct table_column *column)
{
	return column->kind == COLUMN_TEXT || column->kind == COLUMN_BAR;
}

/* The last columns of numbers that do not fit, however far texts are cut, are left out. */
static unsigned int count_that_fit(const struct table *table)
{
	unsigned int total = 0, count = table->column_count;

	for (unsigned int i = 0; i < count; i++) {
		bool can_cut =
			table->columns[i].kind == COLUMN_TEXT && table->widths[i] > CUT_COLUMNS_MIN;

		total += (can_cut ? CUT_COLUMNS_MIN : table->widths[i]) + (i ? COLUMN_GAP : 0);
	}
	while (count > SHOWN_COLUMNS_MIN && total > table->width &&
	       table->columns[count - 1].kind != COLUMN_TEXT)
		total -= table->widths[--count] + COLUMN_GAP;
	return count;
}

/* Takes away what is too much for the terminal from text columns, the last one first. Numbers are
 * never cut: if leaving out columns was not enough, the terminal has to wrap. */
static void fit_widths(const struct table *table, unsigned int *widths)
{
	unsigned int total = COLUMN_GAP * (table->shown_count - 1);

	for (unsigned int i = 0; i < table->shown_count; i++) {
		widths[i] = table->widths[i];
		total += widths[i];
	}
	for (unsigned int i = table->shown_count; i-- > 0 && total > table->width;) {
		unsigned int spare;

		if (table->columns[i].kind != COLUMN_TEXT || widths[i] <= CUT_COLUMNS_MIN)
			continue;
		spare = widths[i] - CUT_COLUMNS_MIN;
		if (spare > total - table->width)
			spare = total - table->width;
		widths[i] -= spare;
		total -= spare;
	}
}

/* Prints a cell into its column, cut with an ellipsis if it is too long. */
static void print_cell(const struct table *table, unsigned int i, unsigned int width,
		       const char *text)
{
	unsigned int columns = utf8_columns(text);
	unsigned int padding = columns < width ? width - columns : 0;
	bool left = is_left_aligned(&table->columns[i]);

	if (!left)
		fprintf(table->out, "%*s", (int)padding, "");
	if (columns > width && table->columns[i].kind == COLUMN_TEXT)
		fprintf(table->out, "%.*s\u2026", (int)utf8_fit(text, width - 1), text);
	else
		fputs(text, table->out);
	if (i + 1 < table->shown_count)
		fprintf(table->out, "%*s", (int)(left ? padding : 0) + COLUMN_GAP, "");
}

/* Prints the cells of one row, texts one behind the other; returns what follows them. */
static const char *print_row(const struct table *table, const unsigned int *widths,
			     const char *cells)
{
	for (unsigned int i = 0; i < table->column_count; i++) {
		if (i < table->shown_count)
			print_cell(table, i, widths[i], cells);
		cells += strlen(cells) + 1;
	}
	return cells;
}

static void print_heading(struct table *table, const unsigned int *widths)
{
	struct buffer headings = {0};

	for (unsigned int i = 0; i < table->column_count; i++) {
		add_heading(&headings, table->columns[i].name);
		buffer_add(&headings, "", 1);
	}
	fputs(table->colour ? "\033[1m" : "", table->out);
	print_row(table, widths, headings.data);
	fputs(table->colour ? "\033[0m\n" : "\n", table->out);
	buffer_release(&headings);
	table->heading_done = true;
}

/* Nothing is left out without being named. */
static void print_left_out(const struct table *table)
{
	struct buffer names = {0};

	for (unsigned int i = table->shown_count; i < table->column_count; i++) {
		buffer_printf(&names, "%s", names.size ? ", " : "");
		add_heading(&names, table->columns[i].name);
	}
	if (names.size)
		fprintf(table->out, "(no room for: %s)\n", names.data);
	buffer_release(&names);
}

static void print_block(struct table *table)
{
	unsigned int *widths = table->widths;
	const char *cells = table->block.data;
	_cleanup_free_ unsigned int *fitted = NULL;

	if (table->width) {
		fitted = xcalloc(table->column_count, sizeof(*fitted));
		if (!table->heading_done)
			table->shown_count = count_that_fit(table);
		fit_widths(table, fitted);
		widths = fitted;
	}
	if (!table->heading_done)
		print_heading(table, widths);
	for (uint64_t i = 0; i < table->block_rows; i++) {
		cells = print_row(table, widths, cells);
		fputc('\n', table->out);
	}
	buffer_clear(&table->block);
	table->block_rows = 0;
}

static void write_csv_heading(struct table *table)
{
	for (unsigned int i = 0; i < table->column_count; i++) {
		fputs(i ? "," : "", table->out);
		write_csv_text(table->out, table->columns[i].name);
	}
	fputc('\n', table->out);
	table->heading_done = true;
}

/* What stands in front of a cell in JSON and CSV. */
static void begin_cell(struct table *table)
{
	if (table->format == TABLE_CSV && !table->heading_done)
		write_csv_heading(table);
	if (table->format == TABLE_CSV && table->at)
		fputc(',', table->out);
	if (table->format == TABLE_JSON) {
		fputs(table->at ? "," : "{", table->out);
		write_json_text(table->out, table->columns[table->at].name);
		fputc(':', table->out);
	}
}

static void end_cell(struct table *table)
{
	if (++table->at < table->column_count)
		return;
	table->at = 0;
	table->rows++;
	if (table->format == TABLE_JSON)
		fputs("}\n", table->out);
	else if (table->format == TABLE_CSV)
		fputc('\n', table->out);
	else if (++table->block_rows == BLOCK_ROWS)
		print_block(table);
}

/* Keeps scratch as the next cell of the block. */
static void keep_cell(struct table *table)
{
	const char *text = table->scratch.size ? table->scratch.data : "";
	unsigned int columns = utf8_columns(text);

	if (columns > table->widths[table->at])
		table->widths[table->at] = columns;
	buffer_add(&table->block, text, strlen(text) + 1);
	end_cell(table);
}

void table_add_text(struct table *table, const char *text)
{
	if (!text) {
		table_add_empty(table);
		return;
	}
	buffer_clear(&table->scratch);
	if (table->format == TABLE_TEXT) {
		utf8_add_escaped(&table->scratch, *text ? text : "-");
		keep_cell(table);
		return;
	}
	begin_cell(table);
	utf8_add_repaired(&table->scratch, text);
	text = table->scratch.size ? table->scratch.data : "";
	if (table->format == TABLE_JSON)
		write_json_text(table->out, text);
	else
		write_csv_text(table->out, text);
	end_cell(table);
}

void table_add_empty(struct table *table)
{
	if (table->format == TABLE_TEXT) {
		buffer_clear(&table->scratch);
		buffer_printf(&table->scratch, "-");
		keep_cell(table);
		return;
	}
	begin_cell(table);
	if (table->format == TABLE_JSON)
		fputs("null", table->out);
	end_cell(table);
}

static void add_time(struct buffer *buffer, int64_t value, uint64_t origin_ns)
{
	int64_t since_ns = (int64_t)((uint64_t)value - origin_ns);
	uint64_t us = (since_ns < 0 ? -(uint64_t)since_ns : (uint64_t)since_ns) / NS_PER_US;

	buffer_printf(buffer, "%s%" PRIu64 ".%06" PRIu64, since_ns < 0 ? "-" : "", us / 1000000,
		      us % 1000000);
}

/* A bar for RATIO, in eighths of a column. What is more than nothing shows. */
static void add_bar(struct buffer *buffer, double ratio)
{
	unsigned int eighths = (unsigned int)(fmin(fmax(ratio, 0), 1) * BAR_COLUMNS * 8 + 0.5);

	if (ratio > 0 && !eighths)
		eighths = 1;
	for (; eighths >= 8; eighths -= 8)
		buffer_printf(buffer, "\u2588");
	if (eighths)
		buffer_printf(buffer, "\xe2\x96%c", 0x90 - (int)eighths);
}

static void add_number(const struct table *table, struct buffer *buffer, int64_t value)
{
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	const char *sign = value < 0 ? "-" : "";
	char text[UNITS_TEXT_SIZE];

	switch (table->columns[table->at].kind) {
	case COLUMN_TEXT:
	case COLUMN_NUMBER:
		buffer_printf(buffer, "%" PRId64, value);
		break;
	case COLUMN_COUNT:
		buffer_printf(buffer, "%s%s", sign, format_count(text, size));
		break;
	case COLUMN_DURATION_NS:
		buffer_printf(buffer, "%s%s", sign, format_ns(text, size));
		break;
	case COLUMN_TIME_NS:
		add_time(buffer, value, table->time_origin_ns);
		break;
	case COLUMN_BYTES:
		buffer_printf(buffer, "%s%s", sign, format_bytes(text, size));
		break;
	case COLUMN_PERCENT:
		buffer_printf(buffer, "%" PRId64 ".0 %%", value * 100);
		break;
	case COLUMN_HEX:
		buffer_printf(buffer, "0x%" PRIx64, (uint64_t)value);
		break;
	case COLUMN_BAR:
		add_bar(buffer, (double)value);
		break;
	}
}

void table_add_number(struct table *table, int64_t value)
{
	bool is_hex = table->columns[table->at].kind == COLUMN_HEX;

	if (table->format == TABLE_TEXT) {
		buffer_clear(&table->scratch);
		add_number(table, &table->scratch, value);
		keep_cell(table);
		return;
	}
	begin_cell(table);
	if (is_hex)
		fprintf(table->out, "%" PRIu64, (uint64_t)value);
	else
		fprintf(table->out, "%" PRId64, value);
	end_cell(table);
}

static void add_real(const struct table *table, struct buffer *buffer, double value)
{
	switch (table->columns[table->at].kind) {
	case COLUMN_PERCENT:
		buffer_printf(buffer, "%.1f %%", value * 100);
		break;
	case COLUMN_BAR:
		add_bar(buffer, value);
		break;
	case COLUMN_TEXT:
	case COLUMN_NUMBER:
		if (value != 0 && (fabs(value) < 0.001 || fabs(value) > 1e12))
			buffer_printf(buffer, "%.3e", value);
		else
			buffer_printf(buffer, "%.3f", value);
		break;
	default:
		if (fabs(value) < 9e18)
			add_number(table, buffer, llround(value));
		else
			buffer_printf(buffer, "%.3e", value);
		break;
	}
}

void table_add_real(struct table *table, double value)
{
	if (!isfinite(value)) {
		table_add_empty(table);
		return;
	}
	if (table->format == TABLE_TEXT) {
		buffer_clear(&table->scratch);
		add_real(table, &table->scratch, value);
		keep_cell(table);
		return;
	}
	begin_cell(table);
	fprintf(table->out, "%.15g", value);
	end_cell(table);
}

uint64_t table_rows(const struct table *table)
{
	return table->rows;
}

void table_finish(struct table *table)
{
	if (!table)
		return;
	while (table->at)
		table_add_empty(table);
	if (table->format == TABLE_TEXT && (table->block_rows || !table->heading_done))
		print_block(table);
	if (table->format == TABLE_TEXT)
		print_left_out(table);
	if (table->format == TABLE_CSV && !table->heading_done)
		write_csv_heading(table);
	for (unsigned int i = 0; i < table->column_count; i++)
		free((char *)table->columns[i].name);
	free(table->columns);
	free(table->widths);
	buffer_release(&table->block);
	buffer_release(&table->scratch);
	free(table);
}
