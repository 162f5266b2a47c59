/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_value.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "event/schema.h"

/* ---- to the kernel side ---- */

static bool is_address(const struct function_value *value)
{
	return value->type == FUNCTION_VALUE_TEXT || value->type == FUNCTION_VALUE_BYTES;
}

static struct value_source source_of(const struct function_value *value)
{
	return (struct value_source){
		.position = (uint8_t)value->position,
		.read_bytes = is_address(value) ? (uint16_t)value->size_bytes : 0,
		.is_text = value->type == FUNCTION_VALUE_TEXT,
	};
}

/* The result's value, or NULL. */
static const struct function_value *result_of(const struct function_values *values)
{
	for (uint32_t i = 0; i < values->count; i++) {
		if (values->items[i].position == 0)
			return &values->items[i];
	}
	return NULL;
}

void function_value_sources(const struct function_values *values, struct value_sources *ret)
{
	const struct function_value *result = result_of(values);

	*ret = (struct value_sources){.has_result = result != NULL};
	for (uint32_t i = 0; i < values->count; i++) {
		if (values->items[i].position > 0)
			ret->sources[ret->argument_count++] = source_of(&values->items[i]);
	}
	if (result)
		ret->sources[ret->argument_count] = source_of(result);
}

/* ---- to text ---- */

/* As between quotes in C. Of a text what is valid UTF-8 stays as it is. */
static void add_quoted(struct buffer *out, const char *bytes, size_t size, bool is_text)
{
	char copy[EVENT_VALUE_BYTES_MAX + 1];
	const char *at = copy;

	memcpy(copy, bytes, size);
	copy[size] = '\0';
	buffer_printf(out, "\"");
	while (at < copy + size) {
		unsigned char c = (unsigned char)*at;
		const char *next = at;
		uint32_t code = is_text ? utf8_next(&next) : c;

		if (c < 0x80 || !is_text || code == UTF8_INVALID)
			next = at + 1;
		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", c);
		else if (c == '\n')
			buffer_printf(out, "\\n");
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && (!is_text || code == UTF8_INVALID)))
			buffer_printf(out, "\\x%02x", c);
		else
			buffer_add(out, at, (size_t)(next - at));
		at = next;
	}
	buffer_printf(out, "\"");
}

/* Appends what the address WORD led to. True: there is more of it. */
static bool add_read(struct buffer *text, const struct function_value *value, uint64_t word,
		     const struct event_value_text *read)
{
	bool is_cut = read && read->size > EVENT_VALUE_BYTES_MAX;
	size_t size;

	if (word == 0) {
		buffer_printf(text, "NULL");
		return false;
	}
	/* of an empty text older kernels say 0 bytes, without its NUL */
	if (!read || read->size < 0) {
		buffer_printf(text, "0x%" PRIx64, word); /* it is paged out, or none */
		return false;
	}
	size = is_cut ? EVENT_VALUE_BYTES_MAX : (size_t)read->size;
	if (value->type == FUNCTION_VALUE_TEXT)
		size = strnlen(read->bytes, size);
	if (value->type == FUNCTION_VALUE_BYTES && size > value->size_bytes)
		size = value->size_bytes;
	add_quoted(text, read->bytes, size, value->type == FUNCTION_VALUE_TEXT);
	if (is_cut)
		buffer_printf(text, "...");
	return is_cut;
}

/* The lowest bytes of a word are the value; what is above them is not defined. */
static uint64_t low_bytes(uint64_t word, uint32_t size_bytes)
{
	return size_bytes >= 8 ? word : word & ((1ULL << (size_bytes * 8)) - 1);
}

static int64_t with_sign(uint64_t word, uint32_t size_bytes)
{
	uint64_t sign = size_bytes >= 8 ? 1ULL << 63 : 1ULL << (size_bytes * 8 - 1);

	return (int64_t)((low_bytes(word, size_bytes) ^ sign) - sign);
}

static bool add_value(struct buffer *text, const struct function_value *value, uint64_t word,
		      const struct event_value_text *read)
{
	switch (value->type) {
	case FUNCTION_VALUE_SIGNED:
		buffer_printf(text, "%" PRId64, with_sign(word, value->size_bytes));
		return false;
	case FUNCTION_VALUE_UNSIGNED:
		buffer_printf(text, "%" PRIu64, low_bytes(word, value->size_bytes));
		return false;
	case FUNCTION_VALUE_POINTER:
		buffer_printf(text, word ? "0x%" PRIx64 : "NULL", word);
		return false;
	default:
		return add_read(text, value, word, read);
	}
}

bool function_value_text(const struct function_values *values,
			 const struct event_raw_call_value *raw, struct buffer *text)
{
	bool wants_result = raw->flags & EVENT_VALUE_RESULT, is_cut = false;
	uint32_t word = 0, read = 0;

	for (uint32_t i = 0; i < values->count && word < EVENT_VALUES_MAX; i++) {
		const struct function_value *value = &values->items[i];
		const struct event_value_text *found = NULL;

		if ((value->position == 0) != wants_result)
			continue;
		if (is_address(value) && read < raw->text_count)
			found = &raw->texts[read++];
		if (!wants_result)
			buffer_printf(text, "%s%s=", word ? ", " : "", value->name);
		is_cut |= add_value(text, value, raw->words[word++], found);
	}
	return is_cut;
}

struct event_call_value *function_value_event(const struct function_values *values,
					      const struct event_raw_call_value *raw)
{
	struct event_call_value *event;
	struct buffer text = {0};
	bool is_cut = function_value_text(values, raw, &text);
	/* a second text, empty, is for what may come */
	size_t size = event_align(sizeof(*event) + text.size + 2);

	event = xcalloc(1, size);
	event->header = (struct event_header){
		.kind = EVENT_CALL_VALUE, .size = (uint16_t)size, .time_ns = raw->header.time_ns};
	event->tid = raw->tid;
	event->name = raw->name;
	event->start_ns = raw->start_ns;
	event->flags = raw->flags | (is_cut ? EVENT_VALUE_CUT : 0);
	if (text.size)
		memcpy(event->text, text.data, text.size);
	buffer_release(&text);
	return event;
}
