/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam explain: why something was slow. Not there yet: it says so and what helps until then.
 */
#include <errno.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/filter_args.h"

struct explain_values {
	struct filter_values filter;
	bool json;
};

static const struct option_row rows[] = {
	FILTER_OPTIONS(struct explain_values, filter),
	OPTION("json", 'j', OPTION_FLAG, struct explain_values, json, NULL, "the findings as JSON"),
	OPTIONS_END,
};

static int run(void *context, int operand_count, char **operands)
{
	struct explain_values *values = context;

	(void)operand_count;
	filter_values_release(&values->filter);
	return fail(
		-EOPNOTSUPP,
		"explain cannot be asked yet: it will split a thread's time into categories and follow "
		"each wait to who caused it; until then 'dashcam report waits %s' shows the longest "
		"waits with their evidence, 'report runq' who ran instead, 'report wakers' who woke "
		"whom, and 'report offcpu' where the time went",
		operands[0]);
}

const struct command command_explain = {
	.name = "explain",
	.summary = "why it was slow (not there yet)",
	.operands = "FILE",
	.description =
		"Will split the time of a thread into categories, follow each wait to the one that "
		"caused it,\nand print ranked findings. Until then see report waits, runq, wakers "
		"and offcpu.\n",
	.options = rows,
	.values_size = sizeof(struct explain_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
