/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/pages.h"

#include <ctype.h>
#include <string.h>

#include "analysis/rules.h"
#include "base/units.h"
#include "capture/hooks.h"

/* ---- manual pages ---- */

void page_write_roff(FILE *out, const char *text)
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
		page_write_roff(out, row->name);
		fputs("\\fR", out);
		if (row->metavar) {
			fputs(" \\fI", out);
			page_write_roff(out, row->metavar);
			fputs("\\fR", out);
		}
		fputc('\n', out);
		page_write_roff(out, row->help);
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
			page_write_roff(out, line);
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
		page_write_roff(out, commands[i]->summary);
		fputc('\n', out);
	}
}

static void write_probes(FILE *out)
{
	for (size_t i = 0; i < PROBE_COUNT; i++) {
		fprintf(out, ".TP\n\\fB%s\\fR (%s)\n", probes[i].name,
			probe_mode_text(probes[i].mode));
		page_write_roff(out, probes[i].gives);
		fputs(".\n", out);
	}
}

/* "5 %, or 20 ms at once": how much of it is worth a finding. */
static void write_limit(FILE *out, const struct category_rule *rule)
{
	char time[UNITS_TEXT_SIZE];

	if (!rule->weight) {
		fputs("never", out);
		return;
	}
	fprintf(out, "%.0f %%", 100 * rule->min_share);
	if (rule->min_longest_ns)
		fprintf(out, ", or %s at once", format_ns(time, rule->min_longest_ns));
}

static void write_categories(FILE *out)
{
	for (int i = 0; i < CATEGORY_COUNT; i++) {
		fprintf(out, ".TP 16\n\\fB%s\\fR\n", category_name((enum category)i));
		page_write_roff(out, category_says((enum category)i));
		fputs(" (", out);
		write_limit(out, rule_of((enum category)i));
		fputs(")\n", out);
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
	page_write_roff(out, command->summary);
	fputc('\n', out);
}

static void write_synopsis(FILE *out, const struct command *command)
{
	fprintf(out, "\\fBdashcam %s\\fR [\\fIOPTIONS\\fR]", command->name);
	if (command->operands) {
		fputs(" \\fI", out);
		page_write_roff(out, command->operands);
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
	else if (!strcmp(line, "@CATEGORIES@\n"))
		write_categories(out);
	else if (!strcmp(line, "@EVENTS@\n"))
		page_write_events(out);
	else if (!strcmp(line, "@PROBES@\n"))
		write_probes(out);
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
