/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/describe.h"

static struct export_column *add_column(struct export_columns *columns,
					enum export_column_kind kind,
					const struct event_field *field)
{
	struct export_column *column;

	array_reserve((void **)&columns->items, &columns->capacity, columns->count + 1,
		      sizeof(*columns->items));
	column = &columns->items[columns->count++];
	*column = (struct export_column){.kind = kind, .field = field};
	snprintf(column->name, sizeof(column->name), "%s", field->name);
	return column;
}

/* Such tids count in a pid namespace of their own: they name nobody here. */
static bool is_foreign_tid(const struct event_field *field)
{
	return !strcmp(field->name, "ns_tid") || !strcmp(field->name, "futex_owner_tid");
}

/* "waker_tid" gets "waker_comm" beside it, unless the event brings such a field itself. */
static void add_thread_name(struct export_columns *columns, unsigned int kind,
			    const struct event_field *field)
{
	size_t size = strlen(field->name);
	char name[sizeof(columns->items->name)];

	if (size < 3 || strcmp(field->name + size - 3, "tid") || is_foreign_tid(field))
		return;
	snprintf(name, sizeof(name), "%.*scomm", (int)(size - 3), field->name);
	if (!event_field_find(kind, name))
		strcpy(add_column(columns, EXPORT_COLUMN_THREAD_NAME, field)->name, name);
}

static void add_suffixed(struct export_columns *columns, enum export_column_kind kind,
			 const struct event_field *field, const char *suffix)
{
	struct export_column *column = add_column(columns, kind, field);

	snprintf(column->name, sizeof(column->name), "%s_%s", field->name, suffix);
}

void export_columns_of(struct export_columns *ret, unsigned int kind)
{
	const struct event_schema *schema = event_schema(kind);

	*ret = (struct export_columns){0};
	for (unsigned int i = 0; schema && i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];

		if (field->meaning == MEANING_RESERVED)
			continue;
		add_column(ret, EXPORT_COLUMN_FIELD, field);
		if (field->meaning == MEANING_TID)
			add_thread_name(ret, kind, field);
		else if (field->meaning == MEANING_STACK)
			add_suffixed(ret, EXPORT_COLUMN_FRAMES, field, "frames");
		else if (field->meaning == MEANING_SYSCALL)
			add_suffixed(ret, EXPORT_COLUMN_SYSCALL_NAME, field, "name");
	}
}

void export_columns_release(struct export_columns *columns)
{
	free(columns->items);
	*columns = (struct export_columns){0};
}

/* Bytes of the field in this event: of all elements, or of the tail. */
static size_t field_bytes(const struct event_field *field, const struct event_header *event)
{
	return field->size ? (size_t)field->size * field->count
			   : (size_t)event->size - field->offset;
}

unsigned int export_column_elements(const struct export_column *column,
				    const struct event_header *event)
{
	const struct event_field *field = column->field;

	if (column->kind != EXPORT_COLUMN_FIELD)
		return 1;
	switch (field->meaning) {
	case MEANING_TEXT:
	case MEANING_BINARY:
		return 1;
	case MEANING_TEXTS:
		return 2;
	case MEANING_FRAMES:
		return (unsigned int)(field_bytes(field, event) / sizeof(uint64_t));
	default:
		return field->count;
	}
}

bool export_column_is_list(const struct export_column *column)
{
	const struct event_field *field = column->field;

	if (column->kind != EXPORT_COLUMN_FIELD || field->meaning == MEANING_TEXT ||
	    field->meaning == MEANING_BINARY)
		return false;
	return field->meaning == MEANING_TEXTS || field->meaning == MEANING_FRAMES ||
	       field->count > 1;
}

static enum export_cell frames_cell(struct model *model, uint64_t id, struct buffer *out)
{
	const struct stack *stack = model_stack(model, id);

	if (!stack)
		return EXPORT_CELL_EMPTY;
	describe_stack(stack, out);
	return EXPORT_CELL_TEXT;
}

static enum export_cell text_cell(const char *text, struct buffer *out)
{
	if (!text)
		return EXPORT_CELL_EMPTY;
	buffer_add(out, text, strlen(text));
	return EXPORT_CELL_TEXT;
}

static enum export_cell thread_name_cell(const struct model *model, uint32_t tid, uint64_t time_ns,
					 struct buffer *out)
{
	const struct thread *thread = tid ? model_thread_at(model, tid, time_ns) : NULL;

	return text_cell(thread ? thread->comm : NULL, out);
}

static enum export_cell bytes_cell(const unsigned char *bytes, size_t size, struct buffer *out)
{
	for (size_t i = 0; i < size; i++)
		buffer_printf(out, "%02x", bytes[i]);
	return EXPORT_CELL_TEXT;
}

static enum export_cell number_cell(const struct event_field *field,
				    const struct event_header *event, unsigned int index,
				    struct buffer *out)
{
	char digits[24];
	int64_t value = event_field_value(event, field, index);
	int size;

	if (field->is_signed)
		size = snprintf(digits, sizeof(digits), "%" PRId64, value);
	else
		size = snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)value);
	buffer_add(out, digits, (size_t)size);
	return EXPORT_CELL_NUMBER;
}

static enum export_cell hex_cell(uint64_t value, struct buffer *out)
{
	buffer_printf(out, "0x%" PRIx64, value);
	return EXPORT_CELL_TEXT;
}

static enum export_cell field_cell(const struct event_field *field,
				   const struct event_header *event, unsigned int index,
				   struct buffer *out)
{
	const char *at = (const char *)event + field->offset;
	size_t bytes = field_bytes(field, event);

	switch (field->meaning) {
	case MEANING_TEXT:
		buffer_add(out, at, strnlen(at, bytes));
		return EXPORT_CELL_TEXT;
	case MEANING_TEXTS:
		return text_cell(event_tail_text(event, at, index), out);
	case MEANING_BINARY:
		return bytes_cell((const unsigned char *)at, bytes, out);
	case MEANING_FRAMES: {
		uint64_t frame;

		memcpy(&frame, at + index * sizeof(frame), sizeof(frame));
		return hex_cell(frame, out);
	}
	case MEANING_STACK:
	case MEANING_OBJECT:
	case MEANING_ADDRESS:
		return hex_cell((uint64_t)event_field_value(event, field, index), out);
	default:
		return number_cell(field, event, index, out);
	}
}

enum export_cell export_column_cell(const struct export_column *column, struct model *model,
				    const struct event_header *event, unsigned int index,
				    struct buffer *out)
{
	const struct event_field *field = column->field;
	uint64_t value;

	buffer_clear(out);
	if (column->kind == EXPORT_COLUMN_FIELD)
		return field_cell(field, event, index, out);
	value = (uint64_t)event_field_value(event, field, 0);
	switch (column->kind) {
	case EXPORT_COLUMN_THREAD_NAME:
		return thread_name_cell(model, (uint32_t)value, event->time_ns, out);
	case EXPORT_COLUMN_FRAMES:
		return frames_cell(model, value, out);
	default:
		return text_cell(model_syscall_name((int)value), out);
	}
}
