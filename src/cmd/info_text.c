/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/table.h"
#include "base/units.h"
#include "base/utf8.h"
#include "cmd/info_print.h"
#include "event/schema.h"

#define LABEL_WIDTH 24

/* How a fact is shown that has a line of its own. */
enum fact_form {
	FACT_TEXT,
	FACT_LIMIT_NS,  /* 0: no limit */
	FACT_PERIOD_NS, /* 0: never */
};

static const struct {
	const char *name;
	const char *label;
	enum fact_form form;
} known_facts[] = {
	{"host", "host", FACT_TEXT},
	{"kernel", "kernel", FACT_TEXT},
	{"machine", "machine", FACT_TEXT},
	{"version", "dashcam version", FACT_TEXT},
	{"command", "command", FACT_TEXT},
	{"filter", "filter", FACT_TEXT},
	{"functions", "functions", FACT_TEXT},
	{"functions_chosen", "of these", FACT_TEXT},
	{"min_wait_ns", "evidence of waits", FACT_LIMIT_NS},
	{"sample_period_ns", "samples every", FACT_PERIOD_NS},
};

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_facts); i++) {
		if (!strcmp(known_facts[i].name, name))
			return true;
	}
	return !strcmp(name, "cpus");
}

const char *info_hook_status(uint32_t status)
{
	switch (status) {
	case EVENT_HOOK_WORKS:
		return "works";
	case EVENT_HOOK_FALLBACK:
		return "falls back";
	case EVENT_HOOK_MISSING:
		return "missing";
	default:
		return "unknown";
	}
}

const char *info_log_name(uint16_t log)
{
	return log == EVENT_LOG_SWITCH     ? "switch"
	       : log == EVENT_LOG_EVIDENCE ? "evidence"
	       : log == EVENT_LOG_CALL     ? "call"
					   : "unknown";
}

/* When the recording begins as time of day in ns; 0 if it does not say. */
uint64_t info_realtime_start_ns(const struct info_report *report)
{
	const struct info_facts *facts = report->facts;
	const char *fact = info_fact(facts, "realtime_start_ns");
	uint64_t ns;

	if (facts->has_clock)
		return facts->realtime_ns - facts->clock_ns + report->info->first_ns;
	if (fact && parse_number(fact, 0, UINT64_MAX, &ns) == 0)
		return ns;
	fail_clear();
	return 0;
}

/* "label             value": VALUE comes from anywhere. */
static void print_line(FILE *out, const char *label, const char *value)
{
	struct buffer line = {0};

	utf8_add_escaped(&line, label);
	buffer_printf(&line, "%*s", line.size < LABEL_WIDTH ? (int)(LABEL_WIDTH - line.size) : 1,
		      "");
	utf8_add_escaped(&line, value);
	fprintf(out, "%s\n", line.data);
	buffer_release(&line);
}

static void print_size(FILE *out, const struct info_report *report)
{
	char bytes[UNITS_TEXT_SIZE], decoded[UNITS_TEXT_SIZE], text[160];

	format_bytes(bytes, report->info->file_bytes);
	format_bytes(decoded, report->info->decoded_bytes);
	snprintf(text, sizeof(text), "%s in %" PRIu64 " chunks, %s of events", bytes,
		 report->info->chunks, decoded);
	print_line(out, "size", text);
}

static void print_state(FILE *out, const struct recording_info *info)
{
	char text[256];

	if (info->is_torn)
		snprintf(text, sizeof(text), "torn: %s", info->damage);
	else
		snprintf(text, sizeof(text), "whole%s%s", info->damage[0] ? ", but " : "",
			 info->damage);
	print_line(out, "state", text);
}

static void print_when(FILE *out, const struct info_report *report)
{
	uint64_t start_ns = info_realtime_start_ns(report);
	time_t start_s = (time_t)(start_ns / NS_PER_S);
	char text[UNITS_TEXT_SIZE * 3];
	struct tm tm;

	if (start_ns && localtime_r(&start_s, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
		print_line(out, "began", text);
	format_ns(text, report->info->last_ns - report->info->first_ns);
	print_line(out, "duration", text);
}

static void print_cpus(FILE *out, const struct info_report *report)
{
	const char *cpus = info_fact(report->facts, "cpus");
	char text[UNITS_TEXT_SIZE];

	snprintf(text, sizeof(text), "%u", report->info->cpu_limit);
	print_line(out, "CPUs", cpus ? cpus : text);
}

static void print_fact(FILE *out, const char *label, enum fact_form form, const char *value)
{
	char time[UNITS_TEXT_SIZE], text[UNITS_TEXT_SIZE * 2];
	uint64_t ns;

	if (form != FACT_TEXT && parse_number(value, 0, UINT64_MAX, &ns) == 0) {
		format_ns(time, ns);
		if (form == FACT_LIMIT_NS)
			snprintf(text, sizeof(text), "%s%s", ns ? time : "all",
				 ns ? " and more" : "");
		else
			snprintf(text, sizeof(text), "%s", ns ? time : "(none)");
		value = text;
	}
	fail_clear(); /* not a number: shown as it is */
	print_line(out, label, value);
}

static void print_known_facts(FILE *out, const struct info_facts *facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_facts); i++) {
		const char *value = info_fact(facts, known_facts[i].name);

		if (value && *value)
			print_fact(out, known_facts[i].label, known_facts[i].form, value);
	}
}

