/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One JSON object a line for each event, its keys being the fields of the event table.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "export/columns.h"
#include "export/event_rows.h"
#include "export/json_text.h"

struct json_rows {
	struct model *model;
	FILE *out;
	struct export_columns columns[EVENT_KIND_LIMIT]; /* of the kinds met so far */
	struct buffer line;
	struct buffer cell;
};

static void add_element(struct json_rows *rows, const struct export_column *column,
			const struct event_header *event, unsigned int index)
{
	switch (export_column_cell(column, rows->model, event, index, &rows->cell)) {
	case EXPORT_CELL_NUMBER:
		buffer_add(&rows->line, rows->cell.data, rows->cell.size);
		break;
	case EXPORT_CELL_TEXT:
		json_text_add(&rows->line, rows->cell.size ? rows->cell.data : "");
		break;
	case EXPORT_CELL_EMPTY:
		buffer_add(&rows->line, "null", 4);
		break;
	}
}

static void add_column(struct json_rows *rows, const struct export_column *column,
		       const struct event_header *event)
{
	unsigned int elements = export_column_elements(column, event);

	buffer_add(&rows->line, ",", 1);
	json_text_add(&rows->line, column->name);
	buffer_add(&rows->line, ":", 1);
	if (!export_column_is_list(column)) {
		add_element(rows, column, event, 0);
		return;
	}
	buffer_add(&rows->line, "[", 1);
	for (unsigned int i = 0; i < elements; i++) {
		if (i > 0)
			buffer_add(&rows->line, ",", 1);
		add_element(rows, column, event, i);
	}
	buffer_add(&rows->line, "]", 1);
}

static int take_event(void *context, const struct event_header *event)
{
	struct json_rows *rows = context;
	struct export_columns *columns = &rows->columns[event->kind];

	if (!columns->items)
		export_columns_of(columns, event->kind);
	buffer_clear(&rows->line);
	buffer_printf(&rows->line, "{\"event\":\"%s\",\"time_ns\":%" PRIu64,
		      event_schema(event->kind)->name, (uint64_t)event->time_ns);
	for (size_t i = 0; i < columns->count; i++)
		add_column(rows, &columns->items[i], event);
	buffer_add(&rows->line, "}\n", 2);
	errno = EIO;
	if (fwrite(rows->line.data, 1, rows->line.size, rows->out) != rows->line.size)
		return fail_errno(-errno, "writing events");
	return 0;
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	struct json_rows rows = {.model = model, .out = out};
	unsigned int kind;
	int err = event_rows_kind(options, &kind);

	if (!err)
		err = event_rows_read(model, options, kind, take_event, &rows);
	for (unsigned int i = 0; i < EVENT_KIND_LIMIT; i++)
		export_columns_release(&rows.columns[i]);
	buffer_release(&rows.line);
	buffer_release(&rows.cell);
	return err;
}

const struct export export_json = {
	.name = "json",
	.summary = "every event as a JSON object, one a line",
	.suffix = ".json",
	.run = run,
};
