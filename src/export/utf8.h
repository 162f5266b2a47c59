/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names come from other people's programs and may hold any bytes; formats want UTF-8.
 */
#ifndef DASHCAM_EXPORT_UTF8_H
#define DASHCAM_EXPORT_UTF8_H

#include <stdbool.h>

/* True if TEXT is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(const char *text);

/* A copy, to be freed, in which each byte that is not part of well-formed UTF-8 is U+FFFD. */
char *utf8_clean(const char *text);

#endif
