/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/gaps.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/category_table.h"
#include "base/memory.h"

/* Categories that took less of the time than this do not count. */
#define WORTH_A_WORD 0.02
/* Two names say which hooks; more are a list that nobody reads. */
#define NAMES_SHOWN  2

#define BIT(NAME)  (UINT64_C(1) << CATEGORY_##NAME)
#define ON_CPU     (BIT(CPU_USER) | BIT(CPU_KERNEL))
#define MEMORY     (BIT(MEM_FAULT) | BIT(MEM_RECLAIM) | BIT(MEM_COMPACT) | BIT(MEM_SWAP))
#define NETWORK    (BIT(NET_RECV) | BIT(NET_SEND) | BIT(NET_CONNECT))
#define DISK       (BIT(IO_DISK) | BIT(IO_FS) | BIT(MEM_FAULT) | BIT(MEM_SWAP))
#define LOCKS      (BIT(LOCK_FUTEX) | BIT(LOCK_KERNEL))
#define FOR_OTHERS (BIT(WAIT_CONDITION) | BIT(WAIT_IPC) | BIT(WAIT_CHILD) | BIT(WAIT_IDLE))
#define IN_QUEUE   (BIT(RUNQ_PREEMPTED) | BIT(RUNQ_WOKEN) | BIT(RUNQ_LATENCY))
#define BLOCKED    (LOCKS | FOR_OTHERS | NETWORK | DISK | BIT(WAIT_SLEEP) | BIT(STOP))

/* When a gap matters, besides its categories. */
enum gap_kind {
	GAP_HOOKS,      /* hooks are missing */
	GAP_OF_BORN,    /* the same; only for threads that were born meanwhile */
	GAP_OF_UNKNOWN, /* only for threads of which little is known, or without evidence */
	GAP_OF_COMMAND, /* only for the command that was recorded, and children */
	GAP_OF_OPEN,    /* only for waits that had not ended when the recording did */
	GAP_OF_SERVERS, /* only for disks whose work a thread does, which was not seen */
	GAP_OF_NAMES,   /* only where a function has no name */
	GAP_SAMPLES,
	GAP_DEGRADED, /* evidence was taken outside of the thread */
	GAP_NO_STACKS,
	GAP_FRAME_POINTERS,
};

struct gap_row {
	enum gap_kind kind;
	const char *hooks; /* names, as event_hook has them */
	const char *probe; /* that has them; NULL: one that is always on */
	uint64_t categories;
	double confidence;
	const char *says;
};

static const struct gap_row rows[] = {
	{GAP_HOOKS, "sched_waking", NULL, BLOCKED | IN_QUEUE, 0.6,
	 "who ended a wait is known of locks at most, and waiting for a CPU counts as part of the wait before"},
	{GAP_HOOKS, "sched_wakeup_new", NULL, BIT(RUNQ_WOKEN) | BIT(WAIT_CHILD), 0.9,
	 "a new thread's first wait for a CPU is not seen"},
	{GAP_OF_UNKNOWN, "sched_process_fork", NULL, UINT64_MAX, 0.8,
	 "children of what was recorded have no evidence, and new threads may have no name"},
	{GAP_OF_COMMAND, "sched_process_exec", NULL, UINT64_MAX, 0.9,
	 "when processes began their programs is not known"},
	{GAP_HOOKS, "sched_process_exit", NULL, BIT(WAIT_CHILD), 0.9,
	 "how children ended is not known"},
	{GAP_OF_BORN, "task_rename", NULL, UINT64_MAX, 0.9,
	 "new threads may be shown by the name of the one that made them"},
	{GAP_OF_OPEN, "iter/task", NULL, UINT64_MAX, 0.8,
	 "what threads wait for that still wait at the end is not known"},
	{GAP_HOOKS, "contention_begin contention_end", NULL, BIT(LOCK_KERNEL), 0.8,
	 "which lock of the kernel it was, and who held it, is known less often"},
	{GAP_OF_NAMES, "mmap2", NULL, UINT64_MAX, 0.9,
	 "functions of processes that end quickly, and of code loaded late, have no names"},
	{GAP_HOOKS, "block_io_start block_rq_insert block_rq_issue block_rq_complete", "disk", DISK,
	 0.8, "which disk requests were waited for, and whose filled the queue, is not known"},
	{GAP_HOOKS,
	 "mm_vmscan_direct_reclaim_begin mm_vmscan_direct_reclaim_end mm_vmscan_memcg_reclaim_begin "
	 "mm_vmscan_memcg_reclaim_end mm_compaction_begin mm_compaction_end",
	 "memory", MEMORY, 0.9, "freeing and moving memory is known from samples and waits alone"},
	{GAP_HOOKS, "tcp_retransmit_skb tcp_retransmit_synack", "tcp", NETWORK, 0.9,
	 "lost packets and the state of connections are not seen"},
	{GAP_HOOKS,
	 "irq_handler_entry irq_handler_exit softirq_raise softirq_entry softirq_exit local_timer_entry "
	 "local_timer_exit reschedule_entry reschedule_exit call_function_entry call_function_exit "
	 "call_function_single_entry call_function_single_exit irq_work_entry irq_work_exit",
	 "irq", ON_CPU | BIT(CPU_IRQ), 0.8,
	 "what such interrupts took from a thread counts as its own, but for what samples show"},
	{GAP_OF_SERVERS, "irq_handler_entry irq_handler_exit softirq_entry softirq_exit", "irq",
	 DISK, 0.8, "which thread does the work of a disk that is a file is not known"},
	{GAP_SAMPLES, "cpu-clock", "sample", ON_CPU | BIT(CPU_IRQ) | MEMORY, 0.7,
	 "what threads did on a CPU has no functions and counts as cpu.user"},
	{GAP_DEGRADED, "", NULL, BLOCKED, 0.8,
	 "stacks of programs and time limits of waits are not known"},
	{GAP_NO_STACKS, "", NULL, UINT64_MAX, 0.8, "functions of programs are not known"},
	{GAP_FRAME_POINTERS, "", NULL, UINT64_MAX, 0.9,
	 "where programs have none, callers are missing from their stacks"},
};

