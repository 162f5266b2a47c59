/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam report: a named view of a recording.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/input.h"
#include "query/views.h"
#include "view/report.h"

/* What a report shows that names no view. */
#define FIRST_VIEW "overview"

struct report_values {
	struct filter_values filter;
	const char *min;
	const char *limit;
	const char *sort;
	bool json;
	bool csv;
	bool list;
};

static const struct option_row rows[] = {
	OPTION("list", 'l', OPTION_FLAG, struct report_values, list, NULL,
	       "list the views, or say more about VIEW"),
	FILTER_OPTIONS(struct report_values, filter),
	CALL_FILTER_OPTIONS(struct report_values, filter),
	ALL_THREADS_OPTION(struct report_values, filter),
	OPTION("min", 0, OPTION_TEXT, struct report_values, min, "TIME",
	       "only waits or delays from this length on, in views that show single ones"),
	OPTION("limit", 0, OPTION_TEXT, struct report_values, limit, "N",
	       "show N rows, or lines of a tree (0: all); the default is the view's"),
	OPTION("sort", 0, OPTION_TEXT, struct report_values, sort, "COLUMN",
	       "order a table by COLUMN, the largest first"),
	OPTION("json", 'j', OPTION_FLAG, struct report_values, json, NULL,
	       "one JSON object a line: plain numbers, times in ns, all rows"),
	OPTION("csv", 0, OPTION_FLAG, struct report_values, csv, NULL, "the same as CSV"),
	OPTIONS_END,
};

static enum table_format format_of(const struct report_values *values)
{
	return values->json ? TABLE_JSON : values->csv ? TABLE_CSV : TABLE_TEXT;
}

static int read_options(const struct report_values *values, struct report_options *ret)
{
	*ret = (struct report_options){
		.format = format_of(values),
		.has_min = values->min,
		.has_limit = values->limit,
		.sort = values->sort,
		.width = terminal_width(),
		.colour = terminal_has_colour(),
	};
	if (values->json && values->csv)
		return fail(-EINVAL, "--json and --csv exclude each other");
	if (values->min && parse_time_ns(values->min, &ret->min_ns))
		return fail(-EINVAL, "--min");
	if (values->limit && parse_number(values->limit, 0, UINT64_MAX, &ret->limit))
		return fail(-EINVAL, "--limit");
	return 0;
}

static void list_views(const struct views *views, enum table_format format)
{
	static const struct table_column columns[] = {
		{"view", COLUMN_TEXT},
		{"title", COLUMN_TEXT},
	};
	struct table *table = table_new(stdout, format, columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < views_count(views); i++) {
		table_add_text(table, views_at(views, i)->name);
		table_add_text(table, views_at(views, i)->title);
	}
	table_set_colour(table, terminal_has_colour());
	table_finish(table);
}

static int run_view(const struct views *views, struct report_values *values, const char *name,
		    const char *file)
{
	const struct view *view = views_find(views, name);
	struct report_options options;
	struct input input;
	int err;

	if (!view)
		return -EINVAL;
	err = read_options(values, &options);
	if (err)
		return err;
	err = input_open(&input, file, &values->filter);
	if (!err) {
		filter_args_narrow(&input.filter, &values->filter, input.model);
		query_set_filter(input.query, &input.filter.filter);
	}
	if (!err)
		err = report_run(input.query, view, &options, stdout);
	input_close(&input);
	return err;
}

static int describe(const struct views *views, const char *name)
{
	const struct view *view = views_find(views, name);

	if (!view)
		return -EINVAL;
	report_describe(view, stdout);
	return 0;
}

/* One operand: a recording, of which FIRST_VIEW is shown. What is no file may be a view without
 * one. */
static int report_alone(const struct views *views, struct report_values *values,
			const char *operand)
{
	if (!access(operand, F_OK) || strchr(operand, '/') || strchr(operand, '.'))
		return run_view(views, values, FIRST_VIEW, operand);
	if (!views_find(views, operand))
		return -EINVAL;
	return fail(-EINVAL, "report %s wants a FILE to read", operand);
}

static int run(void *context, int operand_count, char **operands)
{
	struct report_values *values = context;
	struct views *views;
	int err = views_load(&views);

	if (err)
		return err;
	if (values->list && operand_count == 0)
		list_views(views, format_of(values));
	else if (values->list)
		err = describe(views, operands[0]);
	else if (operand_count == 2)
		err = run_view(views, values, operands[0], operands[1]);
	else if (operand_count == 1)
		err = report_alone(views, values, operands[0]);
	else
		err = fail(-EINVAL, "report wants a FILE to read; report --list names the views");
	views_free(views);
	filter_values_release(&values->filter);
	return err;
}

const struct command command_report = {
	.name = "report",
	.summary = "show a recording: a named view as a table, tree or histogram",
	.operands = "[VIEW] FILE",
	.description =
		"Prints one of the views that report --list names; without one the overview, which says where\n"
		"to look first. Times may be given such as 10ms or 2s. A recording that was made for a\n"
		"command, or with --pid or --comm, is shown without other threads unless --all is given.\n"
		"Below each report stands what limits it: lost events, how often samples were taken,\n"
		"and from which length on waits carry stacks.\n"
		"\n"
		"A view is a file of SQL; dashcam query asks the same tables anything else.\n",
	.examples = "  dashcam report slow.dcam\n"
		    "  dashcam report threads slow.dcam\n"
		    "  dashcam report offcpu slow.dcam --comm 'worker*' --from 2s --to 3s\n"
		    "  dashcam report runq slow.dcam --min 5ms\n"
		    "  dashcam report threads slow.dcam --sort runnable_ns --limit 5 --json\n",
	.options = rows,
	.values_size = sizeof(struct report_values),
	.min_operands = 0,
	.max_operands = 2,
	.run = run,
};
