/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/leaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

/* No sampling clock is slower; what says more is wrong. */
#define SAMPLE_NS_MAX NS_PER_S

/* Timers are late by some 100 us on virtual machines, and by their slack. */
#define OVERSLEPT_NS NS_PER_MS

bool leaf_ends_at(enum category category)
{
	return category == CATEGORY_WAIT_SLEEP || category == CATEGORY_STOP ||
	       category == CATEGORY_MEM_RECLAIM || category == CATEGORY_MEM_OOM;
}

void leaf_release(struct leaf *leaf)
{
	hotspot_release(&leaf->hotspot);
}

/* ---- on a CPU ---- */

/* "newfstatat in link_path_walk" */
static void name_kernel_work(struct leaf *leaf, struct model *model, const struct sample *sample)
{
	const struct place *place = category_kernel_place(model, sample->event->kernel_stack);
	const char *call =
		sample->event->syscall >= 0 ? model_syscall_name(sample->event->syscall) : NULL;

	snprintf(leaf->object, sizeof(leaf->object), "%s%s%s", call ? call : "",
		 call && place ? " in " : "", place ? place->function : "");
}

/* The time that a sample stands for. */
static uint64_t sample_ns(const struct sample *sample)
{
	uint64_t period_ns = sample->event->period_ns;

	return period_ns < SAMPLE_NS_MAX ? period_ns : SAMPLE_NS_MAX;
}

void leaf_of_sample(struct leaf *leaf, const struct history *history, const struct sample *sample)
{
	struct model *model = history_model(history);

	*leaf = (struct leaf){
		.category = category_of_sample(model, sample),
		.culprit = sample->thread,
		.from_ns = sample->time_ns,
		.ns = sample_ns(sample),
	};
	if (leaf->category != CATEGORY_CPU_USER)
		name_kernel_work(leaf, model, sample);
	if (leaf->category == CATEGORY_MEM_RECLAIM)
		leaf_memory_limit(leaf, history, sample->thread, sample->time_ns);
	hotspot_add(&leaf->hotspot, sample->event->user_stack, sample->event->kernel_stack,
		    leaf->ns);
}

void leaf_of_run(struct leaf *leaf, const struct history *history, const struct thread *thread,
		 const struct piece *piece, const struct piece *sampled, uint64_t hint)
{
	struct model *model = history_model(history);
	uint64_t votes[CATEGORY_COUNT] = {0};
	size_t count = history_sample_count(history, thread);

	*leaf = (struct leaf){
		.category = thread->is_kernel ? CATEGORY_CPU_KERNEL : CATEGORY_CPU_USER,
		.culprit = thread,
		.from_ns = piece->from_ns,
		.ns = piece_ns(piece),
	};
	for (size_t i = history_sample_after(history, thread, sampled->from_ns); i < count; i++) {
		const struct sample *sample = history_sample(history, thread, i);
		enum category category;

		if (sample->time_ns >= sampled->to_ns)
			break;
		category = category_of_sample(model, sample);
		if (++votes[category] > votes[leaf->category])
			leaf->category = category;
		hotspot_add(&leaf->hotspot, sample->event->user_stack, sample->event->kernel_stack,
			    sample_ns(sample));
	}
	/* weighs little, so that it counts only where samples are silent */
	if (!leaf->hotspot.count)
		hotspot_add(&leaf->hotspot, hint, 0, leaf->ns / 100 + 1);
}

/* ---- interrupts ---- */

static const char *softirq_name(size_t number)
{
	static const char *const names[] = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
					    "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};

	return names[number];
}

static const char *hard_irq_name(size_t class)
{
	static const char *const names[] = {
		[EVENT_IRQ_DEVICE] = "device interrupts",
		[EVENT_IRQ_TIMER] = "timer interrupts",
		[EVENT_IRQ_IPI] = "interrupts from other CPUs",
		[EVENT_IRQ_WORK] = "the recorder's own interrupts",
	};

	return names[class];
}

/* Sums of an interval's interrupt events, each with the part that lies inside. */
struct irq_sums {
	double hard_ns[4];
	double soft_ns[10];
};

