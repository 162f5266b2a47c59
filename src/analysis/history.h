/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every thread and every CPU did, for random access: the ground that explanations stand on.
 *
 * One pass over the recording is kept as turns. A turn is a wait and the run that followed it: half
 * the memory of keeping both apart, and the question asked most often (what came before this run,
 * who ended the wait) needs no search. 10 million events are about 6 million turns of 64 bytes.
 */
#ifndef DASHCAM_ANALYSIS_HISTORY_H
#define DASHCAM_ANALYSIS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/model.h"

enum turn_flag {
	TURN_HAS_WAIT = 1,  /* start_ns..from_ns is a wait, else nothing is known before from_ns */
	TURN_HAS_RUN = 2,   /* else the wait never ended, or what followed was not seen */
	TURN_WAKE_SEEN = 4, /* wake_ns and waker are known */
	TURN_WAKER_IRQ = 8, /* an interrupt woke it, not the work of the waker */
	TURN_OPEN = 16,     /* the wait had not ended when the recording did */
};

struct turn {
	uint64_t start_ns; /* the wait began */
	uint64_t wake_ns;  /* it became runnable; from_ns if not known, start_ns if it was all along
			    */
	uint64_t from_ns;  /* the wait ended, the run began */
	uint64_t to_ns;    /* the run ended */
	uint32_t thread;   /* indices into the model's threads */
	uint32_t waker;    /* MODEL_NONE: not known */
	uint32_t wait;     /* number of the model's wait; MODEL_NONE: too short to be kept */
	uint16_t cpu;
	uint16_t prev_state;     /* when the wait began; 0: runnable */
	int16_t prev_syscall;    /* system call it blocked in; EVENT_NO_SYSCALL */
	uint8_t switch_flags;    /* enum event_switch_flag of the wait's begin */
	uint8_t flags;           /* enum turn_flag */
	uint32_t place;          /* of the run among its CPU's */
	uint64_t busy_before_ns; /* all runs of that CPU before it together */
};

/* Events of a kind, in the order of time. */
struct history_events {
	const struct event_header **events;
	size_t count;
};

struct history;

/*
 * Reads RECORDING once: its model and its history. Returns 0, or a negative errno with a sentence.
 * The recording must outlive it; the model belongs to it.
 */
int history_new(struct history **ret, struct recording *recording);
void history_free(struct history *history); /* NULL is fine */

struct model *history_model(const struct history *history);

/* The turns of a thread, in order. */
size_t history_turn_count(const struct history *history, const struct thread *thread);
const struct turn *history_turn(const struct history *history, const struct thread *thread,
				size_t i);
/* The first turn of THREAD that ends after TIME_NS; the count if there is none. */
size_t history_turn_after(const struct history *history, const struct thread *thread,
			  uint64_t time_ns);

/* The runs of a CPU, in order; each is a turn of some thread with TURN_HAS_RUN. */
size_t history_cpu_run_count(const struct history *history, uint16_t cpu);
const struct turn *history_cpu_run(const struct history *history, uint16_t cpu, size_t i);
size_t history_cpu_run_after(const struct history *history, uint16_t cpu, uint64_t time_ns);

/* How long the CPU was not idle. */
uint64_t history_cpu_busy_ns(const struct history *history, uint16_t cpu, uint64_t from_ns,
			     uint64_t to_ns);
/* The same of TURN's CPU, for times up to TURN's run; fast where they are not long before it. */
uint64_t history_busy_before_ns(const struct history *history, const struct turn *turn,
				uint64_t from_ns, uint64_t to_ns);

/* How long nothing is known of the CPU: events were lost. It may have been busy with anything. */
uint64_t history_cpu_lost_ns(const struct history *history, uint16_t cpu, uint64_t from_ns,
			     uint64_t to_ns);

/* The samples of a thread, in order. */
size_t history_sample_count(const struct history *history, const struct thread *thread);
const struct sample *history_sample(const struct history *history, const struct thread *thread,
				    size_t i);
size_t history_sample_after(const struct history *history, const struct thread *thread,
			    uint64_t time_ns);

/* The wait of a turn as the model has it, with its evidence; NULL if it was not kept. */
const struct wait *history_wait(const struct history *history, const struct turn *turn);
struct thread *history_waker(const struct history *history, const struct turn *turn);

/* Events of a kind that is not part of the model (irq, disk, reclaim, ...): all, in the order of
 * time. */
struct history_events history_events(const struct history *history, enum event_kind kind);
/* The first of EVENTS at TIME_NS or later; the count if there is none. */
size_t history_event_from(const struct history_events *events, uint64_t time_ns);

/*
 * Events that lie over an interval, or touch it: those that ended at FROM_NS or later and began at
 * TO_NS or before, in the order of their ends. KEY says what about: the tid for irq and tcp_state,
 * the pid for cgroup, the connection for retransmit, 0 for all other kinds. Costs what is found,
 * not what there is.
 */
struct history_over {
	const struct kept_events *kept;
	uint64_t from_ns;
	uint64_t to_ns;
	uint32_t next;
	uint32_t end;
	uint32_t looks; /* events looked at so far */
};

void history_over_begin(struct history_over *over, const struct history *history,
			enum event_kind kind, uint64_t key, uint64_t from_ns, uint64_t to_ns);
const struct event_header *history_over_next(struct history_over *over); /* NULL: no more */

/* The same for both directions. */
static inline uint64_t history_connection_key(uint16_t one_port, uint16_t other_port)
{
	return one_port < other_port ? (uint64_t)one_port << 16 | other_port
				     : (uint64_t)other_port << 16 | one_port;
}

/* The first turn that the work of WAKER began between the two times, both included: of a thread of
 * OTHER's process, or of OTHER alone if that is WAKER's own. NULL: none. */
const struct turn *history_woken_by(const struct history *history, const struct thread *waker,
				    const struct thread *other, uint64_t from_ns, uint64_t to_ns);

/* Where account.c keeps what it has worked out of each thread's habits; see there. */
struct map64 *history_habits(const struct history *history);

/* Of which priority the thread was last seen to take a CPU: 0..99 real time, 100..139 fair; -1
 * unknown. */
int history_priority(const struct history *history, const struct thread *thread);

#endif
