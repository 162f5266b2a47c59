/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph of the calls of traced functions: wide is what took long, or was called often.
 */
#include "export/flamegraph_calls.h"

#include <inttypes.h>

#include "base/units.h"
#include "export/call_stacks.h"
#include "export/flamegraph_svg.h"
#include "model/call.h"

#define LINES 3

static char *make_title(const struct model *model, const struct export_options *options)
{
	const char *command = model_meta(model, "command");

	if (options->title)
		return xstrdup(options->title);
	return xasprintf("%s%s%s",
			 options->weight == EXPORT_CALLS ? "Number of calls" : "Time in calls",
			 command && *command ? ": " : "", command ? command : "");
}

static char *drawn_line(const struct calltree *tree, const struct export_options *options)
{
	uint64_t total = calltree_total(&tree->nodes[CALLTREE_ROOT]);
	char text[UNITS_TEXT_SIZE];

	if (options->weight == EXPORT_CALLS)
		return xasprintf(
			"Drawn: %s calls of traced functions; a frame is as wide as the number "
			"of calls in it and below it.",
			format_count(text, total));
	return xasprintf(
		"Drawn: %s in calls of traced functions, by wall clock: a frame is as wide as "
		"its calls took, running or waiting.",
		format_ns(text, total));
}

/* What is not in the picture; NULL if nothing is known to be missing. */
static char *missing_line(const struct model *model)
{
	struct buffer line = {0};
	char text[UNITS_TEXT_SIZE];
	uint64_t counted = 0;

	for (size_t i = 0; i < call_name_count(model); i++)
		counted += call_name_at(model, i)->counted.calls;
	if (counted)
		buffer_printf(
			&line,
			"Not drawn: %s calls that were only counted (their time is their caller's). ",
			format_count(text, counted));
	if (model_lost_events(model))
		buffer_printf(&line, "Lost events: %s. ",
			      format_count(text, model_lost_events(model)));
	return line.data;
}

static char *dropped_line(const struct flame_layout *layout)
{
	char text[UNITS_TEXT_SIZE];

	if (!layout->dropped)
		return NULL;
	return xasprintf("%s frames of less than %.2g %% are not drawn.",
			 format_count(text, layout->dropped),
			 100 * (double)layout->least_ns / (double)layout->frames[0].total_ns);
}

int flamegraph_write_calls(struct model *model, const struct export_options *options, FILE *out)
{
	struct flame_layout layout;
	struct calltree tree;
	char *made[LINES], *title;
	const char *lines[LINES];
	size_t count = 0;
	int err = call_stacks_make(&tree, model, options);

	if (err) {
		calltree_release(&tree);
		return err;
	}
	flame_layout_init(&layout, &tree);
	title = make_title(model, options);
	made[0] = drawn_line(&tree, options);
	made[1] = missing_line(model);
	made[2] = dropped_line(&layout);
	for (size_t i = 0; i < LINES; i++)
		if (made[i])
			lines[count++] = made[i];
	flame_svg_write(out, &layout,
			&(struct flame_head){.title = title,
					     .lines = lines,
					     .line_count = count,
					     .first_column = "in calls",
					     .is_count = options->weight == EXPORT_CALLS});
	for (size_t i = 0; i < LINES; i++)
		free(made[i]);
	free(title);
	flame_layout_release(&layout);
	calltree_release(&tree);
	return 0;
}