/* ---- is it there? ---- */

static bool meta_is(const struct model *model, const char *name, const char *value)
{
	const char *text = model_meta(model, name);

	return text && !strcmp(text, value);
}

struct missing {
	const char *names[NAMES_SHOWN];
	size_t count;
	bool was_left_out;
	bool was_asked_for; /* at least one of them, missing or not */
};

static void look_at(struct missing *missing, const struct event_hook *hook)
{
	missing->was_asked_for = true;
	if (hook->status != EVENT_HOOK_MISSING)
		return;
	missing->was_left_out |= hook->error == EVENT_HOOK_LEFT_OUT;
	/* two hooks may be on one tracepoint; then they come with the same name */
	for (size_t i = 0; i < missing->count && i < NAMES_SHOWN; i++) {
		if (!strcmp(missing->names[i], hook->text))
			return;
	}
	if (missing->count < NAMES_SHOWN)
		missing->names[missing->count] = hook->text;
	missing->count++;
}

static struct missing find_missing(const struct model *model, const struct gap_row *row)
{
	struct missing missing = {.count = 0};

	for (size_t i = 0; i < model_hook_count(model); i++) {
		const struct event_hook *hook = model_hook(model, i);

		if (function_is_one_of(hook->text, row->hooks))
			look_at(&missing, hook);
	}
	return missing;
}

static bool is_there(const struct model *model, const struct gap_row *row)
{
	struct missing missing;

	switch (row->kind) {
	case GAP_DEGRADED:
		return meta_is(model, "evidence_hook", "sched_switch");
	case GAP_NO_STACKS:
		return meta_is(model, "user_stack", "none");
	case GAP_FRAME_POINTERS:
		return meta_is(model, "user_stack", "fp");
	case GAP_SAMPLES:
		if (!model_sample_period_ns(model))
			return true;
		break;
	default:
		break;
	}
	/* what says nothing of its hooks is not of the recorder */
	if (!model_hook_count(model))
		return false;
	missing = find_missing(model, row);
	return missing.count || (row->probe && !missing.was_asked_for);
}

/* ---- does it matter? ---- */

static uint64_t bit_of(enum category category)
{
	return UINT64_C(1) << category;
}

/* All that is on the way from the target to the cause. */
static uint64_t categories_of(const struct finding *finding)
{
	const struct blame_cause *cause = finding->cause;
	uint64_t bits = bit_of(finding->category);

	if (!cause)
		return bits;
	bits |= bit_of(cause->leaf);
	for (size_t i = 0; i < cause->hop_count; i++)
		bits |= bit_of(cause->hops[i].category);
	return bits;
}

static bool thread_concerns(enum gap_kind kind, const struct thread *thread)
{
	if (!thread)
		return false;
	switch (kind) {
	case GAP_OF_BORN:
		return thread->was_born_here;
	case GAP_OF_UNKNOWN:
		return thread->process->pid == MODEL_NONE || !thread->comm[0];
	case GAP_OF_COMMAND:
		return thread->process->is_command;
	default:
		return true;
	}
}

/* One of the threads on the way, or at its end, is what the gap is about. */
static bool way_concerns(enum gap_kind kind, const struct finding *finding)
{
	const struct blame_cause *cause = finding->cause;

	if (!cause)
		return true;
	for (size_t i = 0; i < cause->hop_count; i++) {
		if (thread_concerns(kind, cause->hops[i].thread))
			return true;
	}
	return thread_concerns(kind, cause->culprit);
}

static bool is_open(const struct finding *finding)
{
	const struct blame_cause *cause = finding->cause;

	for (size_t i = 0; cause && i < cause->hop_count; i++) {
		if (cause->hops[i].turn && cause->hops[i].turn->flags & TURN_OPEN)
			return true;
	}
	return false;
}

static bool has_unnamed_function(const struct finding *finding)
{
	return !finding->function || !finding->cause ||
	       finding->cause->where.places[0].place->is_unnamed;
}

