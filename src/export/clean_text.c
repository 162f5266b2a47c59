/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/clean_text.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/utf8.h"

#define REPLACEMENT 0xfffdu
#define ELLIPSIS    0x2026u

/* Controls, marks that change the direction of the text around them, and non-characters. */
static bool is_unwanted(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} unwanted[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0x200e, 0x200f}, {0x2028, 0x202e},
		{0x2066, 0x2069}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
	};

	for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++)
		if (character >= unwanted[i].first && character <= unwanted[i].last)
			return true;
	return (character & 0xfffe) == 0xfffe;
}

uint32_t clean_text_next(const char **text)
{
	uint32_t character = utf8_next(text);

	if (character && (character == UTF8_INVALID || is_unwanted(character)))
		return REPLACEMENT;
	return character;
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

static void put_cut(struct buffer *out, const char *text, unsigned int columns,
		    void (*put)(struct buffer *out, uint32_t character))
{
	bool is_cut = utf8_columns(text) > columns;
	unsigned int left = is_cut && columns ? columns - 1 : columns;
	uint32_t character;

	while ((character = clean_text_next(&text))) {
		unsigned int width = utf8_columns_of(character);

		if (width > left)
			break;
		left -= width;
		put(out, character);
	}
	if (is_cut && columns)
		clean_text_put(out, ELLIPSIS);
}

void clean_text_put_xml(struct buffer *out, const char *text, unsigned int columns)
{
	put_cut(out, text, columns, put_xml);
}

void clean_text_put_json_in_xml(struct buffer *out, const char *text, unsigned int columns)
{
	buffer_add(out, "\"", 1);
	put_cut(out, text, columns, put_json_in_xml);
	buffer_add(out, "\"", 1);
}
