/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam probes: what can be recorded.
 */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "capture/hooks.h"
#include "cmd/command.h"
#include "cmd/probes_functions.h"

struct probes_values {
	const char *functions;
	bool json;
};

static const struct option_row probes_rows[] = {
	OPTION("functions", 'F', OPTION_TEXT, struct probes_values, functions, "BINARY",
	       "list the functions of BINARY instead: a path, a program in PATH, or a library's "
	       "name such as libc.so.6"),
	OPTION("json", 'j', OPTION_FLAG, struct probes_values, json, NULL,
	       "one JSON object a line"),
	OPTIONS_END,
};

static void print_probes(bool json)
{
	static const struct table_column columns[] = {
		{"probe", COLUMN_TEXT}, {"when", COLUMN_TEXT}, {"records", COLUMN_TEXT}};
	struct table *table =
		table_new(stdout, json ? TABLE_JSON : TABLE_TEXT, columns, ARRAY_SIZE(columns));

	for (enum probe_id i = 0; i < PROBE_COUNT; i++) {
		table_add_text(table, probes[i].name);
		table_add_text(table, probe_mode_text(probes[i].mode));
		table_add_text(table, probes[i].gives);
	}
	table_finish(table);
}

static int run(void *values_, int operand_count, char **operands)
{
	const struct probes_values *values = values_;

	if (values->functions)
		return probes_print_functions(values->functions,
					      operand_count > 0 ? operands[0] : NULL, values->json);
	if (operand_count > 0)
		return fail(-EINVAL,
			    "'%s' chooses among functions: say of what by --functions "
			    "BINARY",
			    operands[0]);
	print_probes(values->json);
	return 0;
}

const struct command command_probes = {
	.name = "probes",
	.summary = "list what can be recorded",
	.operands = "[GLOB]",
	.description =
		"Lists the probes that record --probe takes. Whether the kernel hooks under them work\n"
		"here is what dashcam doctor tells.\n"
		"\n"
		"With --functions it lists the functions of a program or library, those whose names match\n"
		"GLOB, and how record -F would probe each. Functions come from the symbol tables, from\n"
		"debug files, and where there are none, from the table for unwinding: those are called by\n"
		"their address (fn_0x1234). The price of a probe is the instruction under it: cheap (under\n"
		"a microsecond) where the kernel can emulate it, costly (some ten) where it must be\n"
		"single-stepped. The probe may lie some bytes behind the entry; each call passes there\n"
		"once. Source lines are told where there is DWARF.\n",
	.examples =
		"  dashcam probes\n"
		"  dashcam record --probe sched -d 5s      no samples of what runs on the CPUs\n"
		"  dashcam probes --functions redis-server '*Command'\n"
		"  dashcam probes --functions libsqlite3.so.0 '/_(step|bind)/' --json\n",
	.options = probes_rows,
	.values_size = sizeof(struct probes_values),
	.max_operands = 1,
	.run = run,
};
