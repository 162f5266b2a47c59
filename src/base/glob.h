/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shell globs on names.
 */
#ifndef DASHCAM_BASE_GLOB_H
#define DASHCAM_BASE_GLOB_H

#include <stdbool.h>

/*
 * Does all of TEXT match? In a glob '*' is any text, '?' one character (of UTF-8), [a-z] one byte
 * of a set, [!a-z] one of no set; '\' takes the meaning from the character behind it. A '[' that
 * opens no set is itself, and so is "[]": operator[] matches what it says. Takes at most time
 * proportional to both lengths' product, whatever they hold.
 */
bool glob_matches(const char *glob, const char *text);

/* Can it match more than one text? */
bool glob_has_wildcard(const char *glob);

#endif
