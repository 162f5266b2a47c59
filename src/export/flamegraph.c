/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph of a recording: which stacks the threads' time went to, as an SVG. Its head says
 * what was recorded and what is not in the picture.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "base/units.h"
#include "export/export.h"
#include "export/flamegraph_calls.h"
#include "export/flamegraph_layout.h"
#include "export/flamegraph_svg.h"
#include "export/thread_stacks.h"

#define LINES 4

static const char *meta_or(const struct model *model, const char *name, const char *otherwise)
{
	const char *value = model_meta(model, name);

	return value && value[0] ? value : otherwise;
}

static char *make_title(const struct model *model, const struct export_options *options)
{
	static const char *const sides[] = {
		[EXPORT_OFF_CPU] = "Time off CPU",
		[EXPORT_ON_CPU] = "Time on CPU",
		[EXPORT_BOTH] = "Time on and off CPU",
	};
	const char *command = meta_or(model, "command", "");

	if (options->title)
		return xstrdup(options->title);
	return xasprintf("%s%s%s", sides[options->side], command[0] ? ": " : "", command);
}

/* "host dev1, 10.0 s on 2 CPUs, 34 threads; only pid 12, comm redis*". */
static char *recorded_line(const struct model *model, const struct export_options *options,
			   const struct thread_stacks *stacks)
{
	const struct filter *filter = &options->filter;
	char text[UNITS_TEXT_SIZE];
	struct buffer line = {0};
	uint64_t from_ns = model_start_ns(model);
	uint64_t to_ns = model_end_ns(model);

	if (filter->from_ns > from_ns)
		from_ns = filter->from_ns;
	if (filter->to_ns < to_ns)
		to_ns = filter->to_ns;
	buffer_printf(&line, "Host %s, %s on %u CPUs, %" PRIu32 " threads",
		      meta_or(model, "host", "?"),
		      format_ns(text, to_ns > from_ns ? to_ns - from_ns : 0),
		      model_cpu_count(model), stacks->threads);
	for (size_t i = 0; i < filter->pid_count; i++)
		buffer_printf(&line, "%s pid %" PRIu32, i ? "," : "; only", filter->pids[i]);
	for (size_t i = 0; i < filter->tid_count; i++)
		buffer_printf(&line, "%s tid %" PRIu32, i ? "," : "; only", filter->tids[i]);
	for (size_t i = 0; i < filter->comm_count; i++)
		buffer_printf(&line, "%s %s", i ? "," : "; only", filter->comms[i]);
	buffer_printf(&line, ".");
	return line.data;
}

/* "Drawn: 12.0 s on CPU, 120 s blocked, ...", and how the first of it is known. */
static char *drawn_line(const struct model *model, const struct export_options *options,
			const struct thread_stacks *stacks)
{
	const uint64_t *total_ns = stacks->tree.nodes[CALLTREE_ROOT].total;
	char text[UNITS_TEXT_SIZE], count[UNITS_TEXT_SIZE];
	struct buffer line = {0};

	buffer_printf(&line, "Drawn:");
	if (options->side != EXPORT_ON_CPU) {
		buffer_printf(&line, " %s blocked,", format_ns(text, total_ns[TIME_BLOCKED]));
		buffer_printf(&line, " %s in run queues",
			      format_ns(text, total_ns[TIME_RUN_QUEUE]));
	}
	if (options->side != EXPORT_OFF_CPU && model_sample_period_ns(model)) {
		buffer_printf(&line, "%s %s on CPU by %s samples, one every",
			      options->side == EXPORT_BOTH ? "," : "",
			      format_ns(text, total_ns[TIME_ON_CPU]),
			      format_count(count, stacks->samples));
		buffer_printf(&line, " %s",
			      thread_stacks_limit_text(text, model_sample_period_ns(model)));
		if (stacks->on_cpu_ns != MODEL_TIME_UNKNOWN)
			buffer_printf(&line, " (by the switches it was %s)",
				      format_ns(text, stacks->on_cpu_ns));
	}
	buffer_printf(&line, ".");
	return line.data;
}

