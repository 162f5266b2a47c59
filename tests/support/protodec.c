/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/protodec.h"

#include <string.h>

#define TEXTS     16
#define TEXT_SIZE 512

struct protodec protodec_of(const void *bytes, size_t size)
{
	return (struct protodec){.at = bytes, .end = (const uint8_t *)bytes + size};
}

bool protodec_varint(struct protodec *message, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && message->at < message->end; shift += 7) {
		uint8_t byte = *message->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
		message->is_broken = message->at == message->end;
	}
	return false;
}

static bool read_fixed(struct protodec *message, unsigned int size, uint64_t *ret)
{
	if (protodec_size(*message) < size)
		return false;
	*ret = 0;
	for (unsigned int i = 0; i < size; i++)
		*ret |= (uint64_t)message->at[i] << (8 * i);
	message->at += size;
	return true;
}

static bool read_bytes(struct protodec *message, struct protodec *ret)
{
	uint64_t size;

	if (!protodec_varint(message, &size) || size > protodec_size(*message))
		return false;
	*ret = protodec_of(message->at, size);
	message->at += size;
	return true;
}

bool protodec_next(struct protodec *message, struct protodec_field *ret)
{
	uint64_t key;
	bool is_read = false;

	*ret = (struct protodec_field){0};
	if (message->at == message->end || message->is_broken)
		return false;
	if (protodec_varint(message, &key)) {
		ret->number = (uint32_t)(key >> 3);
		ret->is_bytes = (key & 7) == 2;
		switch (key & 7) {
		case 0:
			is_read = protodec_varint(message, &ret->value);
			break;
		case 1:
			is_read = read_fixed(message, 8, &ret->value);
			break;
		case 2:
			is_read = read_bytes(message, &ret->bytes);
			break;
		case 5:
			is_read = read_fixed(message, 4, &ret->value);
			break;
		}
	}
	message->is_broken = !is_read;
	return is_read;
}

static struct protodec_field last_field(struct protodec message, uint32_t number)
{
	struct protodec_field field, last = {0};

	while (protodec_next(&message, &field)) {
		if (field.number == number)
			last = field;
	}
	return last;
}

bool protodec_has(struct protodec message, uint32_t number)
{
	return last_field(message, number).number == number;
}

uint64_t protodec_number(struct protodec message, uint32_t number)
{
	return last_field(message, number).value;
}

struct protodec protodec_bytes(struct protodec message, uint32_t number)
{
	return last_field(message, number).bytes;
}

const char *protodec_as_text(struct protodec bytes)
{
	static char texts[TEXTS][TEXT_SIZE];
	static unsigned int turn;
	char *text = texts[turn++ % TEXTS];
	size_t size = protodec_size(bytes);

	if (size >= TEXT_SIZE)
		size = TEXT_SIZE - 1;
	if (size > 0)
		memcpy(text, bytes.at, size);
	text[size] = '\0';
	return text;
}

const char *protodec_text(struct protodec message, uint32_t number)
{
	return protodec_as_text(protodec_bytes(message, number));
}
