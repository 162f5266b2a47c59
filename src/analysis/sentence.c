/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found, in words for a tired person. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/explain.h"
#include "analysis/rules.h"
#include "base/memory.h"
#include "base/units.h"

static const char *name_of(const struct thread *thread)
{
	return thread->comm[0] ? thread->comm : "a thread";
}

static void add_thread(struct buffer *text, const struct thread *thread)
{
	buffer_printf(text, "%s (%u)", name_of(thread), thread->tid);
}

/* "hog (12)", "hog (12 and 3 more of that name)" */
static void add_culprit(struct buffer *text, const struct blame_cause *cause)
{
	if (cause->culprit_count > 1)
		buffer_printf(text, "%s (%u and %u more of that name)", name_of(cause->culprit),
			      cause->culprit->tid, cause->culprit_count - 1);
	else
		add_thread(text, cause->culprit);
}

/* ---- what the culprit did ---- */

static const char *function_of(const struct blame_cause *cause)
{
	return cause->where.count ? cause->where.places[0].place->function : NULL;
}

static void add_function(struct buffer *text, const struct blame_cause *cause, const char *before)
{
	if (function_of(cause))
		buffer_printf(text, "%s%s", before, function_of(cause));
}

/* "ran spin_us", "slept in retry_backoff", "waited for a disk (file /x)" */
static void add_deed(struct buffer *text, const struct blame_cause *cause)
{
	switch (cause->leaf) {
	case CATEGORY_CPU_USER:
		if (function_of(cause))
			buffer_printf(text, "ran %s", function_of(cause));
		else
			buffer_printf(text, "ran");
		return;
	case CATEGORY_CPU_KERNEL:
		buffer_printf(text, "ran in the kernel");
		add_function(text, cause, ", called by ");
		return;
	default:
		buffer_printf(text, "%s", rule_of(cause->leaf)->did);
		add_function(text, cause, " in ");
		if (cause->object[0])
			buffer_printf(text, " (%s)", cause->object);
	}
}

static bool is_last_open(const struct blame_cause *cause)
{
	const struct turn *turn = cause->hop_count ? cause->hops[cause->hop_count - 1].turn : NULL;

	return turn && turn->flags & TURN_OPEN;
}

static void add_end(struct buffer *text, const struct blame_cause *cause)
{
	switch (cause->end) {
	case BLAME_DEADLOCK:
		buffer_printf(text, ". This is a deadlock: each waits for the other");
		break;
	case BLAME_CYCLE:
		buffer_printf(text, ". There the chain meets a thread that is in it already");
		break;
	case BLAME_TOO_LONG:
		buffer_printf(text, ". The chain is longer than %d and was cut", BLAME_HOPS_MAX);
		break;
	case BLAME_NOT_SEEN:
		buffer_printf(text, ". What it did then is not in the recording");
		break;
	case BLAME_NO_EVIDENCE:
		buffer_printf(text, ". What that wait was for is not in the recording");
		break;
	case BLAME_NO_WAKER:
		buffer_printf(text, is_last_open(cause)
					    ? ". That it ended is not in the recording"
					    : ". Who ended that wait is not in the recording");
		break;
	case BLAME_LEAF:
		break;
	}
}

/* ---- the way there ---- */

/* Hop I leads to hop I + 1, or to the culprit if it is the last. */
static void add_link(struct buffer *text, enum blame_link link, const struct thread *next)
{
	switch (link) {
	case LINK_HELD_BY:
		buffer_printf(text, " that ");
		add_thread(text, next);
		buffer_printf(text, " held, which ");
		break;
	case LINK_WOKE:
		buffer_printf(text, " until ");
		add_thread(text, next);
		buffer_printf(text, " was done, which ");
		break;
	case LINK_RAN:
		buffer_printf(text, " while ");
		add_thread(text, next);
		buffer_printf(text, " ");
		break;
	case LINK_NONE:
		break;
	}
}

/* From what the target did to what the culprit did. */
static void add_way(struct buffer *text, const struct blame_cause *cause)
{
	for (size_t i = 0; i + 1 < cause->hop_count; i++) {
		add_link(text, cause->hops[i].link, cause->hops[i + 1].thread);
		if (i + 2 < cause->hop_count)
			buffer_printf(text, "%s", rule_of(cause->hops[i + 1].category)->did);
	}
}

static bool is_on_cpu(enum category category)
{
	return category == CATEGORY_CPU_USER || category == CATEGORY_CPU_KERNEL;
}

