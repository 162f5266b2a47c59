/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/rules.h"
#include "analysis/span_choice.h"
#include "base/error.h"
#include "base/memory.h"

/* Where no target is named, so many threads are looked at closely at least, */
#define CANDIDATES_SURE      6
/* and at most so many, with so many turns, while they may have a bigger problem than those before.
 */
#define CANDIDATES_MAX       256
#define CANDIDATES_TURNS_MAX 1000000
/* Of the others, those are named whose problem is at least this part of the biggest one. */
#define WORTH_NAMING         20

/* ---- one target ---- */

/* Evidence that could not be taken where no program runs is no gap in what is known of times. */
static uint64_t lost_events(const struct model *model)
{
	uint64_t events = 0;

	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);

		if (loss->reason != EVENT_LOSS_UNSEEN && loss->reason != EVENT_LOSS_UNSEEN_DISK)
			events += loss->events;
	}
	return events;
}

static void begin(struct explanation *ret, const struct history *history,
		  const struct slice *slices, size_t count)
{
	*ret = (struct explanation){
		.model = history_model(history),
		.from_ns = UINT64_MAX,
		.thread = slices[0].thread,
		.process = slices[0].thread->process,
		.loss = lost_events(history_model(history)),
	};
	for (size_t i = 0; i < count; i++) {
		const struct slice *slice = &slices[i];

		ret->total_ns += slice->to_ns - slice->from_ns;
		if (slice->from_ns < ret->from_ns)
			ret->from_ns = slice->from_ns;
		if (slice->to_ns > ret->to_ns)
			ret->to_ns = slice->to_ns;
		if (slice->thread != ret->thread)
			ret->thread = NULL;
		if (slice->thread->process != ret->process)
			ret->process = NULL;
		ret->thread_count += i == 0 || slice->thread != slices[i - 1].thread;
	}
}

static void name_target(struct explanation *ret)
{
	if (ret->thread)
		snprintf(ret->target, sizeof(ret->target), "thread %s (%u)", ret->thread->comm,
			 ret->thread->tid);
	else if (ret->process)
		snprintf(ret->target, sizeof(ret->target), "process %s (%u; %zu threads)",
			 ret->process->comm, ret->process->pid, ret->thread_count);
	else
		snprintf(ret->target, sizeof(ret->target), "a group of %zu threads",
			 ret->thread_count);
}

/* Slices of one thread are neighbours. */
static void account_slices(struct account *account, const struct history *history,
			   const struct slice *slices, size_t count)
{
	struct account one = {.on_cpu_ns = 0};

	for (size_t i = 0; i < count; i++) {
		account_add(&one, history, slices[i].thread, slices[i].from_ns, slices[i].to_ns);
		if (i + 1 < count && slices[i + 1].thread == slices[i].thread)
			continue;
		account_settle(&one, history, slices[i].thread);
		account_merge(account, &one);
		memset(&one, 0, sizeof(one));
	}
}

static void explain_slices(struct explanation *ret, const struct history *history,
			   const struct slice *slices, size_t count, bool idle_counts)
{
	begin(ret, history, slices, count);
	name_target(ret);
	account_slices(&ret->account, history, slices, count);
	ret->blame = blame_new(history, idle_counts);
	for (size_t i = 0; i < count; i++)
		blame_add(ret->blame, slices[i].thread, slices[i].from_ns, slices[i].to_ns);
	blame_finish(ret->blame);
	findings_make(ret, idle_counts);
}

static void put_into_words(struct explanation *explanation)
{
	sentences_make(explanation);
	notes_make(explanation);
}

void explanation_release(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		free(explanation->findings[i].sentence);
		free(explanation->findings[i].advice);
	}
	free(explanation->findings);
	for (size_t i = 0; i < explanation->note_count; i++)
		free(explanation->notes[i]);
	free(explanation->notes);
	free(explanation->verdict);
	blame_free(explanation->blame);
	for (size_t i = 0; i < explanation->other_count; i++)
		explanation_release(&explanation->others[i]);
	free(explanation->others);
	memset(explanation, 0, sizeof(*explanation));
}

/* ---- which threads ---- */

/* The part of a thread's life that the filter asks for. What the recorder held back before the
 * first exec of its command is not the command's life. Returns false if nothing is left. */
