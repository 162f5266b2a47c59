/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine: events in the order of time become runs and waits, told to a sink.
 *
 * Each thread has a lane. A lane's time is told piece by piece and never twice; what is not told is
 * unknown. The first pass makes the model's threads; a replay meets the same threads in the same
 *order, so lane N is thread N in both.
 *
 *	lane.c      one thread's waits: begin, wake-up, end, evidence
 *	identity.c  which lane a tid means: births, deaths, exec
 *	timeline.c  CPUs: switches, gaps; reading the recording
 */
#ifndef DASHCAM_MODEL_TIMELINE_H
#define DASHCAM_MODEL_TIMELINE_H

#include "model/internal.h"

/* Evidence belongs to the wait that ended at most this far from its time. */
#define EVIDENCE_SLACK_NS UINT64_C(20000)
/* A wake-up so long before the switch-out may still belong to the wait that begins there: the
 * thread had decided to sleep and was woken by another CPU before it was off its own. */
#define EARLY_WAKING_NS   UINT64_C(1000000)
/* The state of a thread whose switch-out was not seen, but which was woken later: it slept. */
#define STATE_ASSUMED     1
/* Task states of a thread that does not come back: dead, zombie. */
#define STATE_DEAD_MASK   0xb0

enum lane_state {
	LANE_UNSEEN,  /* there since the recording's start; no event has told what it does */
	LANE_UNKNOWN, /* events were lost */
	LANE_LEFT,    /* it left its CPU unseen: off-CPU for certain, but blocked or runnable */
	LANE_BLOCKED,
	LANE_RUNNABLE,
	LANE_ON_CPU,
	LANE_ENDED,
};

enum lane_hold {
	HOLD_NOTHING,
	HOLD_WAIT,    /* lane->wait is over and waits for its evidence */
	HOLD_UNKNOWN, /* from lane->wait.start_ns to end_ns nothing is known, unless evidence comes
		       */
};

struct lane {
	struct thread *thread;
	uint32_t tid; /* thread->tid is its last one */
	enum lane_state state;
	enum lane_hold hold;
	bool is_forked;     /* its fork was seen */
	bool is_newborn;    /* its first wake-up has not been seen */
	bool start_assumed; /* of wait: its true start was not seen */
	bool is_open;       /* evidence says that it still waits: the recording's last word on it */
	bool has_evidence;  /* evidence came before the switch-in it belongs to */
	uint16_t cpu;       /* while on a CPU */
	uint32_t pid;       /* 0: not known yet */
	uint64_t exit_ns;   /* it said so, and may be seen until its last switch-out; or unknown */
	uint64_t since_ns;  /* when the state began */
	uint64_t told_ns;   /* everything before this is told or unknown for ever */
	struct wait
		wait; /* under way, or the last one; wake_ns is MODEL_TIME_UNKNOWN until known */
	uint64_t early_ns; /* last wake-up while it was on a CPU; MODEL_TIME_UNKNOWN */
	uint16_t early_cpu;
	struct thread *early_waker;
	struct event_wait *evidence; /* made when first needed */
};

struct cpu {
	struct lane *current; /* NULL: not known */
	uint64_t since_ns;    /* of current */
	uint64_t proof_ns;    /* last time at which current was certainly here */
	uint64_t known_ns;    /* before this, everything about the CPU is told */
	uint64_t lost_ns;     /* until then its switches were overwritten */
	bool since_seen;      /* the switch-in was seen */
	bool is_seen;         /* something happened here before */
};

struct run {
	struct thread *thread;
	uint16_t cpu;
	uint16_t end_state;
	uint8_t flags;
	bool start_seen; /* else the true start may be earlier */
	bool end_seen;   /* else the true end may be later */
	uint64_t from_ns;
	uint64_t to_ns;
};

struct timeline_sink {
	void *context;
	void (*run)(void *context, const struct run *run);
	void (*wait)(void *context, const struct wait *wait);
	void (*waking)(void *context, const struct event_waking *event, struct thread *waker,
		       struct thread *wakee);
	void (*sample)(void *context, const struct sample *sample);
	void (*span)(void *context, const struct event_span *event, struct thread *thread);
	void (*event)(void *context, const struct event_header *event);
	void (*progress)(void *context, uint64_t events);
};

struct timeline {
	struct model *model;
	const struct timeline_sink *sink; /* every callback but progress is set */
	bool is_first;                    /* the first pass: makes threads */
	int err;
	uint64_t now_ns;
	struct lane **lanes;
	size_t lane_count, lane_capacity;
	struct arena arena;
	struct map64 lane_of_tid;
	struct lane *idle;
	struct cpu *cpus;
	unsigned int cpu_count;
	size_t cpu_capacity;
	size_t gap_at;
	bool *row_used;
	struct recording_cursor *cursor;
	uint64_t events;
	bool is_finished;
};

