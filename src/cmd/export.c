/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam export: a recording in somebody else's format.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/filter_args.h"
#include "cmd/output_file.h"
#include "export/export.h"

struct export_values {
	struct filter_values filter;
	const char *output;
	const char *kind;
	const char *title;
	bool off_cpu;
	bool on_cpu;
	bool both;
	const char *by;
	bool by_thread;
	bool lines;
	bool old_samples;
	bool list;
	bool json;
};

static const struct option_row rows[] = {
	OPTION("output", 'o', OPTION_TEXT, struct export_values, output, "OUT",
	       "write to OUT; - is standard output"),
	OPTION("list", 'l', OPTION_FLAG, struct export_values, list, NULL, "list the formats"),
	FILTER_OPTIONS(struct export_values, filter),
	CALL_FILTER_OPTIONS(struct export_values, filter),
	ALL_THREADS_OPTION(struct export_values, filter),
	OPTION("kind", 0, OPTION_TEXT, struct export_values, kind, "KIND",
	       "only events of one kind, such as wait (csv, json)"),
	OPTION("off-cpu", 0, OPTION_FLAG, struct export_values, off_cpu, NULL,
	       "time spent waiting (folded, flamegraph; the default)"),
	OPTION("on-cpu", 0, OPTION_FLAG, struct export_values, on_cpu, NULL,
	       "time spent running, by samples (folded, flamegraph)"),
	OPTION("both", 0, OPTION_FLAG, struct export_values, both, NULL,
	       "both in one picture (folded, flamegraph)"),
	OPTION("by", 0, OPTION_TEXT, struct export_values, by, "WEIGHT",
	       "by what was traced (record -F) instead: calls-time or calls, the number of them (folded, "
	       "flamegraph)"),
	OPTION("by-thread", 0, OPTION_FLAG, struct export_values, by_thread, NULL,
	       "a root for each thread name, not for each process (folded, flamegraph)"),
	OPTION("lines", 0, OPTION_FLAG, struct export_values, lines, NULL,
	       "source file and line behind functions, where known (folded, flamegraph)"),
	OPTION("title", 0, OPTION_TEXT, struct export_values, title, "TEXT",
	       "the picture's title (flamegraph)"),
	OPTION("old-samples", 0, OPTION_FLAG, struct export_values, old_samples, NULL,
	       "samples in the form that Perfetto before v58 reads (perfetto)"),
	OPTION("json", 'j', OPTION_FLAG, struct export_values, json, NULL,
	       "the list as JSON, one object a line"),
	OPTIONS_END,
};

static const struct export *format_find(const char *name)
{
	for (size_t i = 0; exports[i]; i++) {
		if (!strcmp(exports[i]->name, name))
			return exports[i];
	}
	return NULL;
}

static void list_formats(const struct export_values *values)
{
	static const struct table_column columns[] = {
		{"format", COLUMN_TEXT},
		{"suffix", COLUMN_TEXT},
		{"what", COLUMN_TEXT},
	};
	struct table *table = table_new(stdout, values->json ? TABLE_JSON : TABLE_TEXT, columns,
					ARRAY_SIZE(columns));

	for (size_t i = 0; exports[i]; i++) {
		table_add_text(table, exports[i]->name);
		table_add_text(table, exports[i]->suffix);
		table_add_text(table, exports[i]->summary);
	}
	table_finish(table);
}

/* --on-cpu and --off-cpu together are both. */
static enum export_side chosen_side(const struct export_values *values)
{
	if (values->both || (values->on_cpu && values->off_cpu))
		return EXPORT_BOTH;
	return values->on_cpu ? EXPORT_ON_CPU : EXPORT_OFF_CPU;
}

static int read_weight(const char *by, enum export_weight *ret)
{
	*ret = EXPORT_STACKS;
	if (!by)
		return 0;
	*ret = strcmp(by, "calls") ? EXPORT_CALLS_TIME : EXPORT_CALLS;
	if (*ret == EXPORT_CALLS_TIME && strcmp(by, "calls-time"))
		return fail(-EINVAL, "--by is calls-time or calls, not '%s'", by);
	return 0;
}

/* What is to be opened in a viewer goes to a file beside the recording; text goes down the pipe. */
static char *output_path(const struct export *format, const struct export_values *values,
			 const char *file)
{
	static const char suffix[] = ".dcam";
	size_t size = strlen(file), end = strlen(suffix);

	if (values->output)
		return xstrdup(values->output);
	if (!format->is_binary && format != &export_flamegraph)
		return xstrdup("-");
	if (size > end && !strcmp(file + size - end, suffix))
		size -= end;
	return xasprintf("%.*s%s", (int)size, file, format->suffix);
}

