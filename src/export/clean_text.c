/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/clean_text.h"

#include <stdbool.h>

#define ELLIPSIS 0x2026u

struct character_range {
	uint32_t first;
	uint32_t last;
};

static bool is_in(uint32_t character, const struct character_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

/* Controls, marks that change the direction of the text around them, and non-characters. */
static bool is_unwanted(uint32_t character)
{
	static const struct character_range unwanted[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0x200e, 0x200f}, {0x2028, 0x202e},
		{0x2066, 0x2069}, {0xd800, 0xdfff}, {0xfdd0, 0xfdef}, {0xfff9, 0xfffb},
	};

	return is_in(character, unwanted, ARRAY_SIZE(unwanted)) || (character & 0xfffe) == 0xfffe ||
	       character > 0x10ffff;
}

uint32_t clean_text_next(const char **text)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)*text;
	unsigned int more;
	uint32_t character;

	if (!bytes[0])
		return 0;
	(*text)++;
	if (bytes[0] < 0x80)
		return is_unwanted(bytes[0]) ? CLEAN_TEXT_REPLACEMENT : bytes[0];
	if (bytes[0] < 0xc0 || bytes[0] >= 0xf8)
		return CLEAN_TEXT_REPLACEMENT;

	more = bytes[0] >= 0xf0 ? 3 : bytes[0] >= 0xe0 ? 2 : 1;
	character = bytes[0] & (0x3f >> more);
	for (unsigned int i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return CLEAN_TEXT_REPLACEMENT;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < smallest[more])
		return CLEAN_TEXT_REPLACEMENT;
	*text += more;
	return is_unwanted(character) ? CLEAN_TEXT_REPLACEMENT : character;
}

unsigned int clean_text_width(uint32_t character)
{
	static const struct character_range none[] = {
		{0x300, 0x36f}, {0x200b, 0x200d}, {0xfe00, 0xfe0f}};
	static const struct character_range two[] = {
		{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
		{0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
	};

	if (character < 0x300)
		return 1;
	if (is_in(character, none, ARRAY_SIZE(none)))
		return 0;
	return is_in(character, two, ARRAY_SIZE(two)) ? 2 : 1;
}

size_t clean_text_columns(const char *text)
{
	size_t columns = 0;
	uint32_t character;

	while ((character = clean_text_next(&text)))
		columns += clean_text_width(character);
	return columns;
}

void clean_text_put(struct buffer *out, uint32_t character)
{
	char bytes[4];
	size_t size = 0;

	if (character < 0x80) {
		bytes[size++] = (char)character;
	} else if (character < 0x800) {
		bytes[size++] = (char)(0xc0 | character >> 6);
	} else if (character < 0x10000) {
		bytes[size++] = (char)(0xe0 | character >> 12);
		bytes[size++] = (char)(0x80 | (character >> 6 & 0x3f));
	} else {
		bytes[size++] = (char)(0xf0 | character >> 18);
		bytes[size++] = (char)(0x80 | (character >> 12 & 0x3f));
		bytes[size++] = (char)(0x80 | (character >> 6 & 0x3f));
	}
	if (character >= 0x80)
		bytes[size++] = (char)(0x80 | (character & 0x3f));
	buffer_add(out, bytes, size);
}

static void put_xml(struct buffer *out, uint32_t character)
{
	switch (character) {
	case '<':
		buffer_add(out, "&lt;", 4);
		break;
	case '>':
		buffer_add(out, "&gt;", 4);
		break;
	case '&':
		buffer_add(out, "&amp;", 5);
		break;
	case '"':
		buffer_add(out, "&quot;", 6);
		break;
	case '\'':
		buffer_add(out, "&#39;", 5);
		break;
	default:
		clean_text_put(out, character);
	}
}

static void put_json_in_xml(struct buffer *out, uint32_t character)
{
	if (character == '"' || character == '\\')
		buffer_add(out, "\\", 1);
	if (character == '<' || character == '>' || character == '&')
		put_xml(out, character);
	else
		clean_text_put(out, character);
}

static void put_cut(struct buffer *out, const char *text, size_t columns,
		    void (*put)(struct buffer *out, uint32_t character))
{
	bool is_cut = clean_text_columns(text) > columns;
	size_t left = is_cut && columns ? columns - 1 : columns;
	uint32_t character;

	while ((character = clean_text_next(&text))) {
		unsigned int width = clean_text_width(character);

		if (width > left)
			break;
		left -= width;
		put(out, character);
	}
	if (is_cut && columns)
		clean_text_put(out, ELLIPSIS);
}

void clean_text_put_xml(struct buffer *out, const char *text, size_t columns)
{
	put_cut(out, text, columns, put_xml);
}

void clean_text_put_json_in_xml(struct buffer *out, const char *text, size_t columns)
{
	buffer_add(out, "\"", 1);
	put_cut(out, text, columns, put_json_in_xml);
	buffer_add(out, "\"", 1);
}
