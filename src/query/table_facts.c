/* SPDX-License-Identifier: BSD-2-Clause */
/* meta, hook, loss; and counter, which is empty until something writes it. */
#include <stdlib.h>
#include <string.h>

#include "event/schema.h"
#include "query/internal.h"

/* ---- meta ---- */

static size_t meta_count(struct query *query)
{
	return model_meta_count(query->model);
}

/* The row is the position + 1: names and values are asked for one by one. */
static const void *meta_at(const struct vtab_cursor *cursor, size_t i)
{
	(void)cursor;
	return (const void *)(i + 1);
}

static void get_meta(const struct vtab_cursor *cursor, sqlite3_context *out, bool value)
{
	const char *texts[2];

	model_meta_at(cursor->query->model, (size_t)cursor->row - 1, &texts[0], &texts[1]);
	vtab_result_text(out, texts[value]);
}

static void get_meta_name(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_meta(cursor, out, false);
}

static void get_meta_value(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_meta(cursor, out, true);
}

static const struct vtab_column meta_columns[] = {
	VTAB_COMPUTED("name", get_meta_name, 0, "host, kernel, command, ..."),
	VTAB_COMPUTED("value", get_meta_value, 0, "its value"),
};

const struct vtab vtab_meta = {
	.name = "meta",
	.says = "facts about the recording",
	.columns = meta_columns,
	.column_count = ARRAY_SIZE(meta_columns),
	.count = meta_count,
	.at = meta_at,
};

/* ---- recording ---- */

static size_t one_row(struct query *query)
{
	(void)query;
	return 1;
}

static const void *recording_at(const struct vtab_cursor *cursor, size_t i)
{
	(void)i;
	return cursor->query->model;
}

static void get_start(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)model_start_ns(cursor->row));
}

static void get_end(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)model_end_ns(cursor->row));
}

/* What --from and --to leave of it. */
static void get_shown(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct model *model = cursor->row;

	sqlite3_result_int64(out, (int64_t)query_inside_ns(cursor->query, model_start_ns(model),
							   model_end_ns(model)));
}

static void get_min_wait(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)model_min_wait_ns(cursor->row));
}

static void get_sample_period(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_id(out, model_sample_period_ns(cursor->row));
}

static void get_cpus(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, model_cpu_count(cursor->row));
}

static void get_lost(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	sqlite3_result_int64(out, (int64_t)model_lost_events(cursor->row));
}

static const struct vtab_column recording_columns[] = {
	VTAB_COMPUTED("start_ns", get_start, 0, "when it began"),
	VTAB_COMPUTED("end_ns", get_end, 0, "when it ended"),
	VTAB_COMPUTED("shown_ns", get_shown, 0, "how long it is, inside --from and --to"),
	VTAB_COMPUTED("min_wait_ns", get_min_wait, 0, "shortest wait that has evidence"),
	VTAB_COMPUTED("sample_period_ns", get_sample_period, 0,
		      "CPU time per sample; NULL: no samples"),
	VTAB_COMPUTED("cpus", get_cpus, 0, "number of CPUs"),
	VTAB_COMPUTED("lost_count", get_lost, 0, "events that were lost, see loss"),
};

const struct vtab vtab_recording = {
	.name = "recording",
	.says = "the recording as a whole: one row",
	.columns = recording_columns,
	.column_count = ARRAY_SIZE(recording_columns),
	.count = one_row,
	.at = recording_at,
};

/* ---- hook ---- */

static size_t hook_count(struct query *query)
{
	return model_hook_count(query->model);
}

static const void *hook_at(const struct vtab_cursor *cursor, size_t i)
{
	return model_hook(cursor->query->model, i);
}

static void get_hook_text(const struct vtab_cursor *cursor, sqlite3_context *out, unsigned int n)
{
	const struct event_hook *hook = cursor->row;

	vtab_result_copy(out, event_tail_text(&hook->header, hook->text, n));
}

static void get_hook_name(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_hook_text(cursor, out, 0);
}

static void get_hook_gives(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	get_hook_text(cursor, out, 1);
}