/* What the stacks do not say although its time is drawn. */
static char *without_stack_line(const struct model *model, const struct export_options *options,
				const struct thread_stacks *stacks)
{
	char text[UNITS_TEXT_SIZE];
	struct buffer line = {0};

	if (stacks->short_ns) {
		buffer_printf(&line, "Waits shorter than %s have no stack and are one frame a name",
			      thread_stacks_limit_text(text, model_min_wait_ns(model)));
		buffer_printf(&line, " (%s). ", format_ns(text, stacks->short_ns));
	}
	if (stacks->no_stack_ns)
		buffer_printf(&line, "Longer waits without a stack: %s. ",
			      format_ns(text, stacks->no_stack_ns));
	if (stacks->incomplete_ns)
		buffer_printf(&line, "Stacks without their outermost frames: %s. ",
			      format_ns(text, stacks->incomplete_ns));
	if (options->side == EXPORT_BOTH && !model_sample_period_ns(model))
		buffer_printf(&line, "Time on CPU is missing: no samples were taken. ");
	return line.data;
}

/* What is not in the picture. */
static char *missing_line(const struct model *model, const struct thread_stacks *stacks,
			  const struct flame_layout *layout)
{
	char text[UNITS_TEXT_SIZE];
	struct buffer line = {0};

	if (stacks->left_out)
		buffer_printf(&line, "Threads without any stack are not drawn: %s",
			      format_count(text, stacks->left_out));
	if (stacks->left_out_ns)
		buffer_printf(&line, ", off CPU for %s", format_ns(text, stacks->left_out_ns));
	buffer_printf(&line, "%s", stacks->left_out ? ". " : "");
	if (model_lost_events(model))
		buffer_printf(&line, "Lost events: %s. ",
			      format_count(text, model_lost_events(model)));
	if (stacks->unknown_ns)
		buffer_printf(&line,
			      "Not drawn: %s of the threads' lives, before each was first seen "
			      "or in gaps of the recording. ",
			      format_ns(text, stacks->unknown_ns));
	if (layout->dropped) {
		double total_ns = (double)layout->frames[0].total_ns;

		buffer_printf(&line, "%s frames of less than %.2g %% are not drawn",
			      format_count(text, layout->dropped),
			      100 * (double)layout->least_ns / total_ns);
		buffer_printf(&line, ": %.2g %% of the time shows its callers only.",
			      100 * (double)layout->dropped_ns / total_ns);
	}
	return line.data;
}

static void write_svg(FILE *out, const struct model *model, const struct export_options *options,
		      const struct thread_stacks *stacks)
{
	struct flame_layout layout;
	_cleanup_free_ char *title = make_title(model, options);
	char *made[LINES];
	const char *lines[LINES];
	size_t count = 0;

	flame_layout_init(&layout, &stacks->tree);
	made[0] = recorded_line(model, options, stacks);
	made[1] = drawn_line(model, options, stacks);
	made[2] = without_stack_line(model, options, stacks);
	made[3] = missing_line(model, stacks, &layout);
	for (size_t i = 0; i < LINES; i++)
		if (made[i])
			lines[count++] = made[i];
	flame_svg_write(out, &layout,
			&(struct flame_head){.title = title, .lines = lines, .line_count = count});
	for (size_t i = 0; i < LINES; i++)
		free(made[i]);
	flame_layout_release(&layout);
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	struct thread_stacks stacks;
	int err;

	if (options->weight != EXPORT_STACKS) {
		err = flamegraph_write_calls(model, options, out);
	} else {
		err = thread_stacks_collect(&stacks, model, options, true);
		if (!err)
			write_svg(out, model, options, &stacks);
		thread_stacks_release(&stacks);
	}
	if (!err && (fflush(out) || ferror(out)))
		err = fail_errno(errno ? -errno : -EIO, "writing the flame graph");
	return err;
}

const struct export export_flamegraph = {
	.name = "flamegraph",
	.summary = "an interactive picture of the stacks that time went to (SVG, for any browser)",
	.suffix = ".svg",
	.shows_targets = true,
	.run = run,
};
