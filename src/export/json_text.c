/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/json_text.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* Most names are: letters that need no escape. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			return false;
	}
	return true;
}

void json_text_add(struct buffer *out, const char *text)
{
	if (is_plain(text)) {
		buffer_add(out, "\"", 1);
		buffer_add(out, text, strlen(text));
		buffer_add(out, "\"", 1);
	} else {
		struct buffer repaired = {0};
		json_t *string;
		char *quoted;

		utf8_add_repaired(&repaired, text);
		string = json_stringn(repaired.data, repaired.size);
		quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
		buffer_add(out, quoted ? quoted : "\"\"", quoted ? strlen(quoted) : 2);
		free(quoted);
		json_decref(string);
		buffer_release(&repaired);
	}
}
