/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BLOCK_BYTES (64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	char bytes[] __attribute__((aligned(8)));
};

/* The one error that is not passed up: there is no memory left to tell the story with. */
static void *must(void *pointer, size_t size)
{
	static const char text[] = "dashcam: out of memory\n";

	if (!pointer && size > 0) {
		ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

		(void)ignored;
		abort();
	}
	return pointer;
}

void *xmalloc(size_t size)
{
	return must(malloc(size), size);
}

void *xcalloc(size_t count, size_t size)
{
	return must(calloc(count, size), count && size ? 1 : 0);
}

void *xrealloc(void *old, size_t size)
{
	return must(realloc(old, size), size);
}

char *xstrdup(const char *text)
{
	return must(strdup(text), 1);
}

char *xvasprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return must(text, 1);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}

void array_reserve(void **items, size_t *capacity, size_t need, size_t item_size)
{
	size_t wanted = *capacity ? *capacity : 16;

	if (need <= *capacity)
		return;
	while (wanted < need)
		wanted += wanted / 2;
	*items = must(reallocarray(*items, wanted, item_size), 1);
	*capacity = wanted;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *at;

	size = (size + 7) & ~(size_t)7;
	if (!block || block->size - block->used < size) {
		size_t bytes = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;

		block = xcalloc(1, sizeof(*block) + bytes);
		block->size = bytes;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	at = block->bytes + block->used;
	block->used += size;
	arena->used_bytes += size;
	return at;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->used_bytes = 0;
}

void *buffer_extend(struct buffer *buffer, size_t size)
{
	void *at;

	array_reserve((void **)&buffer->data, &buffer->capacity, buffer->size + size + 1, 1);
	at = buffer->data + buffer->size;
	buffer->size += size;
	buffer->data[buffer->size] = '\0';
	return at;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
	void *at = buffer_extend(buffer, size);

	if (size > 0)
		memcpy(at, bytes, size);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n > 0) {
		char *at = buffer_extend(buffer, (size_t)n);

		vsnprintf(at, (size_t)n + 1, format, again);
	}
	va_end(again);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
