/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of a command: one table says what they are called, where their value goes and what they
 *mean. Parsing, --help, shell completion and the manual pages' OPTIONS all read it.
 *
 *	struct live_options { uint64_t duration_ns; bool json; };
 *	static const struct option_row rows[] = {
 *		OPTION("duration", 'd', OPTION_TIME, struct live_options, duration_ns, "TIME", "stop
 *after TIME"), OPTION("json", 'j', OPTION_FLAG, struct live_options, json, NULL, "one JSON object a
 *line"), OPTIONS_END
 *	};
 */
#ifndef DASHCAM_BASE_OPTION_H
#define DASHCAM_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
	OPTION_FLAG,   /* bool: set to true */
	OPTION_TEXT,   /* const char *: borrowed from argv */
	OPTION_LIST,   /* struct option_list: may be given again */
	OPTION_SERIES, /* struct option_series: may be given again; rows that share one keep their
			  order among each other */
	OPTION_TIME,   /* uint64_t: ns */
	OPTION_SIZE,   /* uint64_t: bytes */
	OPTION_NUMBER, /* uint64_t */
	OPTION_CHOICE, /* unsigned int: index in choices */
};

struct option_list {
	const char **items; /* borrowed from argv; the array is freed by option_list_release */
	size_t count;
	size_t capacity;
};

void option_list_release(struct option_list *list);

/* Values of several options, in the order in which they were written: "-F a -N b -F c". */
struct option_series {
	struct option_item {
		const char *option; /* name of its row */
		const char *text;   /* borrowed from argv */
	} * items;
	size_t count;
	size_t capacity;
};

void option_series_release(struct option_series *series);

struct option_row {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;      /* 0: long form only */
	enum option_type type;
	size_t offset; /* of the value in the command's struct */
	const char *metavar;
	const char *help;
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
};

#define OPTION(name_, letter_, type_, struct_, member_, metavar_, help_)                           \
	{                                                                                          \
		.name = name_, .letter = letter_, .type = type_,                                   \
		.offset = offsetof(struct_, member_), .metavar = metavar_, .help = help_           \
	}
#define OPTION_OF(name_, letter_, struct_, member_, choices_, metavar_, help_)                     \
	{                                                                                          \
		.name = name_, .letter = letter_, .type = OPTION_CHOICE,                           \
		.offset = offsetof(struct_, member_), .metavar = metavar_, .help = help_,          \
		.choices = choices_                                                                \
	}
#define OPTIONS_END                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Reads argv (without the command's own name) into VALUES. Operands are moved to the front of argv
 * in their order and counted in *ret_operands; "--" ends the options (all behind it are operands).
 * Options may stand among operands unless STOP_AT_OPERAND. Returns 0, or -EINVAL with a sentence.
 */
int options_parse(const struct option_row *rows, void *values, int argc, char **argv,
		  bool stop_at_operand, int *ret_operands);

/* Frees the lists in VALUES; what they borrow stays. */
void options_release(const struct option_row *rows, void *values);

/* Prints the rows as the OPTIONS part of a help text. */
void options_print(FILE *out, const struct option_row *rows);

#endif
