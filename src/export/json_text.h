/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings of JSON.
 */
#ifndef DASHCAM_EXPORT_JSON_TEXT_H
#define DASHCAM_EXPORT_JSON_TEXT_H

#include "base/memory.h"

/* Appends TEXT as a JSON string, quotes included. Bytes that are not UTF-8 are replaced. */
void json_text_add(struct buffer *out, const char *text);

#endif
