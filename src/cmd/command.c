/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/command.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/spelling.h"

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

/* The command that NAME may have meant: it begins so, or at most two letters differ. NULL: none. */
static const struct command *command_near(const char *name)
{
	const struct command *nearest = NULL;
	unsigned int nearest_distance = 3;

	for (size_t i = 0; commands[i]; i++) {
		unsigned int distance = spelling_distance(name, commands[i]->name);

		if (name[0] && !strncmp(name, commands[i]->name, strlen(name)))
			distance = 0;
		if (distance < nearest_distance && distance < strlen(commands[i]->name)) {
			nearest = commands[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}

static int fail_unknown(const char *name)
{
	const struct command *near = command_near(name);
	const char *what = name[0] == '-' ? "option" : "command";

	if (near)
		return fail(-EINVAL, "there is no %s '%s': did you mean '%s'?", what, name,
			    near->name);
	return fail(-EINVAL, "there is no %s '%s' ('dashcam help' lists what there is)", what,
		    name);
}

static int check_operands(const struct command *command, int count)
{
	const char *operands = command->operands;

	if (count >= command->min_operands &&
	    (command->max_operands < 0 || count <= command->max_operands))
		return 0;
	if (!operands)
		return fail(-EINVAL, "%s takes no operands, only options (try --help)",
			    command->name);
	return fail(-EINVAL, "%s wants %s (try --help)", command->name, operands);
}

/* The command's rows with --help behind them, whose value lies behind the command's values. */
static struct option_row *rows_with_help(const struct command *command)
{
	const struct option_row *from = command->options;
	struct option_row *rows;
	size_t count = 0;

	while (from && from[count].name)
		count++;
	rows = xcalloc(count + 2, sizeof(*rows));
	if (count)
		memcpy(rows, from, count * sizeof(*rows));
	rows[count] = (struct option_row){
		.name = "help",
		.letter = 'h',
		.type = OPTION_FLAG,
		.offset = command->values_size,
		.help = "print this text",
	};
	return rows;
}

/* ROWS and VALUES as rows_with_help says. */
static int parse_and_run(const struct command *command, const struct option_row *rows, char *values,
			 int argc, char **argv)
{
	bool wants_help;
	int operands;
	int err;

	err = options_parse(rows, values, argc, argv, command->stop_at_operand, &operands);
	if (err)
		return fail(err, "%s", command->name);
	argv[operands] = NULL; /* what was moved from there is not seen twice */
	memcpy(&wants_help, values + command->values_size, sizeof(wants_help));
	if (wants_help) {
		command_print_help(stdout, command);
		return 0;
	}
	err = check_operands(command, operands);
	return err ? err : command->run(values, operands, argv);
}

static int command_run(const struct command *command, int argc, char **argv)
{
	_cleanup_free_ struct option_row *rows = rows_with_help(command);
	_cleanup_free_ char *values = xcalloc(1, command->values_size + sizeof(bool));
	int result;

	if (command->defaults)
		memcpy(values, command->defaults, command->values_size);
	result = parse_and_run(command, rows, values, argc, argv);
	options_release(rows, values);
	return result;
}

int commands_run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct command *command;
	int own = argc < 2 ? argc : 2; /* words that are not the command's */

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("dashcam " DASHCAM_VERSION);
		return 0;
	}
	command = command_find(name);
	if (!command)
		return fail_unknown(name);
	return command_run(command, argc - own, argv + own);
}

void commands_print_overview(FILE *out)
{
	fputs("dashcam is a flight recorder for Linux threads: it records what they do, what they "
	      "wait for,\nand for whom.\n\n"
	      "Usage: dashcam COMMAND [OPTIONS] [OPERANDS]\n\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nTo begin:\n"
	      "  sudo dashcam doctor                          what works on this kernel\n"
	      "  sudo dashcam record -o slow.dcam -d 10s      record the whole machine\n"
	      "  sudo dashcam record -o slow.dcam -- COMMAND  or while a command runs\n"
	      "  dashcam explain slow.dcam                    why it was slow, and who is to blame\n"
	      "  dashcam report slow.dcam                     where to look first\n"
	      "  dashcam report threads slow.dcam             where each thread's time went\n"
	      "  dashcam report offcpu slow.dcam              what threads waited for\n"
	      "  dashcam report --list                        all views\n"
	      "\n'dashcam help COMMAND' says more about each.\n",
	      out);
}

void command_print_help(FILE *out, const struct command *command)
{
	_cleanup_free_ struct option_row *rows = rows_with_help(command);

	fprintf(out, "dashcam %s: %s\n\n", command->name, command->summary);
	fprintf(out, "Usage: dashcam %s [OPTIONS]%s%s\n", command->name,
		command->operands ? " " : "", command->operands ? command->operands : "");
	if (command->description)
		fprintf(out, "\n%s", command->description);
	fputs("\nOptions:\n", out);
	options_print(out, rows);
	if (command->examples)
		fprintf(out, "\nExamples:\n%s", command->examples);
}