static void sum_irqs(struct irq_sums *sums, const struct event_irq *event, double part,
		     uint64_t hidden_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(sums->hard_ns); i++)
		sums->hard_ns[i] +=
			part * (double)(event->hard_ns[i] + event->hard_count[i] * hidden_ns);
	for (size_t i = 0; i < ARRAY_SIZE(sums->soft_ns); i++)
		sums->soft_ns[i] += part * (double)event->soft_ns[i];
}

/* One kind of interrupt and what it took. */
struct irq_kind {
	const char *name;
	const char *suffix;
	double ns;
};

static int compare_kinds(const void *a, const void *b)
{
	const struct irq_kind *left = a, *right = b;

	return left->ns == right->ns ? 0 : left->ns < right->ns ? 1 : -1;
}

/* The kind that took most; and the next one, if it took nearly as much: a packet comes with both.
 */
static void name_irqs(struct leaf *leaf, const struct irq_sums *sums)
{
	struct irq_kind kinds[ARRAY_SIZE(sums->soft_ns) + ARRAY_SIZE(sums->hard_ns)];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sums->soft_ns); i++)
		kinds[count++] = (struct irq_kind){softirq_name(i), " softirq", sums->soft_ns[i]};
	for (size_t i = 0; i < ARRAY_SIZE(sums->hard_ns); i++) {
		if (i != EVENT_IRQ_WORK)
			kinds[count++] = (struct irq_kind){hard_irq_name(i), "", sums->hard_ns[i]};
	}
	qsort(kinds, count, sizeof(kinds[0]), compare_kinds);
	if (kinds[1].ns * 4 > kinds[0].ns && kinds[1].ns > 0)
		snprintf(leaf->object, sizeof(leaf->object), "%s%s and %s%s", kinds[0].name,
			 kinds[0].suffix, kinds[1].name, kinds[1].suffix);
	else
		snprintf(leaf->object, sizeof(leaf->object), "%s%s", kinds[0].name,
			 kinds[0].suffix);
}

void leaf_of_irqs(struct leaf *leaf, const struct history *history, const struct thread *thread,
		  uint64_t from_ns, uint64_t to_ns)
{
	struct account_irqs irqs;
	struct irq_sums sums = {{0}, {0}};

	*leaf = (struct leaf){.category = CATEGORY_CPU_IRQ, .from_ns = from_ns};
	leaf->ns = account_irq_ns(history, thread, from_ns, to_ns, NULL);
	if (!leaf->ns)
		return;
	account_irqs_begin(&irqs, history, thread, from_ns, to_ns);
	while (account_irqs_next(&irqs))
		sum_irqs(&sums, irqs.event, irqs.part, irqs.hidden_ns);
	name_irqs(leaf, &sums);
}

/* ---- run queues ---- */

/* "real-time priority 50", "nice -5"; and the cgroup, if it is another than that of the one who
 * waits. */
static void name_class(struct leaf *leaf, const struct history *history,
		       const struct thread *runner, const struct thread *waiting)
{
	int priority = history_priority(history, runner);
	char class[40] = "", cgroup[160] = "", other[160] = "";

	if (priority >= 0 && priority < 100)
		snprintf(class, sizeof(class), "real-time priority %d", 99 - priority);
	else if (priority >= 100 && priority != 120)
		snprintf(class, sizeof(class), "nice %d", priority - 120);
	leaf_cgroup(cgroup, sizeof(cgroup), history, runner);
	leaf_cgroup(other, sizeof(other), history, waiting);
	if (!strcmp(cgroup, other))
		cgroup[0] = '\0';
	snprintf(leaf->object, sizeof(leaf->object), "%s%s%s%s", class,
		 class[0] && cgroup[0] ? ", " : "", cgroup[0] ? "cgroup " : "", cgroup);
}

void leaf_of_runner(struct leaf *leaf, const struct history *history, const struct piece *piece,
		    const struct runner *runner)
{
	struct piece run = {.kind = PIECE_RUN, .from_ns = piece->from_ns, .to_ns = piece->to_ns};

	leaf_of_run(leaf, history, runner->thread, &run, &run, 0);
	leaf->ns = runner->ns;
	name_class(leaf, history, runner->thread,
		   model_thread(history_model(history), piece->turn->thread));
}

