/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table from addresses to the names of functions: filled, sorted once, then searched.
 *
 * Where symbols overlap, the inner one wins inside its range. Of several with one start and size,
 * the one with the best rank is kept; then the one that reads best: fewest leading underscores,
 * shortest.
 */
#ifndef DASHCAM_SYMBOL_SYMBOLS_H
#define DASHCAM_SYMBOL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct symbol {
	uint64_t start;
	uint64_t end;      /* first address behind it */
	uint32_t name;     /* offset in the table's text */
	uint16_t rank;     /* smaller is better */
	uint8_t open_end;  /* the size is unknown: it reaches to the next symbol, at most to end */
	uint8_t is_chosen; /* STT_GNU_IFUNC: the code that chooses a function of this name */
};

/* Zero-initialised is empty. */
struct symbols {
	struct symbol *items;
	size_t count;
	size_t capacity;
	struct buffer text;
};

/* Adds a symbol; NAME is copied, cut at an @version. Empty names and ranges are left out, and so is
 * all beyond a limit of 4 GB of text. */
void symbols_add(struct symbols *symbols, const struct symbol *symbol, const char *name);

/* Sorts and makes the ranges disjoint. Call once, before the first search. */
void symbols_finish(struct symbols *symbols);

/* Of two names for one address: below zero if A reads better. */
int symbols_compare_names(const char *a, const char *b);

/* The symbol that covers ADDRESS, or NULL. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address);

static inline const char *symbols_name(const struct symbols *symbols, const struct symbol *symbol)
{
	return symbols->text.data + symbol->name;
}

void symbols_release(struct symbols *symbols);

#endif
