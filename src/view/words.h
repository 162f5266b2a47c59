/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of words in one text, with blanks between.
 */
#ifndef DASHCAM_VIEW_WORDS_H
#define DASHCAM_VIEW_WORDS_H

#include <stdbool.h>
#include <string.h>

/* True if WORD is one of LIST (NULL: an empty list). */
static inline bool words_have(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at && (at = strstr(at, word)); at += length) {
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

#endif
