/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing protobuf messages into a buffer, field by field. Nothing is checked against a schema: the
 * caller knows the field numbers. A nested message is opened, filled and closed:
 *
 *	size_t at = proto_open(buffer, 11);
 *	proto_uint(buffer, 1, 42);
 *	proto_close(buffer, at);
 */
#ifndef DASHCAM_EXPORT_PROTO_H
#define DASHCAM_EXPORT_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define PROTO_VARINT_MAX 10 /* bytes of the longest varint */

/* Encodes VALUE at AT, which has PROTO_VARINT_MAX bytes; returns the first byte behind it. */
static inline uint8_t *proto_put_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

void proto_uint(struct buffer *buffer, uint32_t field,
		uint64_t value);                                      /* any varint type but sint */
void proto_int(struct buffer *buffer, uint32_t field, int64_t value); /* int32, int64 */
void proto_fixed64(struct buffer *buffer, uint32_t field, uint64_t value);
void proto_bytes(struct buffer *buffer, uint32_t field, const void *bytes, size_t size);
/* A string field: bytes that are not UTF-8 are replaced. */
void proto_text(struct buffer *buffer, uint32_t field, const char *text);

/* Begins a nested message; returns what proto_close wants. They may nest. */
size_t proto_open(struct buffer *buffer, uint32_t field);
void proto_close(struct buffer *buffer, size_t at);

#endif
