/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <string.h>

struct range {
	uint32_t first;
	uint32_t last;
};

/* Blocks of East Asian wide characters and of emoji that terminals draw two columns wide. */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2614, 0x2615},
	{0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2e80, 0x303e},
	{0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
	{0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
	{0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x17000, 0x18cff}, {0x1b000, 0x1b2ff},
	{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff},
	{0x20000, 0x3fffd},
};

/* Marks that are drawn over the character before them, and characters without any width. */
static const struct range combining[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
	{0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},
	{0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff},
	{0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

static bool is_within(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count && ranges[i].first <= code; i++) {
		if (code <= ranges[i].last)
			return true;
	}
	return false;
}

/* Control characters (C0, DEL, C1), line separators, and those that change the direction of text.
 */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff;
}

uint32_t utf8_next(const char **text)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)*text;
	uint32_t code = at[0];
	unsigned int more;

	if (code < 0x80) {
		*text += code != 0;
		return code;
	}
	more = code >= 0xf8 ? 0 : code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;
	(*text)++;
	if (!more)
		return UTF8_INVALID;
	code &= 0x3f >> more;
	for (unsigned int i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return UTF8_INVALID;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < smallest[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return UTF8_INVALID;
	*text += more;
	return code;
}

unsigned int utf8_columns_of(uint32_t code)
{
	if (code < 0x300 || code == UTF8_INVALID)
		return 1;
	if (is_within(combining, ARRAY_SIZE(combining), code))
		return 0;
	return is_within(wide, ARRAY_SIZE(wide), code) ? 2 : 1;
}

unsigned int utf8_columns(const char *text)
{
	unsigned int columns = 0;

	while (*text)
		columns += utf8_columns_of(utf8_next(&text));
	return columns;
}

size_t utf8_fit(const char *text, unsigned int columns)
{
	const char *at = text;

	while (*at) {
		const char *next = at;
		unsigned int needs = utf8_columns_of(utf8_next(&next));

		if (needs > columns)
			break;
		columns -= needs;
		at = next;
	}
	return (size_t)(at - text);
}

void utf8_add_escaped(struct buffer *buffer, const char *text)
{
	while (*text) {
		const char *from = text;
		uint32_t code = utf8_next(&text);

		if (code != UTF8_INVALID && !is_control(code)) {
			buffer_add(buffer, from, (size_t)(text - from));
			continue;
		}
		for (; from < text; from++)
			buffer_printf(buffer, "\\x%02x", (unsigned char)*from);
	}
}

void utf8_add_repaired(struct buffer *buffer, const char *text)
{
	while (*text) {
		const char *from = text;

		if (utf8_next(&text) == UTF8_INVALID)
			buffer_add(buffer, "\xef\xbf\xbd", 3);
		else
			buffer_add(buffer, from, (size_t)(text - from));
	}
}
