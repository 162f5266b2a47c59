/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event kind as columns, from the event table: one per field, and behind some a name for it: of
 * the thread for a tid, the frames for a stack, of the system call for its number.
 */
#ifndef DASHCAM_EXPORT_COLUMNS_H
#define DASHCAM_EXPORT_COLUMNS_H

#include "base/memory.h"
#include "event/schema.h"
#include "model/model.h"

enum export_column_kind {
	EXPORT_COLUMN_FIELD,
	EXPORT_COLUMN_THREAD_NAME,
	EXPORT_COLUMN_FRAMES, /* folded: outermost first, ";" between */
	EXPORT_COLUMN_SYSCALL_NAME,
};

struct export_column {
	char name[48];
	enum export_column_kind kind;
	const struct event_field *field;
};

struct export_columns {
	struct export_column *items;
	size_t count;
	size_t capacity;
};

/* The columns of a kind, without the time, which every event has. Released by the caller. */
void export_columns_of(struct export_columns *ret, unsigned int kind);
void export_columns_release(struct export_columns *columns);

enum export_cell {
	EXPORT_CELL_EMPTY,
	EXPORT_CELL_NUMBER,
	EXPORT_CELL_TEXT
};

/* How many elements a column has in an event: 1 but for arrays and tails of several. */
unsigned int export_column_elements(const struct export_column *column,
				    const struct event_header *event);
/* True if it may have another number of elements than 1. */
bool export_column_is_list(const struct export_column *column);

/* Writes element INDEX as text into OUT, which is emptied before: plain digits for numbers. Ids and
 * addresses are texts such as 0x1f, since readers of JSON lose digits of large numbers. */
enum export_cell export_column_cell(const struct export_column *column, struct model *model,
				    const struct event_header *event, unsigned int index,
				    struct buffer *out);

#endif
