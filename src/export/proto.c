/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/proto.h"

#include <string.h>

#include "base/utf8.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2
};

static uint8_t *put_key(uint8_t *at, uint32_t field, enum wire_type type)
{
	return proto_put_varint(at, (uint64_t)field << 3 | type);
}

static void add(struct buffer *buffer, const uint8_t *bytes, const uint8_t *end)
{
	buffer_add(buffer, bytes, (size_t)(end - bytes));
}

void proto_uint(struct buffer *buffer, uint32_t field, uint64_t value)
{
	uint8_t bytes[2 * PROTO_VARINT_MAX];

	add(buffer, bytes, proto_put_varint(put_key(bytes, field, WIRE_VARINT), value));
}

void proto_int(struct buffer *buffer, uint32_t field, int64_t value)
{
	proto_uint(buffer, field, (uint64_t)value);
}

void proto_fixed64(struct buffer *buffer, uint32_t field, uint64_t value)
{
	uint8_t bytes[PROTO_VARINT_MAX + 8];
	uint8_t *at = put_key(bytes, field, WIRE_FIXED64);

	for (unsigned int i = 0; i < 8; i++)
		*at++ = (uint8_t)(value >> (8 * i));
	add(buffer, bytes, at);
}

void proto_bytes(struct buffer *buffer, uint32_t field, const void *data, size_t size)
{
	uint8_t bytes[2 * PROTO_VARINT_MAX];

	add(buffer, bytes, proto_put_varint(put_key(bytes, field, WIRE_BYTES), size));
	if (size > 0)
		buffer_add(buffer, data, size);
}

void proto_text(struct buffer *buffer, uint32_t field, const char *text)
{
	struct buffer repaired = {0};

	utf8_add_repaired(&repaired, text);
	proto_bytes(buffer, field, repaired.data, repaired.size);
	buffer_release(&repaired);
}

/* One byte is kept for the length: enough for most messages. Longer ones are moved on closing. */
size_t proto_open(struct buffer *buffer, uint32_t field)
{
	uint8_t bytes[PROTO_VARINT_MAX + 1];
	uint8_t *at = put_key(bytes, field, WIRE_BYTES);

	*at++ = 0;
	add(buffer, bytes, at);
	return buffer->size;
}

void proto_close(struct buffer *buffer, size_t at)
{
	size_t size = buffer->size - at;
	uint8_t length[PROTO_VARINT_MAX];
	size_t length_size = (size_t)(proto_put_varint(length, size) - length);

	if (length_size > 1) {
		buffer_extend(buffer, length_size - 1);
		memmove(buffer->data + at + length_size - 1, buffer->data + at, size);
	}
	memcpy(buffer->data + at - 1, length, length_size);
}
