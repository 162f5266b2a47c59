/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages about the kinds of events and their fields. */
#include <ctype.h>

#include "cmd/pages.h"
#include "event/schema.h"

/* ---- docs/events.md ---- */

static const char *meaning_text(unsigned int meaning)
{
	static const char *const texts[] = {
		[MEANING_COUNT] = "number",
		[MEANING_TIME_NS] = "moment, ns",
		[MEANING_DURATION_NS] = "duration, ns",
		[MEANING_TID] = "tid",
		[MEANING_PID] = "pid",
		[MEANING_CPU] = "CPU",
		[MEANING_STATE] = "task state",
		[MEANING_STACK] = "stack id",
		[MEANING_OBJECT] = "file or socket id",
		[MEANING_FLAGS] = "flags",
		[MEANING_ADDRESS] = "address",
		[MEANING_SYSCALL] = "system call",
		[MEANING_BYTES] = "bytes",
		[MEANING_TEXT] = "text",
		[MEANING_BINARY] = "binary",
		[MEANING_FRAMES] = "frames",
		[MEANING_MODULE] = "module id",
		[MEANING_TEXTS] = "two texts",
		[MEANING_MODE] = "file mode",
	};
	const char *text = meaning < sizeof(texts) / sizeof(texts[0]) ? texts[meaning] : NULL;

	return text ? text : "";
}

static void write_row(FILE *out, const struct event_field *field)
{
	if (field->meaning == MEANING_RESERVED)
		return;
	fprintf(out, "| `%s` | %u | ", field->name, field->offset);
	if (!field->size)
		fputs("rest", out);
	else if (field->count > 1)
		fprintf(out, "%u x %u", field->count, field->size);
	else
		fprintf(out, "%u", field->size);
	fprintf(out, " | %s | %s", meaning_text(field->meaning), field->help);
	if (field->if_absent)
		fprintf(out, "; %d in recordings older than the field", field->if_absent);
	fputs(" |\n", out);
}

void page_print_events(FILE *out)
{
	fputs("# Events\n\n"
	      "Written by `make docs` from the event table (`src/event/schema.c`): change it "
	      "there.\n\n"
	      "An event is a header of 16 bytes (mark 4, kind 2, size 2, time 8) and the fields "
	      "of its kind.\nOffsets and sizes are in bytes, numbers are little-endian. Each "
	      "recording carries this table in its own\nversion. `dashcam query` has one SQL table "
	      "`event_KIND` per kind.\n",
	      out);
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		if (!schema)
			continue;
		fprintf(out, "\n## %u `%s`\n\n%c%s.\n\n", kind, schema->name,
			toupper((unsigned char)schema->says[0]), schema->says + 1);
		fputs("| field | offset | size | meaning | says |\n|---|---|---|---|---|\n", out);
		for (unsigned int i = 0; i < schema->field_count; i++)
			write_row(out, &schema->fields[i]);
	}
}

/* ---- dashcam-recording(5) ---- */

/* "48  6 x 8  args" and what it says. */
static void write_entry(FILE *out, const struct event_field *field)
{
	if (field->meaning == MEANING_RESERVED)
		return;
	fprintf(out, ".TP 31\n%3u  ", field->offset);
	if (!field->size)
		fputs("rest ", out);
	else if (field->count > 1)
		fprintf(out, "%ux%-3u", field->count, field->size);
	else
		fprintf(out, "%-5u", field->size);
	fprintf(out, "\\fB%s\\fR\n", field->name);
	page_write_roff(out, field->help);
	if (field->if_absent)
		fprintf(out, "; \\-%d in recordings older than the field", -field->if_absent);
	fputc('\n', out);
}

void page_write_events(FILE *out)
{
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		if (!schema)
			continue;
		fprintf(out, ".SS %u %s\n%c", kind, schema->name,
			toupper((unsigned char)schema->says[0]));
		page_write_roff(out, schema->says + 1);
		fputs(".\n.PD 0\n", out);
		for (unsigned int i = 0; i < schema->field_count; i++)
			write_entry(out, &schema->fields[i]);
		fputs(".PD\n", out);
	}
}