void leaf_of_latency(struct leaf *leaf, const struct thread *thread, const struct piece *piece,
		     uint64_t idle_ns)
{
	(void)thread;
	*leaf = (struct leaf){
		.category = CATEGORY_RUNQ_LATENCY, .from_ns = piece->from_ns, .ns = idle_ns};
	snprintf(leaf->object, sizeof(leaf->object), "CPU %u, idle", piece->turn->cpu);
}

void leaf_of_quota(struct leaf *leaf, const struct history *history, const struct thread *thread,
		   const struct piece *piece)
{
	*leaf = (struct leaf){
		.category = CATEGORY_RUNQ_THROTTLED,
		.culprit = thread,
		.from_ns = piece->from_ns,
		.ns = piece_ns(piece),
	};
	leaf_cpu_quota(leaf, history, thread, piece->from_ns);
}

/* ---- blocked ---- */

static void name_object(struct leaf *leaf, struct model *model, const struct wait *wait)
{
	const char *lock = category_lock_name(model, wait);

	if (lock)
		snprintf(leaf->object, sizeof(leaf->object), "%s", lock);
	else if (wait->evidence)
		model_object_text(model, wait->evidence, leaf->object, sizeof(leaf->object));
}

/* clock_nanosleep with TIMER_ABSTIME. */
static bool is_until(const struct event_wait *evidence)
{
	const char *name = evidence->syscall >= 0 ? model_syscall_name(evidence->syscall) : NULL;

	return name && !strcmp(name, "clock_nanosleep") && evidence->args[1] & 1;
}

static void name_sleep(struct leaf *leaf, const struct wait *wait)
{
	uint64_t asked_ns = wait->evidence ? wait->evidence->timeout_ns : 0;
	uint64_t slept_ns = wait_blocked_ns(wait);
	char asked[UNITS_TEXT_SIZE], slept[UNITS_TEXT_SIZE];

	if (!asked_ns)
		return;
	/* until a moment: how long that is depends on what was done before */
	if (!is_until(wait->evidence))
		leaf->asked_ns = asked_ns;
	/* whose end was not seen may have waited for a CPU */
	if (slept_ns / 2 < asked_ns || slept_ns - asked_ns < OVERSLEPT_NS || !wait->wake_seen) {
		snprintf(leaf->object, sizeof(leaf->object), "asked for %s",
			 format_ns(asked, asked_ns));
		return;
	}
	leaf->overslept_ns = slept_ns - asked_ns;
	snprintf(leaf->object, sizeof(leaf->object), "asked for %s, slept %s",
		 format_ns(asked, asked_ns), format_ns(slept, slept_ns));
}

void leaf_of_block(struct leaf *leaf, const struct history *history, const struct thread *thread,
		   const struct piece *piece, enum category category)
{
	struct model *model = history_model(history);
	const struct wait *wait = history_wait(history, piece->turn);

	*leaf = (struct leaf){
		.category = category,
		.culprit = thread,
		.from_ns = piece->from_ns,
		.ns = piece_ns(piece),
	};
	if (wait && wait->evidence) {
		hotspot_add(&leaf->hotspot, wait->evidence->user_stack,
			    wait->evidence->kernel_stack, leaf->ns);
		name_object(leaf, model, wait);
	}
	switch (category) {
	case CATEGORY_WAIT_SLEEP:
		if (wait)
			name_sleep(leaf, wait);
		break;
	case CATEGORY_IO_DISK:
	case CATEGORY_IO_FS:
	case CATEGORY_MEM_FAULT:
	case CATEGORY_MEM_SWAP:
		leaf_disk(leaf, history, thread, piece);
		break;
	case CATEGORY_NET_RECV:
	case CATEGORY_NET_SEND:
	case CATEGORY_NET_CONNECT:
		leaf_net(leaf, history, thread, piece);
		break;
	case CATEGORY_MEM_RECLAIM:
	case CATEGORY_MEM_OOM:
		leaf_memory_limit(leaf, history, thread, piece->from_ns);
		break;
	case CATEGORY_STOP:
		leaf->culprit = history_waker(history, piece->turn);
		break;
	default:
		break;
	}
}
