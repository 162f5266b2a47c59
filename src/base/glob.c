/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/glob.h"

#include <stddef.h>
#include <string.h>

/* The end of the set that begins at GLOB, behind its ']'; NULL if it is none. */
static const char *set_end(const char *glob)
{
	const char *at = glob + 1;

	at += *at == '!' || *at == '^';
	if (*at == ']')
		return NULL; /* empty */
	at = strchr(at, ']');
	return at ? at + 1 : NULL;
}

static bool is_in_set(const char *set, const char *end, char wanted)
{
	unsigned char c = (unsigned char)wanted;
	bool is_inverted = set[1] == '!' || set[1] == '^', found = false;

	set += 1 + is_inverted;
	end--; /* the ']' */
	while (set < end) {
		unsigned char from = (unsigned char)*set, to = from;

		if (end - set > 2 && set[1] == '-') {
			to = (unsigned char)set[2];
			set += 2;
		}
		set++;
		found |= c >= from && c <= to;
	}
	return found != is_inverted;
}

static const char *behind_character(const char *text)
{
	text++;
	while (((unsigned char)*text & 0xc0) == 0x80)
		text++;
	return text;
}

/* Matches one element of the glob that is no star with the begin of TEXT, which is not empty, and
 * moves both on. */
static bool take_one(const char **glob, const char **text)
{
	const char *end = **glob == '[' ? set_end(*glob) : NULL;

	if (**glob == '\0')
		return false;
	if (**glob == '?') {
		*text = behind_character(*text);
		(*glob)++;
		return true;
	}
	if (end) {
		if (!is_in_set(*glob, end, **text))
			return false;
		*glob = end;
		(*text)++;
		return true;
	}
	if (**glob == '\\' && (*glob)[1])
		(*glob)++;
	if (**glob != **text)
		return false;
	(*glob)++;
	(*text)++;
	return true;
}

bool glob_matches(const char *glob, const char *text)
{
	/* Only the last star can have to take more: what is before it has matched as early as it
	 * can. */
	const char *star = NULL, *star_text = NULL;

	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			star_text = text;
			continue;
		}
		if (take_one(&glob, &text))
			continue;
		if (!star)
			return false;
		star_text = behind_character(star_text);
		text = star_text;
		glob = star;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

bool glob_has_wildcard(const char *glob)
{
	for (; *glob; glob++) {
		if (*glob == '*' || *glob == '?' || (*glob == '[' && set_end(glob)))
			return true;
		if (*glob == '\\' && glob[1])
			glob++;
	}
	return false;
}