static bool clip(struct slice *slice, struct thread *thread, const struct filter *filter)
{
	const struct process *process = thread->process;

	*slice = (struct slice){
		.thread = thread, .from_ns = thread->start_ns, .to_ns = thread->end_ns};
	if (process->is_command && process->first_exec_ns != MODEL_TIME_UNKNOWN &&
	    slice->from_ns < process->first_exec_ns)
		slice->from_ns = process->first_exec_ns;
	if (slice->from_ns < filter->from_ns)
		slice->from_ns = filter->from_ns;
	if (slice->to_ns > filter->to_ns)
		slice->to_ns = filter->to_ns;
	return slice->from_ns < slice->to_ns;
}

static bool is_chosen(const struct filter *filter)
{
	return filter->pid_count || filter->tid_count || filter->comm_count;
}

static int explain_chosen(struct explanation *ret, const struct history *history,
			  const struct explain_query *query)
{
	struct model *model = history_model(history);
	struct slice *slices = xcalloc(model_thread_count(model) + 1, sizeof(*slices));
	size_t count = 0;

	for (size_t i = 1; i < model_thread_count(model); i++) {
		struct thread *thread = model_thread(model, i);

		if (filter_takes_thread(query->filter, thread) &&
		    clip(&slices[count], thread, query->filter))
			count++;
	}
	if (!count) {
		free(slices);
		return fail(-ENOENT,
			    "no such thread in that time: 'dashcam report threads' lists those "
			    "that are in the recording");
	}
	explain_slices(ret, history, slices, count, false);
	free(slices);
	return 0;
}

/* ---- the biggest problem ---- */

struct candidate {
	struct slice slice;
	double score;
};

/* How much of a problem a wait may be. What only time or an interrupt ended is mostly rest. */
static double score_weight(const struct wait *wait, enum category category)
{
	bool is_rest = !wait->waker || wait->waker_is_irq;

	switch (category) {
	case CATEGORY_WAIT_SLEEP:
		return 0;
	case CATEGORY_WAIT_IDLE:
	case CATEGORY_WAIT_CONDITION:
	case CATEGORY_WAIT_IPC:
		return is_rest ? 0.05 : rule_of(category)->weight;
	default:
		return rule_of(category)->weight;
	}
}

/* A rough measure, from the model's totals and kept waits alone. */
static void score_waits(double *scores, const struct history *history)
{
	struct model *model = history_model(history);

	for (size_t i = 0; i < model_wait_count(model); i++) {
		const struct wait *wait = model_wait(model, i);
		enum category category = category_of_block(model, wait);

		scores[wait->thread->index] +=
			score_weight(wait, category) * (double)wait_blocked_ns(wait);
	}
	for (size_t i = 1; i < model_thread_count(model); i++) {
		const struct thread *thread = model_thread(model, i);

		scores[i] += (double)thread->runnable_ns;
		scores[i] += rule_of(CATEGORY_CPU_USER)->weight * (double)thread->on_cpu_ns;
	}
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	return left->slice.thread->index < right->slice.thread->index ? -1 : 1;
}

/* All threads, the most promising first; *RET_COUNT of them. */
static struct candidate *choose_candidates(const struct history *history,
					   const struct explain_query *query, size_t *ret_count)
{
	struct model *model = history_model(history);
	size_t thread_count = model_thread_count(model), count = 0;
	struct candidate *candidates = xcalloc(thread_count + 1, sizeof(*candidates));
	double *scores = xcalloc(thread_count + 1, sizeof(*scores));

	score_waits(scores, history);
	for (size_t i = 1; i < thread_count; i++) {
		struct thread *thread = model_thread(model, i);

		if (thread->process->is_recorder || thread->is_kernel ||
		    !filter_takes_thread(query->filter, thread) ||
		    !clip(&candidates[count].slice, thread, query->filter))
			continue;
		candidates[count++].score = scores[i];
	}
	free(scores);
	qsort(candidates, count, sizeof(*candidates), compare_candidates);
	*ret_count = count;
	return candidates;
}

/* One that made others and waits for their end, all the time: their problem is not its own. */
static bool is_supervisor(const struct explanation *explanation, const struct finding *finding)
{
	/* a shell and its commands */
	if (finding->category == CATEGORY_WAIT_CHILD && finding->share > 0.9)
		return true;
	return (finding->category == CATEGORY_WAIT_CONDITION ||
		finding->category == CATEGORY_WAIT_CHILD) &&
	       finding->cause && finding->cause->hop_count &&
	       finding->cause->hops[0].to_ns - finding->cause->hops[0].from_ns >
		       explanation->total_ns / 2;
}

