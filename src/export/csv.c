/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of one kind as comma-separated values (RFC 4180), its columns being the fields of the
 * event table. Elements of a list stand in one cell, with spaces between.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "export/columns.h"
#include "export/event_rows.h"

struct csv_rows {
	struct model *model;
	FILE *out;
	struct export_columns columns;
	struct buffer line;
	struct buffer cell;
	struct buffer list;
};

/* Quoted only where it must be. */
static void add_quoted(struct buffer *line, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		buffer_add(line, text, strlen(text));
		return;
	}
	buffer_add(line, "\"", 1);
	for (; *text; text++)
		buffer_add(line, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	buffer_add(line, "\"", 1);
}

static int end_line(struct csv_rows *rows)
{
	buffer_add(&rows->line, "\n", 1);
	errno = EIO;
	if (fwrite(rows->line.data, 1, rows->line.size, rows->out) != rows->line.size)
		return fail_errno(-errno, "writing events");
	return 0;
}

static int write_header(struct csv_rows *rows)
{
	buffer_clear(&rows->line);
	buffer_printf(&rows->line, "time_ns");
	for (size_t i = 0; i < rows->columns.count; i++)
		buffer_printf(&rows->line, ",%s", rows->columns.items[i].name);
	return end_line(rows);
}

static void add_column(struct csv_rows *rows, const struct export_column *column,
		       const struct event_header *event)
{
	unsigned int elements = export_column_elements(column, event);

	buffer_clear(&rows->list);
	for (unsigned int i = 0; i < elements; i++) {
		export_column_cell(column, rows->model, event, i, &rows->cell);
		if (i > 0)
			buffer_add(&rows->list, " ", 1);
		buffer_add(&rows->list, rows->cell.data, rows->cell.size);
	}
	buffer_add(&rows->line, ",", 1);
	if (rows->list.size)
		add_quoted(&rows->line, rows->list.data);
}

static int take_event(void *context, const struct event_header *event)
{
	struct csv_rows *rows = context;

	buffer_clear(&rows->line);
	buffer_printf(&rows->line, "%" PRIu64, (uint64_t)event->time_ns);
	for (size_t i = 0; i < rows->columns.count; i++)
		add_column(rows, &rows->columns.items[i], event);
	return end_line(rows);
}

/* A table has one kind of row. Without a choice it is the only kind there is. */
static int choose_kind(struct model *model, const struct export_options *options,
		       unsigned int *ret_kind)
{
	const struct recording_info *info = recording_info(model_recording(model));
	unsigned int kinds = 0;
	int err = event_rows_kind(options, ret_kind);

	if (err || *ret_kind)
		return err;
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		if (info->event_count[kind] == 0)
			continue;
		*ret_kind = kind;
		kinds++;
	}
	if (kinds == 1)
		return 0;
	return fail(-EINVAL, "a CSV table holds one kind of event: choose it, as with --kind wait");
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	struct csv_rows rows = {.model = model, .out = out};
	unsigned int kind;
	int err = choose_kind(model, options, &kind);

	if (err)
		return err;
	export_columns_of(&rows.columns, kind);
	err = write_header(&rows);
	if (!err)
		err = event_rows_read(model, options, kind, take_event, &rows);
	export_columns_release(&rows.columns);
	buffer_release(&rows.line);
	buffer_release(&rows.cell);
	buffer_release(&rows.list);
	return err;
}

const struct export export_csv = {
	.name = "csv",
	.summary = "events of one kind as comma-separated values",
	.suffix = ".csv",
	.run = run,
};