static void show_progress(void *context, double part)
{
	int *last_percent = context;
	int percent = (int)(part * 100);

	if (percent != *last_percent)
		fprintf(stderr, "\r\033[Kreading: %d %%", percent);
	*last_percent = percent;
}

static int read_model(struct model **ret, struct recording *recording, bool with_progress)
{
	int last_percent = -1;
	struct model_options options = {
		.min_wait_ns = UINT64_MAX,
		.progress = with_progress ? show_progress : NULL,
		.context = &last_percent,
	};
	int err = model_new(ret, recording, &options);

	if (last_percent >= 0)
		fprintf(stderr, "\r\033[K");
	return err;
}

static int write_format(const struct export *format, struct model *model,
			const struct export_options *options, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	struct output_file output;
	int err;

	if (format->is_binary && is_stdout && isatty(STDOUT_FILENO))
		return fail(-EINVAL, "%s is not for a terminal: give a file with -o", format->name);
	err = output_file_begin(&output, path);
	if (err)
		return err;
	err = output_file_end(&output, format->run(model, options, output.stream));
	if (!err && !is_stdout && isatty(STDERR_FILENO))
		fprintf(stderr, "wrote %s\n", path);
	return err;
}

static int export_model(const struct export *format, struct model *model,
			const struct export_values *values, const char *path)
{
	struct filter_args filter;
	enum export_weight weight;
	int err = filter_args_read(&filter, &values->filter, model);

	if (!err)
		err = read_weight(values->by, &weight);

	if (format->shows_targets)
		filter_args_narrow(&filter, &values->filter, model);
	if (!err) {
		const struct export_options options = {
			.filter = filter.filter,
			.side = chosen_side(values),
			.weight = weight,
			.by_thread = values->by_thread,
			.with_lines = values->lines,
			.title = values->title,
			.event_kind = values->kind,
			.old_samples = values->old_samples,
		};

		err = write_format(format, model, &options, path);
	}
	filter_args_release(&filter);
	return err;
}

static int export_file(const struct export *format, const struct export_values *values,
		       const char *file)
{
	_cleanup_free_ char *path = output_path(format, values, file);
	struct recording *recording;
	struct model *model = NULL;
	int err = recording_open(&recording, file);

	if (err)
		return err;
	err = read_model(&model, recording, isatty(STDERR_FILENO));
	if (err)
		err = fail(err, "reading %s", file);
	else
		err = export_model(format, model, values, path);
	model_free(model);
	recording_close(recording);
	return err;
}

static int run(void *context, int operand_count, char **operands)
{
	struct export_values *values = context;
	const struct export *format = operand_count > 0 ? format_find(operands[0]) : NULL;
	int err = 0;

	if (values->list)
		list_formats(values);
	else if (operand_count > 0 && !format)
		err = fail(-EINVAL, "there is no format '%s'; export --list names them",
			   operands[0]);
	else if (operand_count != 2)
		err = fail(-EINVAL, "export wants FORMAT FILE; export --list names the formats");
	else
		err = export_file(format, values, operands[1]);
	filter_values_release(&values->filter);
	return err;
}

const struct command command_export = {
	.name = "export",
	.summary = "write a recording in another format: Perfetto, Chrome, flame graph, JSON ...",
	.operands = "FORMAT FILE",
	.description =
		"Writes the recording in one of the formats that export --list names. What a viewer\n"
		"opens (perfetto, flamegraph) goes to a file named like FILE, with the format's suffix;\n"
		"the others go to standard output. A file appears when it is whole.\n"
		"\n"
		"With --pid, --tid or --comm, a Perfetto trace shows all others as '(not recorded)'.\n",
	.examples =
		"  dashcam export perfetto slow.dcam        then open slow.pftrace in ui.perfetto.dev\n"
		"  dashcam export flamegraph slow.dcam --comm 'worker*'\n"
		"  dashcam export csv slow.dcam --kind wait -o waits.csv\n"
		"  dashcam export json slow.dcam --pid 1234 --from 2s --to 3s | jq .\n",
	.options = rows,
	.values_size = sizeof(struct export_values),
	.min_operands = 0,
	.max_operands = 2,
	.run = run,
};
