/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam doctor: what works on this machine, and how to mend the rest.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "capture/hooks.h"
#include "cmd/command.h"

struct doctor_values {
	bool json;
};

static const struct option_row doctor_rows[] = {
	OPTION("json", 'j', OPTION_FLAG, struct doctor_values, json, NULL,
	       "one JSON object a line"),
	OPTIONS_END,
};

static const char *status_text(enum hook_id id, const struct hook_state *states)
{
	if (states[id].works)
		return "works";
	return hook_has_stand_in(id, states) ? "falls back" : "missing";
}

static void add_hook(struct table *table, enum hook_id id, const struct hook_state *states)
{
	_cleanup_free_ char *mend = NULL;

	table_add_text(table, hooks[id].name);
	table_add_text(table, status_text(id, states));
	table_add_text(table, states[id].works ? hooks[id].gives : hooks[id].without);
	if (!states[id].works)
		mend = xasprintf("%s (%s)", hooks[id].mend, strerror(-states[id].error));
	table_add_text(table, mend);
}

/* First line of a small file that tells a setting; "" if it is not there. */
static void read_setting(const char *path, char *text, int size)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (file && fgets(text, size, file))
		text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void print_machine(void)
{
	struct utsname name;
	char lockdown[128];

	uname(&name);
	printf("%s %s, %s, %ld CPUs online\n", name.sysname, name.release, name.machine,
	       sysconf(_SC_NPROCESSORS_ONLN));
	read_setting("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	if (strstr(lockdown, "[confidentiality]"))
		printf("lockdown is in confidentiality mode: BPF may not read kernel memory, nothing can be "
		       "recorded. Boot with lockdown=integrity.\n");
	else if (strstr(lockdown, "[integrity]"))
		printf("lockdown is in integrity mode: tracepoints work, hooks on kernel functions do not\n");
	printf("\n");
}

/* One sentence that sums it up. Returns the exit status. */
static int print_verdict(const struct hook_state *states, bool is_silent)
{
	unsigned int missing = 0;

	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		missing += !states[id].works && !hook_has_stand_in(id, states);
		if (hooks[id].is_required && !states[id].works) {
			if (!is_silent)
				printf("\nNothing can be recorded here: %s is missing. %s.\n",
				       hooks[id].name, hooks[id].mend);
			return 1;
		}
	}
	if (is_silent)
		return 0;
	if (missing)
		printf("\nRecording works, but for what the %u missing would give.\n", missing);
	else
		printf("\nEverything that is needed works here.\n");
	return 0;
}

static int run(void *values_, int operand_count, char **operands)
{
	const struct doctor_values *values = values_;
	static const struct table_column columns[] = {{"hook", COLUMN_TEXT},
						      {"status", COLUMN_TEXT},
						      {"gives", COLUMN_TEXT},
						      {"mend", COLUMN_TEXT}};
	struct hook_state states[HOOK_COUNT];
	struct table *table;
	int err = hooks_check_machine();

	(void)operand_count;
	(void)operands;
	if (err)
		return err;
	if (!values->json)
		print_machine();
	table = table_new(stdout, values->json ? TABLE_JSON : TABLE_TEXT, columns,
			  ARRAY_SIZE(columns));
	table_set_colour(table, isatty(STDOUT_FILENO));
	hooks_try(states, true, NULL);
	for (enum hook_id id = 0; id < HOOK_COUNT; id++)
		add_hook(table, id, states);
	table_finish(table);
	return print_verdict(states, values->json);
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "tell what works on this machine, and how to mend the rest",
	.description =
		"Tries every kernel hook that dashcam knows, with an empty program, and says what each\n"
		"gives, or what will not be known without it and what to do about that. Leaves\n"
		"nothing attached. Exit status 1 if nothing can be recorded. Needs root.\n",
	.examples = "  dashcam doctor\n"
		    "  dashcam doctor --json | grep -v works\n",
	.options = doctor_rows,
	.values_size = sizeof(struct doctor_values),
	.run = run,
};
