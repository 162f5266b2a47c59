/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/perf_map.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STEP_BYTES (64 * 1024)

/* Longer lines are skipped. */
#define LINE_MAX_BYTES 8192

/* Reads a hexadecimal number and the space behind it. NULL: there is none. */
static const char *read_hex(const char *at, uint64_t *ret)
{
	uint64_t value = 0;
	unsigned int digits = 0;

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		at += 2;
	for (;; at++, digits++) {
		int digit = *at >= '0' && *at <= '9'   ? *at - '0'
			    : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10
			    : *at >= 'A' && *at <= 'F' ? *at - 'A' + 10
						       : -1;

		if (digit < 0)
			break;
		value = value << 4 | (uint64_t)digit;
	}
	if (digits == 0 || digits > 16 || *at != ' ')
		return NULL;
	*ret = value;
	return at + 1;
}

/* LINE is NUL-terminated. NUMBER counts lines: later ones are better. */
static void read_line(const char *line, uint64_t number, struct symbols *symbols)
{
	struct symbol symbol = {.rank = 0};
	uint64_t size;
	const char *at = read_hex(line, &symbol.start);

	if (at)
		at = read_hex(at, &size);
	if (!at || size == 0 || size > UINT64_MAX - symbol.start)
		return;
	symbol.end = symbol.start + size;
	/* The rank has 16 bits: a map that long has been rewritten in place all over. */
	symbol.rank = (uint16_t)(UINT16_MAX - (number < UINT16_MAX ? number : UINT16_MAX));
	symbols_add(symbols, &symbol, at);
}

/* Takes the whole lines from the buffer; what is behind the last one stays. */
static void take_lines(struct buffer *buffer, uint64_t *number, struct symbols *symbols)
{
	char *at = buffer->data, *end = buffer->data + buffer->size, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		*newline = '\0';
		if (newline - at < LINE_MAX_BYTES)
			read_line(at, (*number)++, symbols);
		at = newline + 1;
	}
	buffer->size = (size_t)(end - at);
	memmove(buffer->data, at, buffer->size);
	/* A line that never ends is dropped piece by piece. */
	if (buffer->size > LINE_MAX_BYTES)
		buffer->size = 0;
}

void perf_map_read(int fd, struct symbols *symbols)
{
	struct buffer buffer = {.data = NULL};
	uint64_t total = 0, number = 0;
	ssize_t n;

	while (total < PERF_MAP_SIZE_MAX) {
		char *at = buffer_extend(&buffer, STEP_BYTES);

		n = pread(fd, at, STEP_BYTES, (off_t)total);
		buffer.size -= STEP_BYTES - (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			break;
		total += (uint64_t)n;
		take_lines(&buffer, &number, symbols);
	}
	buffer_release(&buffer);
	symbols_finish(symbols);
}