static void print_counts(FILE *out, const struct info_report *report)
{
	static const struct table_column columns[] = {
		{"events", COLUMN_COUNT}, {"kind", COLUMN_TEXT}, {"what one says", COLUMN_TEXT}};
	char count[UNITS_TEXT_SIZE];
	struct table *table;

	fprintf(out, "\n%s events", format_count(count, report->events));
	if (report->events)
		fprintf(out, ", %.2f bytes each in the file",
			(double)report->info->file_bytes / (double)report->events);
	fprintf(out, "\n");
	table = table_new(out, TABLE_TEXT, columns, ARRAY_SIZE(columns));
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		if (!report->info->event_count[kind])
			continue;
		table_add_number(table, (int64_t)report->info->event_count[kind]);
		table_add_text(table, event_schema(kind)->name);
		table_add_text(table, event_schema(kind)->says);
	}
	table_finish(table);
	if (report->info->unknown_events)
		fprintf(out, "%s events more are of kinds that this version does not know\n",
			format_count(count, report->info->unknown_events));
}

static void print_hooks(FILE *out, const struct info_facts *facts)
{
	static const struct table_column columns[] = {
		{"hook", COLUMN_TEXT},
		{"state", COLUMN_TEXT},
		{"gives, or missing without it", COLUMN_TEXT}};
	struct table *table;

	if (facts->hook_count == 0)
		return;
	fprintf(out, "\n");
	table = table_new(out, TABLE_TEXT, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < facts->hook_count; i++) {
		const struct info_hook *hook = &facts->hooks[i];
		_cleanup_free_ char *text = NULL;

		if (hook->error)
			text = xasprintf("%s (%s)", hook->text,
					 hook->error == EVENT_HOOK_LEFT_OUT
						 ? "left out on request"
						 : strerror(abs(hook->error)));
		table_add_text(table, hook->name);
		table_add_text(table, info_hook_status(hook->status));
		table_add_text(table, text ? text : hook->text);
	}
	table_finish(table);
}

#define COUNTED_SHOWN 10

static void print_counted(FILE *out, const struct info_report *report)
{
	static const struct table_column columns[] = {{"calls", COLUMN_COUNT},
						      {"too_often_from_ns", COLUMN_TIME_NS},
						      {"function", COLUMN_TEXT}};
	const struct info_facts *facts = report->facts;
	char count[UNITS_TEXT_SIZE];
	struct table *table;

	if (facts->counted_count == 0)
		return;
	fprintf(out, "\nof %s function%s calls were only counted, not recorded one by one\n",
		format_count(count, facts->counted_count), facts->counted_count == 1 ? "" : "s");
	table = table_new(out, TABLE_TEXT, columns, ARRAY_SIZE(columns));
	table_set_time_origin(table, report->info->first_ns);
	for (size_t i = 0; i < facts->counted_count && i < COUNTED_SHOWN; i++) {
		const struct info_counted *counted = &facts->counted[i];

		table_add_number(table, (int64_t)counted->calls);
		if (counted->since_ns)
			table_add_number(table, (int64_t)counted->since_ns);
		else
			table_add_empty(table);
		table_add_text(table, counted->name);
	}
	table_finish(table);
	if (facts->counted_count > COUNTED_SHOWN)
		fprintf(out, "... and %zu functions more (see the view functions)\n",
			facts->counted_count - COUNTED_SHOWN);
}

static void print_losses(FILE *out, const struct info_report *report)
{
	static const struct table_column columns[] = {
		{"lost", COLUMN_COUNT}, {"cpu", COLUMN_NUMBER},      {"log", COLUMN_TEXT},
		{"why", COLUMN_TEXT},   {"from_ns", COLUMN_TIME_NS}, {"to_ns", COLUMN_TIME_NS}};
	const struct info_facts *facts = report->facts;
	char count[UNITS_TEXT_SIZE];
	struct table *table;

	if (facts->loss_count == 0) {
		fprintf(out, "\nNothing was lost.\n");
		return;
	}
	fprintf(out, "\n%s event%s lost\n", format_count(count, facts->lost_events),
		facts->lost_events == 1 ? " was" : "s were");
	table = table_new(out, TABLE_TEXT, columns, ARRAY_SIZE(columns));
	table_set_time_origin(table, report->info->first_ns);
	for (size_t i = 0; i < facts->loss_count; i++) {
		const struct info_loss *loss = &facts->losses[i];

		table_add_number(table, (int64_t)loss->events);
		if (loss->cpu == EVENT_ANY_CPU)
			table_add_empty(table);
		else
			table_add_number(table, loss->cpu);
		table_add_text(table, info_log_name(loss->log));
		table_add_text(table, event_loss_why(loss->reason));
		/* 0: at any time since the beginning */
		if (loss->from_ns < report->info->first_ns)
			table_add_empty(table);
		else
			table_add_number(table, (int64_t)loss->from_ns);
		table_add_number(table, (int64_t)loss->to_ns);
	}
	table_finish(table);
}

static void print_other_facts(FILE *out, const struct info_facts *facts)
{
	bool is_first = true;

	for (size_t i = 0; i < facts->fact_count; i++) {
		if (is_known(facts->facts[i].name))
			continue;
		if (is_first)
			fprintf(out, "\n");
		is_first = false;
		print_line(out, facts->facts[i].name, facts->facts[i].value);
	}
}

void info_print_text(FILE *out, const struct info_report *report)
{
	char text[UNITS_TEXT_SIZE];

	print_line(out, "file", report->path);
	print_size(out, report);
	snprintf(text, sizeof(text), "version %u", report->info->format_version);
	print_line(out, "format", text);
	print_state(out, report->info);
	print_when(out, report);
	print_cpus(out, report);
	print_known_facts(out, report->facts);
	print_counts(out, report);
	print_counted(out, report);
	print_hooks(out, report->facts);
	print_losses(out, report);
	print_other_facts(out, report->facts);
	if (report->facts->damaged)
		fprintf(out, "\n%" PRIu64 " damaged chunks or events were skipped.\n",
			report->facts->damaged);
}
