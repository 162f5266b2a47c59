/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as they come from a recording may hold anything. These functions give them as valid UTF-8
 * that XML accepts: what is not valid UTF-8, control characters, characters that turn the direction
 * of writing and those that XML forbids become U+FFFD.
 */
#ifndef DASHCAM_EXPORT_CLEAN_TEXT_H
#define DASHCAM_EXPORT_CLEAN_TEXT_H

#include <stdint.h>

#include "base/memory.h"

/* The next character of *TEXT, cleaned, and *TEXT moved behind it; 0 at the end. */
uint32_t clean_text_next(const char **text);

/* Appends a character as UTF-8. */
void clean_text_put(struct buffer *out, uint32_t character);

/* Appends TEXT for XML content or an attribute. If it takes more than COLUMNS (utf8_columns), it is
 * cut and ends in an ellipsis. */
void clean_text_put_xml(struct buffer *out, const char *text, unsigned int columns);

/* Appends TEXT as a JSON string, quotes included, that stands in XML content. Cut as above. */
void clean_text_put_json_in_xml(struct buffer *out, const char *text, unsigned int columns);

#endif
