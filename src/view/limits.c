/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/limits.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "event/schema.h"
#include "model/call.h"

/* Sums of losses of the same place and CPU, in the order of their first. */
struct loss_sum {
	const char *what;
	uint16_t cpu;
	uint64_t events;
};

/* Part of the off-CPU time in waits without a stack that one should be told of. */
#define SHORT_WAITS_MATTER 0.25

#define LOSS_SUMS_SHOWN 4
#define LOSS_SUMS_MAX   1000 /* what comes behind is in the total only */

static size_t sum_losses(const struct model *model, struct loss_sum **sums)
{
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);
		size_t at = 0;

		while (at < count &&
		       ((*sums)[at].cpu != loss->cpu || (*sums)[at].what != event_loss_what(loss)))
			at++;
		if (at == LOSS_SUMS_MAX)
			continue;
		if (at == count) {
			array_reserve((void **)sums, &capacity, count + 1, sizeof(**sums));
			(*sums)[count++] =
				(struct loss_sum){.what = event_loss_what(loss), .cpu = loss->cpu};
		}
		(*sums)[at].events += loss->events;
	}
	return count;
}

static void print_loss(const struct model *model, FILE *out)
{
	_cleanup_free_ struct loss_sum *sums = NULL;
	size_t count = sum_losses(model, &sums);
	char text[UNITS_TEXT_SIZE];

	if (!model_lost_events(model)) {
		fprintf(out, "lost: nothing\n");
		return;
	}
	fprintf(out, "lost: %s event%s (", format_count(text, model_lost_events(model)),
		model_lost_events(model) == 1 ? "" : "s");
	for (size_t i = 0; i < count && i < LOSS_SUMS_SHOWN; i++) {
		const char *plural = sums[i].events == 1 ? "" : "s";

		format_count(text, sums[i].events);
		if (!strcmp(sums[i].what, "wait"))
			fprintf(out, "%sevidence of %s wait%s", i ? ", " : "", text, plural);
		else
			fprintf(out, "%s%s %s event%s", i ? ", " : "", text, sums[i].what, plural);
		if (sums[i].cpu != EVENT_ANY_CPU)
			fprintf(out, " of CPU %u", sums[i].cpu);
	}
	fprintf(out, "%s)\n", count > LOSS_SUMS_SHOWN ? ", ...: see the view loss" : "");
}

static uint64_t samples_shown(const struct query *query)
{
	const struct model *model = query_model(query);
	const struct filter *filter = query_filter(query);
	uint64_t count = 0;

	for (size_t i = 0; i < model_sample_count(model); i++) {
		const struct sample *sample = model_sample(model, i);

		count += sample->time_ns >= filter->from_ns && sample->time_ns <= filter->to_ns &&
			 sample->thread && filter_takes_thread(filter, sample->thread);
	}
	return count;
}

static void print_samples(const struct query *query, FILE *out)
{
	uint64_t period_ns = model_sample_period_ns(query_model(query));
	char period[UNITS_TEXT_SIZE], count[UNITS_TEXT_SIZE];
	uint64_t samples = samples_shown(query);

	if (period_ns)
		fprintf(out, "samples every %s: %s sample%s\n",
			query_duration_text(period, period_ns), format_count(count, samples),
			samples == 1 ? "" : "s");
	else
		fprintf(out, "samples: none were taken\n");
}

