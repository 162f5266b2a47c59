/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/explain.h"
#include "analysis/gaps.h"
#include "analysis/rules.h"
#include "base/memory.h"

/* A cause that says who it was is preferred to a larger one that does not, down to this part of it.
 */
#define KNOWN_FROM 3

/* Nothing can be called healthy of which so much is unknown. */
#define MUCH_UNKNOWN 0.1

/* A finding of a category that has no evidence, but for what was inferred, keeps this of its
 * confidence. */
#define KEPT_WHERE_INFERRED 0.7

/* A function is less sure where its callers are not known: it may be a helper's helper. */
#define KEPT_WHERE_BROKEN 0.8

/* ---- is it worth a word? ---- */

/* Less is nobody's problem, whatever its share. */
#define WORTH_NS UINT64_C(1000000)

/* Of a process with several threads, one that only waits for another of it that sleeps: the rest of
 * what they wait for each other is told (weight_of). */
static bool is_supervisors(const struct explanation *explanation, const struct blame_cause *cause)
{
	return explanation->thread_count > 1 && cause->category == CATEGORY_WAIT_CONDITION &&
	       cause->leaf == CATEGORY_WAIT_SLEEP && cause->hop_count > 1 &&
	       cause->hops[1].thread->process == cause->hops[0].thread->process &&
	       cause->hops[0].to_ns - cause->hops[0].from_ns >
		       (explanation->to_ns - explanation->from_ns) / 2;
}

/* One on the way from the target to the culprit had nothing to do until somebody gave it work. */
static bool is_idle_on_the_way(const struct blame_cause *cause)
{
	for (size_t i = 1; i + 1 < cause->hop_count; i++) {
		if (cause->hops[i].category == CATEGORY_WAIT_IDLE)
			return true;
	}
	return false;
}

/* Waiting for somebody who has nothing to do either is no problem. */
static bool is_idle_cause(const struct explanation *explanation, const struct blame_cause *cause)
{
	if (is_supervisors(explanation, cause))
		return true;
	/* who holds a lock has something to do: to give it back */
	if (cause->category == CATEGORY_LOCK_FUTEX || cause->category == CATEGORY_LOCK_KERNEL)
		return false;
	if (cause->leaf == CATEGORY_WAIT_IDLE || cause->end == BLAME_CYCLE ||
	    is_idle_on_the_way(cause))
		return true;
	/* for others, and nobody came: its time was up, or it waits still */
	if (cause->hop_count == 1 && cause->leaf == cause->category &&
	    (cause->category == CATEGORY_WAIT_CONDITION || cause->category == CATEGORY_WAIT_IPC))
		return true;
	/* a server's next request comes when its client is done with sleeping */
	return cause->is_at_rest && cause->leaf == CATEGORY_WAIT_SLEEP;
}

/* The longest single instance among a category's causes. */
static uint64_t longest_ns(const struct explanation *explanation, enum category category)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < blame_cause_count(explanation->blame); i++) {
		const struct blame_cause *cause = blame_cause(explanation->blame, i);

		if (cause->category == category && !is_idle_cause(explanation, cause) &&
		    cause->longest_ns > longest)
			longest = cause->longest_ns;
	}
	return longest;
}

/* Sleeps of one place that differ that much are tries that come later and later. */
#define BACK_OFF_RATIO 2
#define BACK_OFF_TRIES 4

static bool is_back_off(const struct blame_cause *cause)
{
	return cause->waits >= BACK_OFF_TRIES && cause->asked_least_ns &&
	       cause->asked_most_ns / BACK_OFF_RATIO >= cause->asked_least_ns;
}

/* Sleep is a problem where it lasts longer than asked for, or stands for waiting: tries with
 * pauses. */
static uint64_t bad_sleep_ns(const struct explanation *explanation)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < blame_cause_count(explanation->blame); i++) {
		const struct blame_cause *cause = blame_cause(explanation->blame, i);

		if (cause->category == CATEGORY_WAIT_SLEEP)
			ns += is_back_off(cause) ? cause->ns : cause->overslept_ns;
	}
	return ns;
}

/* One that waits for events has no reason to sleep besides: others wait for it meanwhile. */
static bool is_event_loop(const struct explanation *explanation)
{
	return explanation->account.ns[CATEGORY_WAIT_IDLE] > explanation->total_ns / 20;
}