static void get_hook_status(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	static const char *const words[] = {"unknown", "works", "fallback", "missing"};
	uint32_t status = ((const struct event_hook *)cursor->row)->status;

	vtab_result_text(out, words[status < ARRAY_SIZE(words) ? status : 0]);
}

static void get_hook_error(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	int error = abs(((const struct event_hook *)cursor->row)->error);
	const char *name = error ? strerrorname_np(error) : NULL;

	if (name)
		vtab_result_text(out, name);
	else if (error)
		sqlite3_result_int(out, error);
}

static const struct vtab_column hook_columns[] = {
	VTAB_COMPUTED("name", get_hook_name, 0, "the hook"),
	VTAB_COMPUTED("status", get_hook_status, 0,
		      "works; fallback: the next best is used; missing"),
	VTAB_COMPUTED("error", get_hook_error, 0, "what refused it: EPERM, ENOENT, ..."),
	VTAB_COMPUTED("gives", get_hook_gives, 0, "what it gives, or what is missing without it"),
};

const struct vtab vtab_hook = {
	.name = "hook",
	.says = "kernel hooks: what was observed, and what could not be",
	.columns = hook_columns,
	.column_count = ARRAY_SIZE(hook_columns),
	.count = hook_count,
	.at = hook_at,
};

/* ---- loss ---- */

static size_t loss_count(struct query *query)
{
	return model_loss_count(query->model);
}

static const void *loss_at(const struct vtab_cursor *cursor, size_t i)
{
	const struct event_loss *loss = model_loss(cursor->query->model, i);

	return query_takes_time(cursor->query, loss->from_ns, loss->to_ns) ? loss : NULL;
}

static void get_loss_cpu(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct event_loss *loss = cursor->row;

	if (loss->cpu != EVENT_ANY_CPU)
		sqlite3_result_int64(out, loss->cpu);
}

static void get_loss_kind(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, event_loss_what(cursor->row));
}

static void get_loss_reason(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, event_loss_why(((const struct event_loss *)cursor->row)->reason));
}

#define LOSS(type, member, help) VTAB_MEMBER(type, #member, struct event_loss, member, 0, help)

static const struct vtab_column loss_columns[] = {
	VTAB_COMPUTED("cpu", get_loss_cpu, 0, "the CPU; NULL: not of one CPU"),
	VTAB_COMPUTED("kind", get_loss_kind, 0,
		      "what was lost: switch, evidence, mapping, stack, wait"),
	LOSS(VTAB_NUMBER, from_ns, "it is not older"),
	LOSS(VTAB_NUMBER, to_ns, "and not younger"),
	LOSS(VTAB_NUMBER, events, "how many, exactly"),
	VTAB_COMPUTED("reason", get_loss_reason, 0, "why"),
	VTAB_MEMBER(VTAB_NUMBER, "noticed_ns", struct event_loss, header.time_ns, 0,
		    "when it was noticed"),
};

const struct vtab vtab_loss = {
	.name = "loss",
	.says = "events that were lost",
	.columns = loss_columns,
	.column_count = ARRAY_SIZE(loss_columns),
	.count = loss_count,
	.at = loss_at,
};

/* ---- counter ---- */

static size_t no_rows(struct query *query)
{
	(void)query;
	return 0;
}

static const void *no_row(const struct vtab_cursor *cursor, size_t i)
{
	(void)cursor;
	(void)i;
	return NULL;
}

/* Columns without a value yet: no row, no need of one. */
#define LATER(name_, help_)                                                                        \
	{                                                                                          \
		.name = name_, .help = help_, .type = VTAB_NUMBER                                  \
	}

static const struct vtab_column counter_columns[] = {
	LATER("time_ns", "when"),
	LATER("track", "what is counted"),
	LATER("value", "its value"),
};

const struct vtab vtab_counter = {
	.name = "counter",
	.says = "values over time; nothing records them yet",
	.columns = counter_columns,
	.column_count = ARRAY_SIZE(counter_columns),
	.count = no_rows,
	.at = no_row,
};
