/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/pages.h"

struct help_values {
	const char *manual;
	bool completion;
	bool events;
};

static const struct option_row rows[] = {
	OPTION("man", 0, OPTION_TEXT, struct help_values, manual, "COMMAND",
	       "fill the manual page on standard input with what the program knows of COMMAND "
	       "('dashcam': of none of them); for the build"),
	OPTION("completion", 0, OPTION_FLAG, struct help_values, completion, NULL,
	       "print the completion for bash"),
	OPTION("events", 0, OPTION_FLAG, struct help_values, events, NULL,
	       "print docs/events.md: all kinds of events and their fields"),
	OPTIONS_END,
};

/* The command called NAME; NULL with a sentence if there is none. */
static const struct command *find(const char *name)
{
	const struct command *command = command_find(name);

	if (!command)
		fail(-EINVAL, "there is no command '%s' ('dashcam help' lists what there is)",
		     name);
	return command;
}

static int run(void *values, int operand_count, char **operands)
{
	const struct help_values *help = values;
	const struct command *command = NULL;

	if (help->manual && strcmp(help->manual, "dashcam")) {
		command = find(help->manual);
		if (!command)
			return -EINVAL;
	} else if (operand_count) {
		command = find(operands[0]);
		if (!command)
			return -EINVAL;
	}
	if (help->manual)
		page_print_manual(stdin, stdout, command);
	else if (help->completion)
		page_print_completion(stdout);
	else if (help->events)
		page_print_events(stdout);
	else if (command)
		command_print_help(stdout, command);
	else
		commands_print_overview(stdout);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.summary = "print this, or what a command does",
	.operands = "[COMMAND]",
	.description = "Prints the list of commands, or the help text of one.\n",
	.examples = "  dashcam help record\n",
	.options = rows,
	.values_size = sizeof(struct help_values),
	.max_operands = 1,
	.run = run,
};