static void add_last(struct buffer *text, const struct blame_cause *cause)
{
	const struct blame_hop *last = &cause->hops[cause->hop_count - 1];
	bool is_direct = cause->hop_count == 1;

	if (last->link == LINK_RAN && cause->culprit) {
		if (!is_direct)
			buffer_printf(text, "%s", rule_of(last->category)->did);
		buffer_printf(text, " while ");
		add_culprit(text, cause);
		buffer_printf(text, " %s", is_on_cpu(cause->leaf) ? "" : "ran and ");
		add_deed(text, cause);
		if (cause->object[0] && is_on_cpu(cause->leaf))
			buffer_printf(text, " (%s)", cause->object);
	} else if (!is_direct) {
		add_deed(text, cause);
	} else {
		add_function(text, cause, " in ");
		if (cause->object[0])
			buffer_printf(text, " (%s)", cause->object);
		if (cause->culprit && cause->culprit != last->thread) {
			buffer_printf(text, cause->category == CATEGORY_STOP ? " by " : " behind ");
			add_culprit(text, cause);
		}
	}
}

/* The target's own CPU time has no way. */
static void add_own(struct buffer *text, const struct blame_cause *cause)
{
	if (function_of(cause))
		buffer_printf(text, ", %.0f %% of it in %s", 100 * cause->where.places[0].share,
			      function_of(cause));
	if (cause->object[0])
		buffer_printf(text, " (%s)", cause->object);
}

static void add_share(struct buffer *text, uint64_t ns, double share)
{
	char number[UNITS_TEXT_SIZE];

	buffer_printf(text, " %s (%.*f %%)", format_ns(number, ns), share < 0.0995 ? 1 : 0,
		      100 * share);
}

/* Which lock it was, where it has a name. */
static void add_lock(struct buffer *text, const struct explanation *explanation,
		     const struct blame_cause *cause)
{
	const struct wait *wait = cause->hop_count > 1 ? cause->hops[0].wait : NULL;
	const char *name = wait ? category_lock_name(explanation->model, wait) : NULL;

	if (name)
		buffer_printf(text, " (%s)", name);
}

static char *sentence_of(const struct explanation *explanation, const struct finding *finding)
{
	struct buffer text = {.data = NULL};
	const struct blame_cause *cause = finding->cause;
	char number[UNITS_TEXT_SIZE];

	buffer_printf(&text, "%s %s",
		      explanation->thread ? name_of(explanation->thread) : explanation->target,
		      rule_of(finding->category)->did);
	if (cause)
		add_lock(&text, explanation, cause);
	add_share(&text, finding->ns, finding->share);
	if (cause && !cause->hop_count)
		add_own(&text, cause);
	if (cause && cause->hop_count) {
		if (cause->hop_count > 1)
			buffer_printf(&text, ",");
		add_way(&text, cause);
		add_last(&text, cause);
		add_end(&text, cause);
	}
	buffer_printf(&text, ".");
	if (finding->spun_ns)
		buffer_printf(&text, " It spun for such locks for another %s.",
			      format_ns(number, finding->spun_ns));
	return text.data;
}

/* ---- advice ---- */

static bool is_same_name(const struct explanation *explanation, const struct finding *finding)
{
	return finding->culprit && explanation->thread && finding->culprit != explanation->thread &&
	       !strcmp(finding->culprit->comm, explanation->thread->comm);
}

static void add_word(struct buffer *text, const char *word, size_t length,
		     const struct explanation *explanation, const struct finding *finding)
{
	const char *value = NULL;

	if (!strncmp(word, "culprit", length) && is_same_name(explanation, finding))
		add_thread(text, finding->culprit);
	else if (!strncmp(word, "culprit", length))
		value = finding->culprit ? name_of(finding->culprit) : "the other side";
	else if (!strncmp(word, "function", length))
		value = finding->function ? finding->function : "its code";
	else if (!strncmp(word, "object", length))
		value = finding->object[0] ? finding->object : "it";
	else if (!strncmp(word, "holder", length))
		add_thread(text, finding->cause->hops[1].thread);
	else if (!strncmp(word, "target", length))
		value = explanation->thread ? name_of(explanation->thread) : "the target";
	buffer_printf(text, "%s", value ? value : "");
}

/* One in the chain that got no CPU needs other advice than one that used it. */
static enum category advice_leaf(const struct blame_cause *cause)
{
	if (!cause)
		return CATEGORY_UNKNOWN;
	if (cause->hop_count > 1 && cause->hops[cause->hop_count - 1].link == LINK_RAN)
		return CATEGORY_RUNQ_PREEMPTED;
	return cause->leaf;
}

/* Who held the lock waited for somebody's work, with the lock in hand. */
static bool is_holder_waiting(const struct blame_cause *cause)
{
	return cause->hop_count > 2 && cause->hops[0].link == LINK_HELD_BY &&
	       cause->hops[1].link == LINK_WOKE;
}