/* One that waits for others all its life, as the last of a pipeline does: what they do is the
 * problem. */
static bool is_follower(const struct finding *finding)
{
	return finding->share > 0.9 && (finding->category == CATEGORY_WAIT_CONDITION ||
					finding->category == CATEGORY_WAIT_IPC);
}

static double problem_of(const struct explanation *explanation)
{
	const struct finding *first = explanation->findings;
	double problem;

	if (!explanation->finding_count)
		return 0;
	problem = rule_of(first->category)->weight * (double)first->ns;
	/* nobody could do anything sooner than who sleeps wants it; mostly that is what is meant */
	if (first->cause && first->cause->leaf == CATEGORY_WAIT_SLEEP)
		problem *= rule_of(CATEGORY_WAIT_SLEEP)->weight;
	if (is_follower(first))
		problem /= 4;
	return is_supervisor(explanation, first) ? problem / 100 : problem;
}

static int compare_problems(const void *a, const void *b)
{
	const struct explanation *one = a, *other = b;
	double left = problem_of(one), right = problem_of(other);

	/* where none has one, the busiest stands for all */
	if (left == right) {
		left = (double)one->account.on_cpu_ns;
		right = (double)other->account.on_cpu_ns;
	}
	return left == right ? 0 : left < right ? 1 : -1;
}

/* Explains the candidates that may have the biggest problem, each alone. Returns how many. */
static size_t explain_candidates(struct explanation *all, const struct history *history,
				 const struct candidate *candidates, size_t count)
{
	double most = 0;
	size_t turns = 0, i = 0;

	for (; i < count && i < CANDIDATES_MAX; i++) {
		turns += history_turn_count(history, candidates[i].slice.thread);
		if (i >= CANDIDATES_SURE &&
		    (candidates[i].score <= most || turns > CANDIDATES_TURNS_MAX))
			break;
		explain_slices(&all[i], history, &candidates[i].slice, 1, false);
		if (problem_of(&all[i]) > most)
			most = problem_of(&all[i]);
	}
	return i;
}

static int explain_biggest(struct explanation *ret, const struct history *history,
			   const struct explain_query *query)
{
	size_t count;
	struct candidate *candidates = choose_candidates(history, query, &count);
	struct explanation *all = xcalloc(CANDIDATES_MAX + 1, sizeof(*all));

	count = explain_candidates(all, history, candidates, count);
	free(candidates);
	if (!count) {
		free(all);
		return fail(-ENOENT, "the recording has no thread to explain in that time");
	}
	qsort(all, count, sizeof(*all), compare_problems);
	*ret = all[0];
	ret->looked_at = count;
	memmove(&all[0], &all[1], (count - 1) * sizeof(*all));
	ret->others = all;
	for (size_t i = 0; i < count - 1; i++) {
		if (problem_of(&all[i]) * WORTH_NAMING > problem_of(ret))
			sentences_make(&all[ret->other_count++]);
		else
			explanation_release(&all[i]);
	}
	return 0;
}

/* ---- spans ---- */

static int explain_spans(struct explanation *ret, const struct history *history,
			 const struct explain_query *query)
{
	struct span_choice choice;
	int err = span_choice_make(&choice, history_model(history), query->span, query->filter);

	if (err)
		return err;
	explain_slices(ret, history, choice.slow, choice.slow_count, true);
	ret->has_spans = true;
	ret->spans = choice.spans;
	account_slices(&ret->spans.normal, history, choice.normal, choice.normal_count);
	ret->spans.normal_ns = account_total_ns(&ret->spans.normal);
	span_choice_release(&choice);
	return 0;
}

int explain(struct explanation *ret, const struct history *history,
	    const struct explain_query *query)
{
	int err;

	memset(ret, 0, sizeof(*ret));
	if (query->span)
		err = explain_spans(ret, history, query);
	else if (is_chosen(query->filter))
		err = explain_chosen(ret, history, query);
	else
		err = explain_biggest(ret, history, query);
	if (!err)
		put_into_words(ret);
	return err;
}