static bool matters_to(const struct gap_row *row, const struct finding *finding)
{
	if (!(row->categories & categories_of(finding)))
		return false;
	switch (row->kind) {
	case GAP_OF_BORN:
	case GAP_OF_UNKNOWN:
	case GAP_OF_COMMAND:
		return way_concerns(row->kind, finding);
	case GAP_OF_OPEN:
		return is_open(finding);
	case GAP_OF_SERVERS:
		return finding->cause && finding->cause->end == BLAME_NO_WAKER;
	case GAP_OF_NAMES:
		return has_unnamed_function(finding);
	default:
		return true;
	}
}

/* Where nothing is wrong, for all that is seen. */
static bool matters_to_account(const struct explanation *explanation, const struct gap_row *row)
{
	uint64_t ns = 0;

	switch (row->kind) {
	case GAP_OF_OPEN:
	case GAP_OF_UNKNOWN:
		ns = explanation->account.no_evidence_ns;
		break;
	case GAP_OF_COMMAND:
		return explanation->process && explanation->process->is_command;
	case GAP_HOOKS:
	case GAP_SAMPLES:
	case GAP_DEGRADED:
		for (int i = 0; i < CATEGORY_COUNT; i++)
			ns += row->categories & bit_of((enum category)i)
				      ? explanation->account.ns[i]
				      : 0;
		break;
	default:
		break;
	}
	return (double)ns > WORTH_A_WORD * (double)explanation->total_ns;
}

static bool matters(const struct explanation *explanation, const struct gap_row *row)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		if (matters_to(row, &explanation->findings[i]))
			return true;
	}
	return !explanation->finding_count && matters_to_account(explanation, row);
}

/* ---- lost events ---- */

static bool is_of_disk(const struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->finding_count; i++) {
		if (categories_of(&explanation->findings[i]) & DISK)
			return true;
	}
	return false;
}

static bool loss_matters(const struct explanation *explanation, const struct event_loss *loss)
{
	/* 0: at any time since the beginning */
	if (loss->to_ns < explanation->from_ns || loss->from_ns > explanation->to_ns)
		return false;
	switch (loss->reason) {
	case EVENT_LOSS_UNSEEN: /* is seen in the wait itself: it has no evidence */
		return false;
	case EVENT_LOSS_UNSEEN_DISK:
		return is_of_disk(explanation);
	case EVENT_LOSS_SPAN:
		return explanation->has_spans;
	default:
		return true;
	}
}

uint64_t gaps_lost_events(const struct explanation *explanation)
{
	uint64_t events = 0;

	for (size_t i = 0; i < model_loss_count(explanation->model); i++) {
		const struct event_loss *loss = model_loss(explanation->model, i);

		events += loss_matters(explanation, loss) ? loss->events : 0;
	}
	return events;
}

/* ---- the result ---- */

#define CONFIDENCE_WITH_LOSS 0.8

double gaps_confidence(const struct explanation *explanation, const struct finding *finding)
{
	double confidence = 1;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (is_there(explanation->model, &rows[i]) && matters_to(&rows[i], finding))
			confidence *= rows[i].confidence;
	}
	return gaps_lost_events(explanation) ? confidence * CONFIDENCE_WITH_LOSS : confidence;
}

size_t gaps_count(void)
{
	return ARRAY_SIZE(rows);
}

/* "hooks a and b were left out" */
static char *sentence_of_hooks(const struct model *model, const struct gap_row *row)
{
	struct missing missing = find_missing(model, row);
	const char *state = missing.was_left_out ? "left out" : "missing";
	const char *mend = missing.was_left_out ? "record without --without"
						: "'dashcam doctor' says what they would take";

	if (!missing.count)
		return xasprintf("probe %s was not on: %s; record with --probe %s", row->probe,
				 row->says, row->probe);
	if (missing.count == 1)
		return xasprintf("hook %s was %s: %s; %s", missing.names[0], state, row->says,
				 mend);
	if (missing.count == 2)
		return xasprintf("hooks %s and %s were %s: %s; %s", missing.names[0],
				 missing.names[1], state, row->says, mend);
	return xasprintf("hooks %s, %s and %zu more were %s: %s; %s", missing.names[0],
			 missing.names[1], missing.count - 2, state, row->says, mend);
}

char *gap_sentence(const struct explanation *explanation, size_t i)
{
	const struct gap_row *row = &rows[i];
	const struct model *model = explanation->model;

	if (!is_there(model, row) || !matters(explanation, row))
		return NULL;
	switch (row->kind) {
	case GAP_SAMPLES:
		if (find_missing(model, row).count)
			break;
		return xasprintf("no samples were taken (--rate 0 or --probe without sample): %s",
				 row->says);
	case GAP_DEGRADED:
		return xasprintf(
			"evidence was taken at the switch, since none of irq_work_entry, sched_exit_tp "
			"and finish_task_switch was there or wanted: %s; 'dashcam doctor' says what they "
			"would take",
			row->says);
	case GAP_NO_STACKS:
		return xasprintf("user stacks were not taken: %s; record without --user-stack none",
				 row->says);
	case GAP_FRAME_POINTERS:
		return xasprintf("user stacks were followed by frame pointers: %s; record without "
				 "--user-stack fp",
				 row->says);
	default:
		break;
	}
	return sentence_of_hooks(model, row);
}
