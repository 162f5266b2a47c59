/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: allocations that do not fail, arrays that grow, cleanup at the end of a scope, arenas.
 *
 * Running out of memory is not handled: the x functions end the program with a sentence. Sizes that
 * come from a file are checked against a limit before they are asked for.
 */
#ifndef DASHCAM_BASE_MEMORY_H
#define DASHCAM_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed */
/* Also stands in for libiberty's: with one of these missing here, its own set would be linked
 * beside. */
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * Makes room for NEED items of ITEM_SIZE in a growing array: *ITEMS (NULL at first) and *CAPACITY
 *are updated, growth is geometric. array_reserve((void **)&waits, &capacity, count + 1,
 *sizeof(*waits)); waits[count++] = wait;
 */
void array_reserve(void **items, size_t *capacity, size_t need, size_t item_size);

/* Frees or closes a local when its scope ends: _cleanup_free_ char *text = ...; */
static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_      _cleanup_(cleanup_free)
#define _cleanup_close_     _cleanup_(cleanup_close)

/* Many small things with one lifetime. Zero-initialised is empty; release frees all at once. */
struct arena {
	struct arena_block *blocks;
	size_t used_bytes; /* asked for so far, for statistics */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned to 8 */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
void arena_release(struct arena *arena);

/* A growing run of bytes. Zero-initialised is empty. */
struct buffer {
	char *data; /* NULL while empty */
	size_t size;
	size_t capacity;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t size);
void *buffer_extend(struct buffer *buffer, size_t size); /* returns the new, uninitialised part */
/* Text is appended without its NUL, but data always has one behind size. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buffer_clear(struct buffer *buffer); /* empties it, keeps the memory */
void buffer_release(struct buffer *buffer);

#endif
