/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the time of a thread went: an interval split into categories that sum to the whole.
 */
#ifndef DASHCAM_ANALYSIS_ACCOUNT_H
#define DASHCAM_ANALYSIS_ACCOUNT_H

#include "analysis/category.h"
#include "analysis/history.h"

static inline uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static inline uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

enum piece_kind {
	PIECE_RUN,      /* on a CPU */
	PIECE_RUNNABLE, /* could run, and did not */
	PIECE_BLOCKED,  /* waited for something */
	PIECE_UNKNOWN,  /* not observed */
};

/* A part of an interval in which a thread did one thing. */
struct piece {
	enum piece_kind kind;
	uint64_t from_ns;
	uint64_t to_ns;
	const struct turn *turn; /* NULL if unknown */
};

static inline uint64_t piece_ns(const struct piece *piece)
{
	return piece->to_ns - piece->from_ns;
}

/* Tells the pieces of THREAD between FROM_NS and TO_NS in order, without gaps or overlaps. */
void pieces_walk(const struct history *history, const struct thread *thread, uint64_t from_ns,
		 uint64_t to_ns, void (*tell)(void *context, const struct piece *piece),
		 void *context);
/* The piece of THREAD that TIME_NS lies in, FROM_NS <= TIME_NS < TO_NS, as pieces_walk would tell it;
 * of what is unknown maybe less. */
struct piece piece_at(const struct history *history, const struct thread *thread, uint64_t from_ns,
		      uint64_t to_ns, uint64_t time_ns);

/* Who ran on the CPU of a runnable piece meanwhile, each thread once; never the idle task.
 * Zero-initialised is empty; to be used again and again. */
struct runner {
	const struct thread *thread;
	uint64_t ns;
};

struct runners {
	struct runner *items; /* in the order in which they came */
	size_t count;
	size_t capacity;
	uint64_t idle_ns;  /* the CPU was idle */
	uint64_t lost_ns;  /* nothing is known of it: events were lost */
	uint64_t looks;    /* runs looked at */
	uint32_t *numbers; /* of each thread of the model: its place in items, from 1; 0: none */
};

void runners_find(struct runners *runners, const struct history *history,
		  const struct piece *piece);
void runners_release(struct runners *runners);

struct account {
	uint64_t ns[CATEGORY_COUNT];
	uint64_t on_cpu_ns;      /* all that was done on a CPU, whatever its category */
	uint64_t unsplit_ns;     /* of it: user and kernel not told apart, for want of samples */
	uint64_t no_evidence_ns; /* waits too short for evidence, or without it */
	uint64_t hung_ns;        /* of those: had not ended when the recording did */
	uint64_t inferred_ns; /* of those: told by their system call and the thread's other waits */
	uint64_t inferred_of[CATEGORY_COUNT]; /* those by category */
	uint64_t own_irq_ns; /* interrupts the recorder caused itself; part of cpu.irq */
	uint64_t pending_ns; /* on the CPU, not settled yet */
	uint64_t samples[CATEGORY_COUNT]; /* that fell into it */
};

/* Adds an interval of a thread. What it did on the CPU is pending until account_settle. */
void account_add(struct account *account, const struct history *history,
		 const struct thread *thread, uint64_t from_ns, uint64_t to_ns);
/* After all intervals of THREAD: splits what is pending as its samples say. Then the parts sum to
 * the time that was added. */
void account_settle(struct account *account, const struct history *history,
		    const struct thread *thread);
/* Adds what OTHER has. */
void account_merge(struct account *account, const struct account *other);
uint64_t account_total_ns(const struct account *account);
/* The categories that took time, the largest first. Returns how many. */
size_t account_order(const struct account *account, enum category ret[CATEGORY_COUNT]);

/*
 * Why a blocked piece was. Where its wait has no evidence: by its system call, as far as that says
 * it, or as the thread's other waits in that call were; *RET_INFERRED says so; may be NULL. What
 * seems idle is looked at twice (ending.h).
 */
enum category account_block(const struct history *history, const struct thread *thread,
			    const struct turn *turn, bool *ret_inferred);

/* Why a runnable piece was, but for the time in which the CPU was idle (runq.latency). */
enum category account_runnable(const struct turn *turn);

/* Are all interrupts in events that take a thread's CPU for long? Else samples say more of them. */
bool account_irqs_are_told(const struct history *history);

/* Interrupts that took THREAD's CPU between FROM_NS and TO_NS, their hidden cost included. */
uint64_t account_irq_ns(const struct history *history, const struct thread *thread,
			uint64_t from_ns, uint64_t to_ns, uint64_t *ret_own_ns);

/* What the hypervisor took from THREAD between FROM_NS and TO_NS: each CPU's stolen time falls on
 * its threads as they ran. */
uint64_t account_steal_ns(const struct history *history, const struct thread *thread,
			  uint64_t from_ns, uint64_t to_ns);

/* The same one event at a time: PART of the event's time (0..1) lies in the interval. */
struct account_irqs {
	const struct event_irq *event;
	double part;
	bool is_told;       /* else the events tell too little to go by */
	uint64_t hidden_ns; /* what each hard interrupt costs outside of what is measured */
	struct history_over over;
};

void account_irqs_begin(struct account_irqs *irqs, const struct history *history,
			const struct thread *thread, uint64_t from_ns, uint64_t to_ns);
bool account_irqs_next(struct account_irqs *irqs);

#endif
