/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam explain: why something was slow, who is to blame, and what to do about it.
 */
#include "analysis/explain.h"
#include "base/error.h"
#include "cmd/command.h"
#include "cmd/filter_args.h"
#include "cmd/input.h"
#include "view/explanation.h"

struct explain_values {
	struct filter_values filter;
	const char *span;
	bool chain;
	bool json;
};

static const struct option_row rows[] = {
	FILTER_OPTIONS(struct explain_values, filter),
	ALL_THREADS_OPTION(struct explain_values, filter),
	OPTION("span", 0, OPTION_TEXT, struct explain_values, span, "NAME",
	       "the slow ones among the spans of this name (see record --span)"),
	OPTION("chain", 'c', OPTION_FLAG, struct explain_values, chain, NULL,
	       "the whole way of blame, for each cause"),
	OPTION("json", 'j', OPTION_FLAG, struct explain_values, json, NULL,
	       "all of it as one JSON object"),
	OPTIONS_END,
};

static void print(const struct explanation *explanation, const struct explain_values *values)
{
	struct explanation_style style = {
		.width = terminal_width(),
		.colour = terminal_has_colour(),
		.chain = values->chain,
	};

	if (values->json)
		explanation_print_json(stdout, explanation);
	else
		explanation_print_text(stdout, explanation, &style);
}

static int explain_history(const struct history *history, const struct explain_values *values)
{
	struct model *model = history_model(history);
	struct filter_args filter = {.pids = NULL};
	struct explain_query query = {.filter = &filter.filter, .span = values->span};
	struct explanation explanation;
	int err = filter_args_read(&filter, &values->filter, model);

	if (!err) {
		filter_args_narrow(&filter, &values->filter, model);
		err = explain(&explanation, history, &query);
	}
	if (!err) {
		print(&explanation, values);
		explanation_release(&explanation);
	}
	filter_args_release(&filter);
	return err;
}

static int run(void *context, int operand_count, char **operands)
{
	struct explain_values *values = context;
	struct recording *recording;
	struct history *history;
	int err = recording_open(&recording, operands[0]);

	(void)operand_count;
	if (!err) {
		err = history_new(&history, recording);
		if (err)
			fail(err, "reading %s", operands[0]);
		if (!err) {
			err = explain_history(history, values);
			history_free(history);
		}
		recording_close(recording);
	}
	filter_values_release(&values->filter);
	return err;
}

const struct command command_explain = {
	.name = "explain",
	.summary = "why it was slow, and who is to blame",
	.operands = "FILE",
	.description =
		"Splits the time of a target into categories that sum to the whole, follows each wait to\n"
		"who caused it, across threads and processes, and prints what was found, ranked, with\n"
		"what to do about it. The target is a thread, the threads of a process or of a name, a\n"
		"range of time, or the slow spans of a name; without any of these, the thread with the\n"
		"biggest problem in the recording.\n"
		"\n"
		"A process with nothing to do is told so. What could not be seen is said at the end.\n",
	.examples =
		"  dashcam explain a.dcam                       the biggest problem in it\n"
		"  dashcam explain a.dcam --comm 'redis*'       what redis waits for\n"
		"  dashcam explain a.dcam --tid 1234 --from 2s --to 2.5s\n"
		"  dashcam explain a.dcam --span request        what slow requests have that others "
		"don't\n"
		"  dashcam explain a.dcam --json | jq .findings[0].sentence\n",
	.options = rows,
	.values_size = sizeof(struct explain_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
