/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command: its name, its options, its help, what it does. main.c lists them in one table.
 */
#ifndef DASHCAM_CMD_COMMAND_H
#define DASHCAM_CMD_COMMAND_H

#include "base/option.h"

struct command {
	const char *name;
	const char *summary;     /* one line for the list of commands */
	const char *operands;    /* "FILE SQL"; NULL: none */
	const char *description; /* paragraphs of the help text, ending in a newline */
	const char *examples;    /* lines of the help text, ending in a newline */
	const struct option_row *options;
	size_t values_size;   /* of the struct that options fill */
	const void *defaults; /* its initial content; NULL: zero */
	bool stop_at_operand; /* options end at the first operand: the rest is a command to run */
	int min_operands;
	int max_operands; /* -1: any number */
	/* Runs with parsed VALUES and the operands, which end in a NULL. Returns an exit status (0
	 * done) or a negative errno with a sentence (fail): main prints it and exits with 1, for
	 * -EINVAL with 2. A sentence that is pending beside a status above 0 is printed too. */
	int (*run)(void *values, int operand_count, char **operands);
};

/* Options that every command reading a recording takes (time values: since the recording's start,
 * or with a leading @ seconds on its clock). */
struct filter_values {
	struct option_list pids;
	struct option_list tids;
	struct option_list comms; /* shell globs on the thread's name */
	bool all;                 /* not only the threads the recording was made for */
	const char *from;
	const char *to;
	struct option_list functions;    /* patterns on the names of traced functions */
	struct option_list no_functions;
	uint64_t call_depth; /* 0: no limit */
};

#define FILTER_OPTIONS(struct_, member_)                                                           \
	OPTION("pid", 'p', OPTION_LIST, struct_, member_.pids, "PID",                              \
	       "only threads of process PID; may be repeated"),                                    \
		OPTION("tid", 't', OPTION_LIST, struct_, member_.tids, "TID",                      \
		       "only thread TID; may be repeated"),                                        \
		OPTION("comm", 0, OPTION_LIST, struct_, member_.comms, "GLOB",                     \
		       "only threads whose name matches, such as 'redis*'; may be repeated"),      \
		OPTION("from", 0, OPTION_TEXT, struct_, member_.from, "TIME",                      \
		       "from TIME after the recording's start"),                                   \
		OPTION("to", 0, OPTION_TEXT, struct_, member_.to, "TIME",                          \
		       "up to TIME after the recording's start")

/* For commands that show only the threads a recording was made for (filter_args_narrow). */
#define ALL_THREADS_OPTION(struct_, member_)                                                       \
	OPTION("all", 'a', OPTION_FLAG, struct_, member_.all, NULL,                                \
	       "all threads of the machine, also if the recording was made for a command or "      \
	       "with --pid or --comm")

/* For commands that show calls of traced functions. */
#define CALL_FILTER_OPTIONS(struct_, member_)                                                      \
	OPTION("function", 'F', OPTION_LIST, struct_, member_.functions, "GLOB",                   \
	       "only calls of functions whose name matches, such as 'leveldb::*', "                \
	       "'*@libc.so.6' or '/regular expression/'; may be repeated"),                        \
		OPTION("no-function", 'N', OPTION_LIST, struct_, member_.no_functions, "GLOB",     \
		       "not those; may be repeated"),                                              \
		OPTION("depth", 0, OPTION_NUMBER, struct_, member_.call_depth, "N",                \
		       "only calls with fewer than N traced ones around them")

extern const struct command command_record, command_info, command_report, command_explain,
	command_export, command_query, command_live, command_probes, command_doctor, command_help;

/* All of them, in the order of the help text; NULL ends the list. In main.c. */
extern const struct command *const commands[];

/* The command of that name; NULL if there is none. */
const struct command *command_find(const char *name);

/* Finds the command argv[1] names, reads its options and runs it. Returns the exit status, or a
 * negative errno with a sentence: -EINVAL means wrong usage. */
int commands_run(int argc, char **argv);

/* What `dashcam` alone prints, and what `dashcam COMMAND --help` prints. */
void commands_print_overview(FILE *out);
void command_print_help(FILE *out, const struct command *command);

#endif
