/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam live: a report over the last seconds, again and again, while the system runs.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/facts.h"
#include "cmd/session.h"
#include "cmd/window.h"
#include "view/report.h"

#define TOP_LEFT_AND_CLEAR "\033[H\033[2J"

struct live_values {
	struct session_values session;
	uint64_t window_ns;
	uint64_t interval_ns;
	uint64_t limit;
	bool json;
};

static const struct option_row live_rows[] = {
	OPTION("window", 'w', OPTION_TIME, struct live_values, window_ns, "TIME",
	       "look at the last TIME (default 10s)"),
	OPTION("interval", 'i', OPTION_TIME, struct live_values, interval_ns, "TIME",
	       "again after TIME (default 2s)"),
	OPTION("limit", 'l', OPTION_NUMBER, struct live_values, limit, "N",
	       "show N rows (default: what fits the terminal)"),
	OPTION("json", 'j', OPTION_FLAG, struct live_values, json, NULL, "one JSON object a line"),
	SESSION_OPTIONS(struct live_values, session),
	OPTIONS_END,
};

static const struct live_values live_defaults = {
	.session = SESSION_DEFAULTS,
	.window_ns = 10 * NS_PER_S,
	.interval_ns = 2 * NS_PER_S,
	.limit = UINT64_MAX,
};

struct live {
	const struct live_values *values;
	const struct view *view;
	struct session session;
	struct window window;
	pthread_mutex_t mutex; /* guards window: names come from a thread of their own */
	uint64_t next_ns;      /* when to look again */
	bool is_terminal;
};

static int add(struct live *live, enum recording_stream stream, uint16_t cpu, const void *events,
	       size_t size)
{
	pthread_mutex_lock(&live->mutex);
	window_add(&live->window, stream, cpu, events, size);
	pthread_mutex_unlock(&live->mutex);
	return 0;
}

static int take_switches(void *context, uint16_t cpu, const void *events, size_t size)
{
	return add(context, STREAM_SWITCH, cpu, events, size);
}

static int take_evidence(void *context, uint16_t cpu, const void *events, size_t size)
{
	return add(context, STREAM_EVIDENCE, cpu, events, size);
}

static int take_calls(void *context, uint16_t cpu, const void *events, size_t size)
{
	return add(context, STREAM_CALL, cpu, events, size);
}

static void take_table(void *context, const struct event_header *event)
{
	add(context, STREAM_TABLE, 0, event, event->size);
}

static struct recording *look(struct live *live, uint64_t now_ns)
{
	uint64_t window_ns = live->values->window_ns;
	struct recording *recording;

	pthread_mutex_lock(&live->mutex);
	window_forget(&live->window, now_ns > window_ns ? now_ns - window_ns : 0);
	recording = window_look(&live->window);
	pthread_mutex_unlock(&live->mutex);
	return recording;
}

/* Only whom the session was started for, in views that would show all. */
static void set_filter(struct query *query)
{
	const struct filter filter = {.to_ns = UINT64_MAX,
				      .targets_only = model_has_targets(query_model(query))};

	query_set_filter(query, &filter);
}

static void terminal_size(unsigned int *ret_columns, unsigned int *ret_lines)
{
	struct winsize size;

	*ret_columns = *ret_lines = 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) {
		*ret_columns = size.ws_col;
		*ret_lines = size.ws_row;
	}
}

static void print_head(const struct live *live)
{
	char window[UNITS_TEXT_SIZE], lost[UNITS_TEXT_SIZE];
	struct capture_totals totals;

	if (live->values->json)
		return;
	capture_totals(live->session.capture, &totals);
	printf("%s%s, the last %s   lost %s\n\n", live->is_terminal ? TOP_LEFT_AND_CLEAR : "",
	       live->view->title, format_ns(window, live->values->window_ns),
	       format_count(lost, totals.lost_events));
}

static int show(struct live *live, struct recording *recording)
{
	const struct model_options model_options = {.min_wait_ns = UINT64_MAX};
	struct report_options options = {.format = live->values->json ? TABLE_JSON : TABLE_TEXT,
					 .colour = live->is_terminal};
	unsigned int lines;
	struct model *model;
	struct query *query = NULL;
	int err = model_new(&model, recording, &model_options);

	if (err)
		return err;
	err = query_new(&query, model);
	if (!err) {
		set_filter(query);
		terminal_size(&options.width, &lines);
		options.has_limit = live->values->limit != UINT64_MAX || lines > 12;
		options.limit = live->values->limit != UINT64_MAX ? live->values->limit : lines - 8;
		print_head(live);
		err = report_run(query, live->view, &options, stdout);
		if (!live->is_terminal && !live->values->json)
			putchar('\n');
		errno = EIO;
		if (!err && (fflush(stdout) || ferror(stdout)))
			err = fail_errno(-errno, "writing to standard output");
	}
	query_free(query);
	model_free(model);
	return err;
}

static int tick(void *context)
{
	struct live *live = context;
	uint64_t now_ns = capture_now_ns();
	struct recording *recording;
	int err;

	if (now_ns < live->next_ns)
		return 0;
	recording = look(live, now_ns);
	err = show(live, recording);
	recording_close(recording);
	live->next_ns = capture_now_ns() + live->values->interval_ns;
	return err;
}

static int run_session(struct live *live, int command_count, char **command)
{
	const struct capture_sink sink = {.context = live,
					  .switches = take_switches,
					  .evidence = take_evidence,
					  .table = take_table,
					  .calls = take_calls};
	enum session_end end;
	int err = session_start(&live->session, &live->values->session, &sink, command_count,
				command);
	int status;

	if (err)
		return err;
	facts_tell_targets(&sink, &live->session, &live->values->session);
	live->next_ns = capture_now_ns() + live->values->interval_ns;
	err = session_run(&live->session, live->values->interval_ns, tick, live, &end);
	session_stop(&live->session, NULL, NULL, NULL);
	status = session_wait_command(&live->session);
	return err ? err : status;
}

static int run(void *values_, int operand_count, char **operands)
{
	struct live_values *values = values_;
	struct live live = {.values = values, .mutex = PTHREAD_MUTEX_INITIALIZER};
	struct views *views;
	int err = views_load(&views);

	if (err)
		return err;
	live.view = views_find(views, operands[0]);
	live.is_terminal = isatty(STDOUT_FILENO) && !values->json;
	if (!live.view)
		err = -EINVAL;
	else if (values->interval_ns < 100 * NS_PER_MS)
		err = fail(-EINVAL, "--interval: at least 100ms");
	else
		err = run_session(&live, operand_count - 1, operands + 1);
	window_release(&live.window);
	views_free(views);
	return err;
}

const struct command command_live = {
	.name = "live",
	.summary = "show a report over the last seconds, again and again",
	.operands = "VIEW [-- COMMAND ARG...]",
	.description =
		"Records into memory and shows a view (see dashcam report --list) of the last seconds\n"
		"every now and then, until the time is over, the command ends, or Ctrl-C. Needs root.\n",
	.examples =
		"  dashcam live threads                       where all threads' time goes\n"
		"  dashcam live runq --pid 1234               what one process waits for a CPU\n"
		"  dashcam live offcpu -w 30s -i 5s           half a minute, every five seconds\n",
	.options = live_rows,
	.values_size = sizeof(struct live_values),
	.defaults = &live_defaults,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