static const char *pattern_of(const struct finding *finding)
{
	const struct blame_cause *cause = finding->cause;

	if (cause && cause->end == BLAME_DEADLOCK)
		return advice_for_deadlock();
	if (cause && is_holder_waiting(cause))
		return advice_for_waiting_holder();
	return advice_for(finding->category, advice_leaf(cause), finding->object);
}

static char *advice_of(const struct explanation *explanation, const struct finding *finding)
{
	const char *pattern = pattern_of(finding);
	struct buffer text = {.data = NULL};

	for (const char *at = pattern; *at; at++) {
		if (*at == '[' && !finding->culprit) {
			at = strchr(at, ']');
		} else if (*at == '{') {
			const char *close = strchr(at, '}');

			add_word(&text, at + 1, (size_t)(close - at - 1), explanation, finding);
			at = close;
		} else if (*at != '[' && *at != ']') {
			buffer_add(&text, at, 1);
		}
	}
	return text.data;
}

/* ---- the verdict ---- */

static enum category largest(const struct account *account)
{
	int most = 0;

	for (int i = 1; i < CATEGORY_COUNT; i++) {
		if (account->ns[i] > account->ns[most])
			most = i;
	}
	return (enum category)most;
}

static bool is_idling(enum category category)
{
	return category == CATEGORY_WAIT_IDLE || category == CATEGORY_WAIT_SLEEP ||
	       category == CATEGORY_WAIT_CONDITION || category == CATEGORY_WAIT_IPC;
}

/* Where the target itself was: the cause's function is that of the culprit at the end of the way.
 */
static const char *own_function(const struct explanation *explanation,
				const struct blame_cause *cause)
{
	const struct wait *wait = cause->hop_count ? cause->hops[0].wait : NULL;
	bool is_own =
		cause->hop_count < 2 && (!cause->hop_count || cause->hops[0].link == LINK_NONE);
	const struct place *place;

	if (is_own)
		return function_of(cause);
	place = wait && wait->evidence
			? category_user_place(explanation->model, wait->evidence->user_stack)
			: NULL;
	return place ? place->function : NULL;
}

/* Where it had nothing to do, if that is what it mostly did: the function. */
static const char *place_of_category(const struct explanation *explanation, enum category category)
{
	for (size_t i = 0; i < blame_cause_count(explanation->blame); i++) {
		const struct blame_cause *cause = blame_cause(explanation->blame, i);

		if (cause->category == category)
			return own_function(explanation, cause);
	}
	return NULL;
}

static char *verdict_of_all(const struct explanation *explanation)
{
	enum category most = largest(&explanation->account);

	return xasprintf(
		"Nothing wrong: of %zu threads none has a problem that stands out. The busiest, %s, %s "
		"%.0f %% of the time.",
		explanation->looked_at, explanation->target, rule_of(most)->did,
		100 * (double)explanation->account.ns[most] / (double)explanation->total_ns);
}

static char *healthy_verdict(const struct explanation *explanation)
{
	enum category most = largest(&explanation->account);
	const char *function = place_of_category(explanation, most);
	double share = explanation->total_ns ? (double)explanation->account.ns[most] /
						       (double)explanation->total_ns
					     : 0;

	if (!explanation->total_ns)
		return xasprintf("%s: nothing is known of that time.", explanation->target);
	if (!explanation->is_healthy)
		return xasprintf(
			"Not known: %.0f %% of the time of %s is not in the recording, or was not "
			"recognised; in the rest nothing stands out.",
			100 * (double)explanation->account.ns[CATEGORY_UNKNOWN] /
				(double)explanation->total_ns,
			explanation->target);
	if (explanation->looked_at > 1)
		return verdict_of_all(explanation);
	if (is_idling(most) && share > 0.5)
		return xasprintf("Nothing wrong: %s is idle, it %s %.0f %% of the time%s%s.",
				 explanation->target, rule_of(most)->did, 100 * share,
				 function ? ", in " : "", function ? function : "");
	return xasprintf("Nothing wrong: %s %s %.0f %% of the time%s%s, and no wait stands out.",
			 explanation->target, rule_of(most)->did, 100 * share,
			 function ? ", in " : "", function ? function : "");
}

void sentences_make(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		struct finding *finding = &explanation->findings[i];

		finding->sentence = sentence_of(explanation, finding);
		finding->advice = advice_of(explanation, finding);
	}
	explanation->verdict = explanation->finding_count
				       ? xstrdup(explanation->findings[0].sentence)
				       : healthy_verdict(explanation);
}
