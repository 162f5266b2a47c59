/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam probes: what can be recorded.
 */
#include <stdio.h>

#include "base/memory.h"
#include "base/table.h"
#include "capture/hooks.h"
#include "cmd/command.h"

struct probes_values {
	bool json;
};

static const struct option_row probes_rows[] = {
	OPTION("json", 'j', OPTION_FLAG, struct probes_values, json, NULL,
	       "one JSON object a line"),
	OPTIONS_END,
};

static int run(void *values_, int operand_count, char **operands)
{
	const struct probes_values *values = values_;
	static const struct table_column columns[] = {
		{"probe", COLUMN_TEXT}, {"when", COLUMN_TEXT}, {"records", COLUMN_TEXT}};
	struct table *table = table_new(stdout, values->json ? TABLE_JSON : TABLE_TEXT, columns,
					ARRAY_SIZE(columns));

	(void)operand_count;
	(void)operands;
	for (enum probe_id i = 0; i < PROBE_COUNT; i++) {
		table_add_text(table, probes[i].name);
		table_add_text(table, probe_mode_text(probes[i].mode));
		table_add_text(table, probes[i].gives);
	}
	table_finish(table);
	return 0;
}

const struct command command_probes = {
	.name = "probes",
	.summary = "list what can be recorded",
	.description =
		"Lists the probes that record --probe takes. Whether the kernel hooks under them work\n"
		"here is what dashcam doctor tells.\n",
	.examples =
		"  dashcam probes\n"
		"  dashcam record --probe sched -d 5s      no samples of what runs on the CPUs\n",
	.options = probes_rows,
	.values_size = sizeof(struct probes_values),
	.run = run,
};
