/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/pages.h"

#include <ctype.h>
#include <string.h>

#include "event/schema.h"

/* ---- manual pages ---- */

/* Writes TEXT so that roff takes nothing in it as a command. Each line break stays one. */
static void write_roff(FILE *out, const char *text)
{
	bool at_line_start = true;

	for (; *text; text++) {
		if (at_line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		at_line_start = *text == '\n';
	}
}

static void write_options(FILE *out, const struct option_row *row)
{
	for (; row && row->name; row++) {
		fputs(".TP\n", out);
		if (row->letter)
			fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
		fputs("\\fB\\-\\-", out);
		write_roff(out, row->name);
		fputs("\\fR", out);
		if (row->metavar) {
			fputs(" \\fI", out);
			write_roff(out, row->metavar);
			fputs("\\fR", out);
		}
		fputc('\n', out);
		write_roff(out, row->help);
		fputc('\n', out);
	}
	fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nPrint the help text.\n", out);
}

/* Paragraphs are separated by empty lines; indented lines are shown as they are. */
static void write_paragraphs(FILE *out, const char *text)
{
	bool shown = false;

	while (text && *text) {
		size_t n = strcspn(text, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		if (shown != (line[0] == ' ') && n) {
			shown = line[0] == ' ';
			fputs(shown ? ".PP\n.nf\n" : ".fi\n.PP\n", out);
		}
		if (n)
			write_roff(out, line);
		else
			fputs(shown ? "" : ".PP", out);
		fputc('\n', out);
		text += n + (text[n] == '\n');
	}
	if (shown)
		fputs(".fi\n", out);
}

static void write_commands(FILE *out)
{
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, ".TP\n\\fBdashcam\\-%s\\fR(1)\n", commands[i]->name);
		write_roff(out, commands[i]->summary);
		fputc('\n', out);
	}
}

static void write_title(FILE *out, const struct command *command)
{
	fputs(".TH DASHCAM", out);
	if (command) {
		fputs("\\-", out);
		for (const char *at = command->name; *at; at++)
			fputc(toupper((unsigned char)*at), out);
	}
	fputs(" 1 \"\" \"dashcam " DASHCAM_VERSION "\" \"dashcam manual\"\n", out);
}

static void write_name(FILE *out, const struct command *command)
{
	fprintf(out, "dashcam\\-%s \\- ", command->name);
	write_roff(out, command->summary);
	fputc('\n', out);
}

static void write_synopsis(FILE *out, const struct command *command)
{
	fprintf(out, "\\fBdashcam %s\\fR [\\fIOPTIONS\\fR]", command->name);
	if (command->operands) {
		fputs(" \\fI", out);
		write_roff(out, command->operands);
		fputs("\\fR", out);
	}
	fputc('\n', out);
}

/* Writes what stands for LINE, a placeholder of a command's page; false if it is none. */
static bool write_placeholder(FILE *out, const char *line, const struct command *command)
{
	if (!strcmp(line, "@TITLE@\n"))
		write_title(out, command);
	else if (!strcmp(line, "@COMMANDS@\n"))
		write_commands(out);
	else if (!command)
		return false;
	else if (!strcmp(line, "@NAME@\n"))
		write_name(out, command);
	else if (!strcmp(line, "@SYNOPSIS@\n"))
		write_synopsis(out, command);
	else if (!strcmp(line, "@DESCRIPTION@\n"))
		write_paragraphs(out, command->description);
	else if (!strcmp(line, "@OPTIONS@\n"))
		write_options(out, command->options);
	else if (!strcmp(line, "@EXAMPLES@\n"))
		write_paragraphs(out, command->examples);
	else
		return false;
	return true;
}

void page_print_manual(FILE *in, FILE *out, const struct command *command)
{
	char line[1024];

	while (fgets(line, sizeof(line), in)) {
		if (!write_placeholder(out, line, command))
			fputs(line, out);
	}
}

/* ---- completion ---- */

static void write_option_words(FILE *out, const struct option_row *row)
{
	for (; row && row->name; row++)
		fprintf(out, "--%s ", row->name);
	fputs("--help", out);
}

/* One case per option that takes one of a few words. */
static void write_choices(FILE *out, const struct command *command)
{
	const struct option_row *row = command->options;

	for (; row && row->name; row++) {
		if (row->type != OPTION_CHOICE)
			continue;
		fprintf(out, "\t%s:--%s) words=\"", command->name, row->name);
		for (size_t i = 0; row->choices[i]; i++)
			fprintf(out, "%s%s", i ? " " : "", row->choices[i]);
		fputs("\" ;;\n", out);
	}
}

void page_print_completion(FILE *out)
{
	fputs("# bash completion for dashcam, written by 'dashcam help --completion'\n"
	      "_dashcam()\n"
	      "{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\twords=\"",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "%s ", commands[i]->name);
	fputs("--help --version\"\n"
	      "\telif [[ $command == help ]]; then\n"
	      "\t\twords=\"",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", commands[i]->name);
	fputs("\"\n"
	      "\telif [[ $word == -* ]]; then\n"
	      "\t\tcase $command in\n",
	      out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, "\t\t%s) words=\"", commands[i]->name);
		write_option_words(out, commands[i]->options);
		fputs("\" ;;\n", out);
	}
	fputs("\t\tesac\n"
	      "\telif ((COMP_CWORD == 2)) && [[ $command == report || $command == export || "
	      "$command == live ]]; then\n"
	      "\t\twords=$(dashcam \"${command/live/report}\" --list 2>/dev/null | awk 'NR > 1 {print $1}')\n"
	      "\tfi\n"
	      "\tcase $command:${COMP_WORDS[COMP_CWORD-1]} in\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		write_choices(out, commands[i]);
	fputs("\tesac\n"
	      "\t[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	      "}\n"
	      "complete -o default -F _dashcam dashcam\n",
	      out);
}

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

static void write_field(FILE *out, const struct event_field *field)
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
	fprintf(out, " | %s | %s |\n", meaning_text(field->meaning), field->help);
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
			write_field(out, &schema->fields[i]);
	}
}