/* How much of a category's time is a problem. */
static uint64_t problem_ns(const struct explanation *explanation, enum category category,
			   bool idle_counts)
{
	uint64_t ns = explanation->account.ns[category], idle_ns = 0, all_ns = 0;

	if (idle_counts)
		return ns;
	if (category == CATEGORY_WAIT_IDLE)
		return 0;
	if (category == CATEGORY_WAIT_SLEEP)
		return is_event_loop(explanation) ? ns : bad_sleep_ns(explanation);
	for (size_t i = 0; i < blame_cause_count(explanation->blame); i++) {
		const struct blame_cause *cause = blame_cause(explanation->blame, i);

		if (cause->category != category)
			continue;
		all_ns += cause->ns;
		if (is_idle_cause(explanation, cause))
			idle_ns += cause->ns;
	}
	return all_ns ? (uint64_t)((double)ns * (double)(all_ns - idle_ns) / (double)all_ns) : ns;
}

/* The largest single cause that is a problem. Many small ones behind a wait for nothing are the
 * noise of a busy machine. */
static double largest_problem_ns(const struct explanation *explanation, enum category category,
				 bool idle_counts)
{
	double most_ns = 0, all_ns = 0;
	bool is_queue = category >= CATEGORY_RUNQ_PREEMPTED && category <= CATEGORY_RUNQ_LATENCY;

	for (size_t i = 0; i < blame_cause_count(explanation->blame); i++) {
		const struct blame_cause *cause = blame_cause(explanation->blame, i);

		if (cause->category != category ||
		    (!idle_counts && is_idle_cause(explanation, cause)))
			continue;
		all_ns += (double)cause->ns;
		if ((double)cause->ns > most_ns)
			most_ns = (double)cause->ns;
	}
	/* a CPU is as busy with many as with one; causes of samples are not to scale */
	return is_queue || category < CATEGORY_RUNQ_PREEMPTED || !all_ns
		       ? (double)explanation->account.ns[category]
		       : most_ns;
}

static bool is_worth_it(const struct explanation *explanation, enum category category,
			bool idle_counts)
{
	const struct category_rule *rule = rule_of(category);
	uint64_t ns = problem_ns(explanation, category, idle_counts);
	double share = (double)ns / (double)explanation->total_ns;
	double min_share = idle_counts && rule->min_share > 0.1 ? 0.1 : rule->min_share;

	if (!rule->weight || ns < WORTH_NS)
		return false;
	if (share >= min_share && largest_problem_ns(explanation, category, idle_counts) >=
					  min_share * (double)explanation->total_ns / 2)
		return true;
	return rule->min_longest_ns && longest_ns(explanation, category) >= rule->min_longest_ns;
}

/* ---- the causes of a category ---- */

static bool is_known(const struct blame_cause *cause)
{
	return (cause->end == BLAME_LEAF || cause->end == BLAME_DEADLOCK) &&
	       cause->leaf != CATEGORY_UNKNOWN;
}

static int compare_parts(const void *a, const void *b)
{
	const struct finding_part *left = a, *right = b;

	return left->share == right->share ? 0 : left->share < right->share ? 1 : -1;
}

/* Causes come by size; the first one that is known, unless it is small, goes in front. */
static void take_parts(struct finding *finding, const struct explanation *explanation)
{
	const struct blame *blame = explanation->blame;
	const struct blame_cause *main_cause = NULL;
	uint64_t most_ns = 0;
	double all_ns = 0;

	for (size_t i = 0; i < blame_cause_count(blame); i++) {
		const struct blame_cause *cause = blame_cause(blame, i);

		if (cause->category != finding->category)
			continue;
		all_ns += (double)cause->ns;
		if (cause->ns > most_ns)
			most_ns = cause->ns;
		if ((!main_cause || is_idle_cause(explanation, main_cause)) && is_known(cause))
			main_cause = cause;
	}
	if (!main_cause || main_cause->ns < most_ns / KNOWN_FROM)
		main_cause = NULL;
	for (size_t i = 0; i < blame_cause_count(blame) && finding->part_count < FINDING_PARTS_MAX;
	     i++) {
		const struct blame_cause *cause = blame_cause(blame, i);

		if (cause->category == finding->category)
			finding->parts[finding->part_count++] = (struct finding_part){
				.cause = cause,
				.share = all_ns > 0 ? (double)cause->ns / all_ns : 0};
	}
	qsort(finding->parts, finding->part_count, sizeof(finding->parts[0]), compare_parts);
	for (size_t i = 1; i < finding->part_count; i++) {
		if (finding->parts[i].cause == main_cause) {
			struct finding_part part = finding->parts[i];

			memmove(&finding->parts[1], &finding->parts[0], i * sizeof(part));
			finding->parts[0] = part;
		}
	}
	finding->cause = finding->part_count ? finding->parts[0].cause : NULL;
}

/* The lock, file or socket that the target itself waited for, else what the culprit was about. */
static void take_object(struct finding *finding, const struct explanation *explanation)
{
	const struct blame_cause *cause = finding->cause;
	const struct wait *wait = cause->hop_count ? cause->hops[0].wait : NULL;
	const char *lock;

	snprintf(finding->object, sizeof(finding->object), "%s", cause->object);
	if (finding->object[0] || !wait || !wait->evidence)
		return;
	lock = category_lock_name(explanation->model, wait);
	if (lock)
		snprintf(finding->object, sizeof(finding->object), "%s", lock);
	else
		model_object_text(explanation->model, wait->evidence, finding->object,
				  sizeof(finding->object));
}

