/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain_input.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls_input.h"

#include "analysis/explain.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/call.h"
#include "view/explanation.h"

/* So many threads of a recording are explained one by one. */
#define THREADS_MAX 6

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "explain_input: %s\n", what);
	abort();
}

static void check_json(const struct explanation *explanation)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	explanation_print_json(out, explanation);
	fclose(out);
	json = json_loads(text, 0, NULL);
	require(json, "the JSON cannot be read");
	json_decref(json);
	free(text);
}

static void check_text(const struct explanation *explanation, unsigned int width)
{
	struct explanation_style style = {.width = width, .chain = true};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	explanation_print_text(out, explanation, &style);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		require((unsigned char)text[i] >= ' ' || text[i] == '\n',
			"a control character reached the terminal");
	free(text);
}

static void check_findings(const struct explanation *explanation)
{
	require(account_total_ns(&explanation->account) == explanation->total_ns,
		"the parts do not sum to the whole");
	require(explanation->verdict && *explanation->verdict, "there is no verdict");
	for (size_t i = 0; i < explanation->finding_count; i++) {
		const struct finding *finding = &explanation->findings[i];

		require(finding->rank == i + 1, "ranks are not in order");
		require(finding->share >= 0 && finding->share <= 1, "a share is none");
		require(finding->confidence >= 0 && finding->confidence <= 1,
			"a confidence is none");
		for (size_t n = 0; n < finding->part_count; n++)
			require(finding->parts[n].share >= 0 && finding->parts[n].share <= 1,
				"the share of a part is none");
	}
}

static void explain_query(const struct history *history, const struct filter *filter,
			  const char *span, unsigned int width)
{
	struct explain_query query = {.filter = filter, .span = span};
	struct explanation explanation;

	if (explain(&explanation, history, &query)) {
		require(*fail_text(), "explaining failed without a sentence");
		fail_clear();
		return;
	}
	check_findings(&explanation);
	check_json(&explanation);
	check_text(&explanation, width);
	explanation_release(&explanation);
}

/* A thread, all of it and parts that begin and end nowhere in particular. */
static void explain_thread(const struct history *history, const struct thread *thread)
{
	struct model *model = history_model(history);
	uint64_t start_ns = model_start_ns(model), end_ns = model_end_ns(model);
	struct filter filter = {.tids = &thread->tid, .tid_count = 1, .to_ns = UINT64_MAX};

	explain_query(history, &filter, NULL, 80);
	filter.from_ns = start_ns + (end_ns - start_ns) / 3;
	filter.to_ns = filter.from_ns + (end_ns - start_ns) / 5;
	explain_query(history, &filter, NULL, 20);
	filter.to_ns = start_ns;
	explain_query(history, &filter, NULL, 0);
}

static void explain_history(const struct history *history)
{
	struct model *model = history_model(history);
	struct filter everything = {.to_ns = UINT64_MAX};
	size_t names = call_name_count(model), threads = model_thread_count(model);

	calls_input(model);
	explain_query(history, &everything, NULL, 100);
	for (size_t i = 1; i < threads && i <= THREADS_MAX; i++)
		explain_thread(history, model_thread(model, i));
	for (size_t i = 0; i < names && i < THREADS_MAX; i++)
		explain_query(history, &everything, call_name_at(model, i)->name, 100);
	explain_query(history, &everything, "no such span", 100);
	for (size_t i = 0; i < model_process_count(model) && i < THREADS_MAX; i++) {
		struct filter filter = {
			.pids = &model_process(model, i)->pid, .pid_count = 1, .to_ns = UINT64_MAX};

		explain_query(history, &filter, NULL, 1);
	}
}

void explain_input(struct recording *recording)
{
	struct history *history;

	if (!history_new(&history, recording)) {
		explain_history(history);
		history_free(history);
	}
	fail_clear();
}
