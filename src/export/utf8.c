/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

/* Bytes of the well-formed character that TEXT begins with; 0 if there is none. */
static unsigned int character_size(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned int size = text[0] < 0x80             ? 1
			    : (text[0] & 0xe0) == 0xc0 ? 2
			    : (text[0] & 0xf0) == 0xe0 ? 3
			    : (text[0] & 0xf8) == 0xf0 ? 4
						       : 0;
	uint32_t value;

	if (size <= 1)
		return size;
	value = text[0] & (0x7fu >> size);
	for (unsigned int i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80) /* also stops at the NUL */
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	return size;
}

bool utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		unsigned int size = character_size(at);

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

char *utf8_clean(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const unsigned char *at = (const unsigned char *)text;
	char *clean = xmalloc(strlen(text) * 3 + 1);
	char *end = clean;

	while (*at) {
		unsigned int size = character_size(at);

		if (size == 0) {
			memcpy(end, replacement, 3);
			end += 3;
			at++;
		} else {
			memcpy(end, at, size);
			end += size;
			at += size;
		}
	}
	*end = '\0';
	return clean;
}