/* Reads the whole recording and tells everything; what is under way at its end is told as open or
 * cut. The first pass sets model->end_ns. Returns 0 or a negative errno with a sentence. */
int timeline_read(struct model *model, const struct timeline_sink *sink, bool is_first);

/* The same event by event. The timeline is released by timeline_close, also if the open failed. */
int timeline_open(struct timeline *timeline, struct model *model, const struct timeline_sink *sink,
		  bool is_first);
/* Reads one event: 1, 0 when the end is told, or a negative errno. */
int timeline_step(struct timeline *timeline);
void timeline_close(struct timeline *timeline);

/* ---- identity.c ---- */

/* The idle task, and the threads that were there at the start. */
void identity_init(struct timeline *timeline);
/* The living thread that has TID now, which an event has just shown. Made if there is none. */
struct lane *identity_lane(struct timeline *timeline, uint32_t tid, uint64_t time_ns);
/* As identity_lane, but a thread that has just ended will do; and learns its PID. */
struct lane *identity_lane_of(struct timeline *timeline, uint32_t tid, uint32_t pid,
			      uint64_t time_ns);
/* The lane that leaves a CPU where CURRENT (or NULL) should be: another thread that calls exec
 * takes its leader's tid before the exec event comes. */
struct lane *identity_lane_leaving(struct timeline *timeline, struct lane *current, uint32_t tid,
				   uint64_t time_ns);
/* The lane of a wake-up's thread; IS_NEW: it was just born. */
struct lane *identity_lane_woken(struct timeline *timeline, uint32_t tid, bool is_new,
				 uint64_t time_ns);
void identity_fork(struct timeline *timeline, const struct event_fork *event, uint64_t time_ns);
void identity_exec(struct timeline *timeline, const struct event_exec *event, uint64_t time_ns);
void identity_exit(struct timeline *timeline, const struct event_exit *event, uint64_t time_ns);
void identity_rename(struct timeline *timeline, const struct event_rename *event, uint64_t time_ns);
/* The lane's thread is gone. */
void identity_end(struct timeline *timeline, struct lane *lane, uint64_t time_ns);
/* At the end: threads that are known and were never met. */
void identity_add_unmet(struct timeline *timeline);

/* ---- lane.c ---- */

static inline bool lane_is_waiting(const struct lane *lane)
{
	return lane->state == LANE_BLOCKED || lane->state == LANE_RUNNABLE;
}

/* It left a CPU in STATE. */
void lane_wait_begin(struct lane *lane, uint64_t time_ns, uint16_t state, uint8_t flags,
		     int16_t syscall);
void lane_woken(struct timeline *timeline, struct lane *lane, const struct event_waking *event,
		struct thread *waker, uint64_t time_ns);
/* It is on a CPU again: what it did before is held for evidence. */
void lane_wait_end(struct timeline *timeline, struct lane *lane, uint64_t time_ns, uint16_t cpu);
/* How it went on is not known: tells the wait up to TIME_NS as open. */
void lane_wait_lost(struct timeline *timeline, struct lane *lane, uint64_t time_ns);
/* Until when the wait is certain, if the thread is found on a CPU whose history is known until
 * CPU_KNOWN_NS, without its switch-in. */
uint64_t lane_certain_until(const struct timeline *timeline, const struct lane *lane,
			    uint64_t cpu_known_ns);
/* Tells what is held. */
void lane_flush(struct timeline *timeline, struct lane *lane);
/* Evidence of a wait that is under way while the recording ends: kept until it is told as open. */
void lane_open_evidence(struct timeline *timeline, struct lane *lane,
			const struct event_wait *event);
/* Evidence came: joins what is held, or is kept until its switch-in comes. */
void lane_evidence(struct timeline *timeline, struct lane *lane, const struct event_wait *event);
/* Evidence without a switch-in: it was on a CPU then, at lane->since_ns, and left unseen. */
void lane_settle_evidence(struct timeline *timeline, struct lane *lane);

/* ---- timeline.c, for the others ---- */

/* The lane's thread, which is on a CPU, left it at an unknown time. */
void timeline_evict(struct timeline *timeline, struct lane *lane);
/* The lane's thread, which is on a CPU, left it at TIME_NS unseen: tells the run before. Returns
 * false if that cannot be, because it is known to have been there later. */
bool timeline_split_run(struct timeline *timeline, struct lane *lane, uint64_t time_ns);
/* ... and came back. */
void timeline_enter_again(struct timeline *timeline, struct lane *lane, uint64_t time_ns);

#endif