static double inferred_share(const struct finding *finding, const struct explanation *explanation)
{
	return (double)explanation->account.inferred_of[finding->category] / (double)finding->ns;
}

/*
 * How sure it is: what part of the category the main cause is, whether its function is known, what
 * of all that it rests on is missing from the recording. A rule of thumb, not a probability.
 */
static double confidence_of(const struct finding *finding, const struct explanation *explanation)
{
	double confidence = 0.95;

	if (!finding->cause)
		return 0.3 * gaps_confidence(explanation, finding);
	confidence *= 0.6 + 0.4 * finding->parts[0].share;
	if (finding->ns)
		confidence *= 1 - (1 - KEPT_WHERE_INFERRED) * inferred_share(finding, explanation);
	if (!is_known(finding->cause))
		confidence *= 0.5;
	if (!finding->function || finding->cause->where.places[0].place->is_unnamed)
		confidence *= 0.9;
	confidence *= 1 - (1 - KEPT_WHERE_BROKEN) * finding->cause->where.broken;
	return confidence * gaps_confidence(explanation, finding);
}

static void fill(struct finding *finding, const struct explanation *explanation)
{
	finding->is_of_several = explanation->thread_count > 1;
	finding->ns = explanation->account.ns[finding->category];
	finding->share = (double)finding->ns / (double)explanation->total_ns;
	take_parts(finding, explanation);
	if (finding->cause) {
		finding->culprit = is_known(finding->cause) ? finding->cause->culprit : NULL;
		if (finding->cause->where.count && is_known(finding->cause))
			finding->function = finding->cause->where.places[0].place->function;
		take_object(finding, explanation);
	}
}

/* Kernel time spent in spinning for a lock ranks with the waits for locks, if there are some: it is
 * the same problem. */
static void give_spinning(struct explanation *explanation)
{
	struct finding *lock = NULL, *spin = NULL;

	for (size_t i = 0; i < explanation->finding_count; i++) {
		struct finding *finding = &explanation->findings[i];

		if (finding->category == CATEGORY_LOCK_KERNEL)
			lock = finding;
		else if (finding->category == CATEGORY_CPU_KERNEL &&
			 (strstr(finding->object, "_spin_on_owner") ||
			  strstr(finding->object, "osq_lock")))
			spin = finding;
	}
	if (lock && spin) {
		lock->spun_ns = spin->ns;
		spin->is_told_elsewhere = true;
	}
}

/* Threads of the target that wait for each other's work may only wait for work: the time that
 * others of it lack comes first. */
#define WEIGHT_AMONG_OWN 0.2

static bool is_among_own(const struct finding *finding)
{
	const struct blame_cause *cause = finding->cause;

	return finding->category == CATEGORY_WAIT_CONDITION && cause && cause->hop_count > 1 &&
	       cause->hops[1].thread->process == cause->hops[0].thread->process;
}

static double weight_of(const struct finding *finding)
{
	double weight =
		rule_of(finding->category)->weight * (double)(finding->ns + finding->spun_ns);

	if (finding->is_told_elsewhere)
		return 0;
	return finding->is_of_several && is_among_own(finding) ? WEIGHT_AMONG_OWN * weight : weight;
}

static int compare_findings(const void *a, const void *b)
{
	double left_weight = weight_of(a), right_weight = weight_of(b);

	return left_weight == right_weight ? 0 : left_weight < right_weight ? 1 : -1;
}

void findings_make(struct explanation *explanation, bool idle_counts)
{
	if (!explanation->total_ns)
		return;
	explanation->findings = xcalloc(CATEGORY_COUNT, sizeof(*explanation->findings));
	for (int i = 0; i < CATEGORY_COUNT; i++) {
		if (!is_worth_it(explanation, (enum category)i, idle_counts))
			continue;
		explanation->findings[explanation->finding_count].category = (enum category)i;
		fill(&explanation->findings[explanation->finding_count++], explanation);
	}
	give_spinning(explanation);
	qsort(explanation->findings, explanation->finding_count, sizeof(*explanation->findings),
	      compare_findings);
	for (size_t i = 0; i < explanation->finding_count; i++) {
		struct finding *finding = &explanation->findings[i];

		finding->rank = (unsigned int)i + 1;
		finding->confidence = confidence_of(finding, explanation);
	}
	explanation->is_healthy = explanation->finding_count == 0 &&
				  (double)explanation->account.ns[CATEGORY_UNKNOWN] <
					  MUCH_UNKNOWN * (double)explanation->total_ns;
}