/* One number of a statement with one row; 0 if it cannot be had. */
static uint64_t ask_number(struct query *query, const char *sql)
{
	sqlite3_stmt *statement;
	uint64_t number = 0;

	if (query_prepare(query, sql, &statement, NULL) || query_step(query, statement) < 1)
		fail_clear();
	else
		number = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* Where most of the waiting is too short for stacks, the report is about the lesser part. */
static void print_waits(struct query *query, FILE *out)
{
	uint64_t min_ns = model_min_wait_ns(query_model(query)), short_ns, all_ns;
	char text[UNITS_TEXT_SIZE], sum[UNITS_TEXT_SIZE];

	if (!min_ns)
		return;
	short_ns = ask_number(query, "SELECT sum(short_wait_ns) FROM thread WHERE tid <> 0");
	all_ns = ask_number(
		query,
		"SELECT sum(runnable_ns + blocked_ns) FROM thread WHERE tid <> 0 AND on_cpu_ns > 0");
	fprintf(out, "waits shorter than %s carry no stack", query_duration_text(text, min_ns));
	fprintf(out, short_ns ? ": %s in all\n" : "\n", query_duration_text(sum, short_ns));
	if ((double)short_ns > SHORT_WAITS_MATTER * (double)all_ns)
		fprintf(out,
			"  that is %.0f %% of the time off the CPU: dashcam record --min-wait 0 sees "
			"it\n",
			100.0 * (double)short_ns / (double)all_ns);
}

/* ---- calls ---- */

#define HOT_NAMES_SHOWN 5

/* What is known of the names that the filter lets through. */
struct name_counts {
	uint64_t traced, cheap, costly, entry_only;
	uint64_t counted_names, counted_calls;
	uint64_t hot; /* called too often to be recorded one by one */
};

static struct name_counts count_names(const struct query *query)
{
	const struct model *model = query_model(query);
	struct name_counts counts = {0};

	for (size_t i = 1; i < call_name_count(model); i++) {
		const struct call_name *name = call_name_at(model, i);

		if (!call_name_is_taken(query_filter(query), name))
			continue;
		counts.traced += name->flags & EVENT_NAME_TRACED ? 1 : 0;
		counts.cheap += name->flags & EVENT_NAME_CHEAP ? 1 : 0;
		counts.costly += name->flags & EVENT_NAME_COSTLY ? 1 : 0;
		counts.entry_only += name->flags & EVENT_NAME_ENTRY_ONLY ? 1 : 0;
		counts.counted_names += name->counted.calls > 0;
		counts.counted_calls += name->counted.calls;
		counts.hot += name->counted.since_ns > 0;
	}
	return counts;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_hot_names(const struct query *query, uint64_t hot, FILE *out)
{
	const struct model *model = query_model(query);
	uint64_t shown = 0;

	for (size_t i = 1; i < call_name_count(model) && shown < HOT_NAMES_SHOWN; i++) {
		const struct call_name *name = call_name_at(model, i);
		struct buffer text = {0};

		if (!name->counted.since_ns || !call_name_is_taken(query_filter(query), name))
			continue;
		utf8_add_escaped(&text, name->name);
		fprintf(out, "  %s was called too often: only counted from %.1f s on\n",
			text.data ? text.data : "",
			name->counted.since_ns < model_start_ns(model)
				? 0.0
				: (double)(name->counted.since_ns - model_start_ns(model)) / 1e9);
		buffer_release(&text);
		shown++;
	}
	if (shown < hot)
		fprintf(out, "  and %" PRIu64 " functions more\n", hot - shown);
}

static void print_calls(const struct query *query, FILE *out)
{
	struct name_counts counts = count_names(query);
	const struct filter *filter = query_filter(query);
	char text[UNITS_TEXT_SIZE], more[UNITS_TEXT_SIZE];

	if (counts.traced) {
		fprintf(out, "traced: %s function%s", format_count(text, counts.traced),
			plural(counts.traced));
		fprintf(out, ", %s of them at a cheap place", format_count(text, counts.cheap));
		fprintf(out, " and %s at a costly one\n", format_count(text, counts.costly));
	}
	if (counts.entry_only)
		fprintf(out,
			"no probe on the return of %s function%s: the ends of their calls are inferred\n",
			format_count(text, counts.entry_only), plural(counts.entry_only));
	if (!counts.counted_calls)
		return;
	fprintf(out, "only counted, not recorded one by one: %s call%s of %s function%s%s\n",
		format_count(text, counts.counted_calls), plural(counts.counted_calls),
		format_count(more, counts.counted_names), plural(counts.counted_names),
		filter->pid_count || filter->tid_count || filter->comm_count || filter->from_ns ||
				filter->to_ns != UINT64_MAX
			? "; of which threads and when is not known, so they are left out"
			: "");
	print_hot_names(query, counts.hot, out);
}

/* What the calls' sums say; they are made already. */
static void print_call_sums(struct query *query, FILE *out)
{
	uint64_t inferred =
		ask_number(query, "SELECT sum(inferred) FROM function WHERE NOT is_entry_only");
	uint64_t open = ask_number(query, "SELECT sum(open) FROM function");
	char text[UNITS_TEXT_SIZE];

	if (inferred)
		fprintf(out,
			"%s call%s not seen to return (longjmp, exception, more than 64 inside "
			"each other): the end is inferred\n",
			format_count(text, inferred), inferred == 1 ? " was" : "s were");
	if (open)
		fprintf(out, "%s call%s not returned when the thread or the recording ended\n",
			format_count(text, open), open == 1 ? " had" : "s had");
}

/* Other threads are in the recording too, but without evidence: they are not shown first. Live has
 * no
 * --all, and no such fact. */
static void print_targets(const struct query *query, FILE *out)
{
	const char *what = model_meta(query_model(query), "filter");

	if (query_filter(query)->targets_only && what && *what)
		fprintf(out, "only what was recorded for: %s; all threads: --all\n", what);
}

/* A file that ends too early, or is damaged, shows less than there was. */
static void print_damage(const struct model *model, FILE *out)
{
	const struct recording_info *info = recording_info(model_recording((struct model *)model));

	if (info->damage[0])
		fprintf(out, "the file: %s\n", info->damage);
}

void limits_print(struct query *query, const struct view *view, FILE *out)
{
	const struct model *model = query_model(query);

	fputc('\n', out);
	if (filter_limits_threads(query_filter(query)) &&
	    !ask_number(query, "SELECT count(*) FROM thread"))
		fprintf(out, "no thread of the recording matches\n");
	print_targets(query, out);
	if (view->tells_samples)
		print_samples(query, out);
	if (view->tells_waits)
		print_waits(query, out);
	if (view->tells_calls)
		print_calls(query, out);
	if (view->tells_sums)
		print_call_sums(query, out);
	print_loss(model, out);
	print_damage(model, out);
}
