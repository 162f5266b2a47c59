/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading protobuf messages without a schema, for tests of what was written. Independent of the
 * writer.
 */
#ifndef DASHCAM_TESTS_PROTODEC_H
#define DASHCAM_TESTS_PROTODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message, borrowed. */
struct protodec {
	const uint8_t *at;
	const uint8_t *end;
	bool is_broken; /* it did not end where a field ends */
};

struct protodec_field {
	uint32_t number;
	bool is_bytes;  /* else a number */
	uint64_t value; /* varint, fixed32, fixed64 */
	struct protodec bytes;
};

struct protodec protodec_of(const void *bytes, size_t size);

/* The next field; false at the end and when the message is broken. */
bool protodec_next(struct protodec *message, struct protodec_field *ret);

/* A varint of packed ones; false at the end. */
bool protodec_varint(struct protodec *packed, uint64_t *ret);

/* The last field of that number: its value, or 0; its bytes, or an empty message. The message is
 * not advanced. */
bool protodec_has(struct protodec message, uint32_t number);
uint64_t protodec_number(struct protodec message, uint32_t number);
struct protodec protodec_bytes(struct protodec message, uint32_t number);
/* As text in one of a few static buffers used in turn: good for the arguments of one printf. */
const char *protodec_text(struct protodec message, uint32_t number);
const char *protodec_as_text(struct protodec bytes);

static inline size_t protodec_size(struct protodec message)
{
	return (size_t)(message.end - message.at);
}

#endif
