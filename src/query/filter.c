/* SPDX-License-Identifier: BSD-2-Clause */
/* What the filter lets through, worked out once for all threads and processes when it is set. */
#include <stdlib.h>

#include "model/call_sums.h"
#include "model/call_tree.h"
#include "query/internal.h"

static void free_texts(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)texts[i]);
	free((void *)texts);
}

static void forget_calls(struct query *query)
{
	if (query->call_sums)
		call_sums_release(query->call_sums);
	free(query->call_sums);
	query->call_sums = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(query->call_trees); i++) {
		if (query->call_trees[i])
			call_tree_release(query->call_trees[i]);
		free(query->call_trees[i]);
		query->call_trees[i] = NULL;
	}
}

static void forget_filter(struct query *query)
{
	free((void *)query->filter.pids);
	free((void *)query->filter.tids);
	free_texts(query->filter.comms, query->filter.comm_count);
	free_texts(query->filter.functions, query->filter.function_count);
	free_texts(query->filter.no_functions, query->filter.no_function_count);
	query->filter = (struct filter){.to_ns = UINT64_MAX};
	free(query->takes_thread);
	free(query->takes_process);
	query->takes_thread = query->takes_process = NULL;
	/* What was counted under the old filter. */
	digest_free(query->digest);
	query->digest = NULL;
	free(query->kept_wait_ns);
	query->kept_wait_ns = NULL;
	forget_calls(query);
}

static const uint32_t *copy_ids(const uint32_t *ids, size_t count)
{
	uint32_t *copy = count ? xcalloc(count, sizeof(*ids)) : NULL;

	for (size_t i = 0; i < count; i++)
		copy[i] = ids[i];
	return copy;
}

static const char *const *copy_texts(const char *const *texts, size_t count)
{
	const char **copy = count ? xcalloc(count, sizeof(*copy)) : NULL;

	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(texts[i]);
	return copy;
}

/* A process is let through if one of its threads is. */
static void choose_threads(struct query *query)
{
	size_t threads = model_thread_count(query->model);

	query->takes_thread = xcalloc(threads + 1, sizeof(bool));
	query->takes_process = xcalloc(model_process_count(query->model) + 1, sizeof(bool));
	for (size_t i = 0; i < threads; i++) {
		const struct thread *thread = model_thread(query->model, i);
		bool takes = filter_takes_thread(&query->filter, thread);

		query->takes_thread[i] = takes;
		if (takes && thread->process)
			query->takes_process[thread->process->index] = true;
	}
}

void query_set_filter(struct query *query, const struct filter *filter)
{
	forget_filter(query);
	if (!filter)
		return;
	query->filter = *filter;
	query->filter.pids = copy_ids(filter->pids, filter->pid_count);
	query->filter.tids = copy_ids(filter->tids, filter->tid_count);
	query->filter.comms = copy_texts(filter->comms, filter->comm_count);
	query->filter.functions = copy_texts(filter->functions, filter->function_count);
	query->filter.no_functions = copy_texts(filter->no_functions, filter->no_function_count);
	if (query_limits_threads(query))
		choose_threads(query);
}

const struct filter *query_filter(const struct query *query)
{
	return &query->filter;
}

bool query_limits_threads(const struct query *query)
{
	return filter_limits_threads(&query->filter);
}

bool query_limits_time(const struct query *query)
{
	return query->filter.from_ns > model_start_ns(query->model) ||
	       query->filter.to_ns < model_end_ns(query->model);
}

bool query_takes_thread(const struct query *query, const struct thread *thread)
{
	return !query->takes_thread || (thread && query->takes_thread[thread->index]);
}

bool query_takes_process(const struct query *query, const struct process *process)
{
	return !query->takes_process || query->takes_process[process->index];
}

bool query_takes_time(const struct query *query, uint64_t from_ns, uint64_t to_ns)
{
	return to_ns >= query->filter.from_ns && from_ns <= query->filter.to_ns;
}

uint64_t query_inside_ns(const struct query *query, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns < query->filter.from_ns)
		from_ns = query->filter.from_ns;
	if (to_ns > query->filter.to_ns)
		to_ns = query->filter.to_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}
