/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/wrap.h"

#include <string.h>

#include "base/utf8.h"

#define TEXT_COLUMNS_MIN 20 /* a narrower terminal has to wrap by itself */

/* How much of TEXT goes into a line of COLUMNS: up to a blank if there is one. */
static size_t line_length(const char *text, unsigned int columns)
{
	size_t fits = utf8_fit(text, columns);

	if (!text[fits])
		return fits;
	for (size_t i = fits; i > 0; i--) {
		if (text[i] == ' ')
			return i;
	}
	return fits ? fits : strlen(text);
}

void wrap_print(const char *text, unsigned int indent, unsigned int width, FILE *out)
{
	unsigned int columns = width > indent + TEXT_COLUMNS_MIN ? width - indent : 0;

	while (columns) {
		size_t length = line_length(text, columns);

		fprintf(out, "%.*s\n", (int)length, text);
		text += length + strspn(text + length, " ");
		if (!*text)
			return;
		fprintf(out, "%*s", (int)indent, "");
	}
	fprintf(out, "%s\n", text);
}
