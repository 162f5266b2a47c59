/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that others wrote (thread names, paths, symbols): decoded, measured and made harmless.
 *
 * Such text may be anything. Before it goes to a terminal its control characters are escaped, so
 * that a thread's name cannot drive the terminal; before it goes into JSON it is made valid UTF-8.
 */
#ifndef DASHCAM_BASE_UTF8_H
#define DASHCAM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define UTF8_INVALID UINT32_MAX

/* The code point at *TEXT, which is moved behind it. A byte that begins no valid sequence gives
 * UTF8_INVALID and is passed alone. At the end of the text: 0, and *TEXT stays. */
uint32_t utf8_next(const char **text);

/* Columns a code point takes on a terminal: 0 (combining), 1, or 2 (East Asian wide, emoji). */
unsigned int utf8_columns_of(uint32_t code);

/* Columns of a whole text; invalid bytes count as one each. */
unsigned int utf8_columns(const char *text);

/* How many bytes of TEXT fit into COLUMNS. */
size_t utf8_fit(const char *text, unsigned int columns);

/* Appends TEXT with each byte of a control character, of a character that reorders text, or of an
 * invalid sequence written as \x1b. */
void utf8_add_escaped(struct buffer *buffer, const char *text);

/* Appends TEXT with each invalid byte replaced by U+FFFD. */
void utf8_add_repaired(struct buffer *buffer, const char *text);

#endif
