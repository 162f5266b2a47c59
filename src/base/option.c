/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/option.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

#define HELP_COLUMN 26
#define HELP_WIDTH  100

void option_list_release(struct option_list *list)
{
	free(list->items);
	*list = (struct option_list){0};
}

void option_series_release(struct option_series *series)
{
	free(series->items);
	*series = (struct option_series){0};
}

void options_release(const struct option_row *rows, void *values)
{
	for (; rows->name; rows++) {
		void *at = (char *)values + rows->offset;

		if (rows->type == OPTION_LIST)
			option_list_release(at);
		else if (rows->type == OPTION_SERIES)
			option_series_release(at);
	}
}

static const struct option_row *find_long(const struct option_row *rows, const char *name, size_t n)
{
	for (; rows->name; rows++) {
		if (!strncmp(rows->name, name, n) && rows->name[n] == '\0')
			return rows;
	}
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
	for (; rows->name; rows++) {
		if (rows->letter == letter)
			return rows;
	}
	return NULL;
}

static int set_choice(const struct option_row *row, unsigned int *value, const char *text)
{
	struct buffer names = {0};
	int err;

	for (unsigned int i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text)) {
			*value = i;
			return 0;
		}
	}
	for (unsigned int i = 0; row->choices[i]; i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", row->choices[i]);
	err = fail(-EINVAL, "'%s' is none of %s", text, names.data);
	buffer_release(&names);
	return err;
}

static void add_to_list(struct option_list *list, const char *text)
{
	array_reserve((void **)&list->items, &list->capacity, list->count + 1,
		      sizeof(*list->items));
	list->items[list->count++] = text;
}

static void add_to_series(struct option_series *series, const char *option, const char *text)
{
	array_reserve((void **)&series->items, &series->capacity, series->count + 1,
		      sizeof(*series->items));
	series->items[series->count++] = (struct option_item){option, text};
}

static int set_value(const struct option_row *row, void *values, const char *text)
{
	void *at = (char *)values + row->offset;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)at = text;
		return 0;
	case OPTION_LIST:
		add_to_list(at, text);
		return 0;
	case OPTION_SERIES:
		add_to_series(at, row->name, text);
		return 0;
	case OPTION_TIME:
		return parse_time_ns(text, at);
	case OPTION_SIZE:
		return parse_size_bytes(text, at);
	case OPTION_NUMBER:
		return parse_number(text, 0, UINT64_MAX, at);
	case OPTION_CHOICE:
		return set_choice(row, at, text);
	}
	return -EINVAL;
}

/* Sets one option whose value is INLINED ("--name=VALUE", "-nVALUE") or else the next argument. */
static int take(const struct option_row *row, void *values, const char *inlined, int argc,
		char **argv, int *at)
{
	const char *text = inlined;
	int err;

	if (row->type == OPTION_FLAG) {
		if (inlined)
			return fail(-EINVAL, "--%s takes no value", row->name);
	} else if (!text) {
		if (*at + 1 >= argc)
			return fail(-EINVAL, "--%s wants %s", row->name, row->metavar);
		text = argv[++*at];
	}
	err = set_value(row, values, text);
	return err ? fail(err, "--%s", row->name) : 0;
}

static int take_long(const struct option_row *rows, void *values, int argc, char **argv, int *at)
{
	const char *name = argv[*at] + 2;
	size_t n = strcspn(name, "=");
	const struct option_row *row = find_long(rows, name, n);

	if (!row)
		return fail(-EINVAL, "there is no option --%.*s (try --help)", (int)n, name);
	return take(row, values, name[n] ? name + n + 1 : NULL, argc, argv, at);
}

/* "-j", "-d5s", and flags in one word: "-jq". */
static int take_letters(const struct option_row *rows, void *values, int argc, char **argv, int *at)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct option_row *row = find_letter(rows, *letter);

		if (!row)
			return fail(-EINVAL, "there is no option -%c (try --help)", *letter);
		if (row->type != OPTION_FLAG)
			return take(row, values, letter[1] ? letter + 1 : NULL, argc, argv, at);
		set_value(row, values, NULL);
	}
	return 0;
}

int options_parse(const struct option_row *rows, void *values, int argc, char **argv,
		  bool stop_at_operand, int *ret_operands)
{
	int operands = 0;
	bool ended = false;

	for (int i = 0; i < argc; i++) {
		int err = 0;

		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[operands++] = argv[i];
			ended |= stop_at_operand;
		} else if (!strcmp(argv[i], "--")) {
			ended = true;
		} else if (argv[i][1] == '-') {
			err = take_long(rows, values, argc, argv, &i);
		} else {
			err = take_letters(rows, values, argc, argv, &i);
		}
		if (err)
			return err;
	}
	*ret_operands = operands;
	return 0;
}

/* Prints TEXT in a column that begins at HELP_COLUMN, broken between words. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > HELP_COLUMN && column + 1 + (int)word > HELP_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column < HELP_COLUMN)
			column += fprintf(out, "%*s", HELP_COLUMN - column, "");
		else if (column > HELP_COLUMN)
			column += fprintf(out, " ");
		column += fprintf(out, "%.*s", (int)word, text);
		text += word + (text[word] == ' ');
	}
	fputc('\n', out);
}

void options_print(FILE *out, const struct option_row *rows)
{
	for (; rows->name; rows++) {
		int column;

		if (rows->letter)
			column = fprintf(out, "  -%c, --%s", rows->letter, rows->name);
		else
			column = fprintf(out, "      --%s", rows->name);
		if (rows->metavar)
			column += fprintf(out, " %s", rows->metavar);
		if (column + 2 > HELP_COLUMN) {
			fputc('\n', out);
			column = 0;
		}
		print_wrapped(out, rows->help, column);
	}
}
