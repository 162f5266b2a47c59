/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reader of the trace believes so far: who runs on each CPU and what threads are called. The
 * events of a CPU are added to its bundle, which is written when it is full.
 *
 * Of equal times, a reader takes the compact rows of a bundle for earlier than its events in full.
 */
#ifndef DASHCAM_EXPORT_PERFETTO_CPU_H
#define DASHCAM_EXPORT_PERFETTO_CPU_H

#include "export/perfetto.h"
#include "export/perfetto_bundle.h"

#define SCHED_CPU_LIMIT   1024 /* readers refuse more */
#define SCHED_NORMAL_PRIO 120

/* Task states as the sched_switch tracepoint prints them (Linux 4.14 and later). */
enum printed_state {
	PRINTED_RUNNABLE = 0,
	PRINTED_SLEEPING = 1,
	PRINTED_DISK_SLEEP = 2,
	PRINTED_DEAD = 0x10,
	PRINTED_IDLE = 0x80,
	PRINTED_PREEMPTED = 0x100,
	PRINTED_UNKNOWN = 0x200, /* not a state: readers take it for invalid, which it is */
};

struct sched_cpu {
	struct bundle bundle;
	uint16_t number;
	bool is_running_known; /* that is, to a reader of what was written so far */
	bool is_in_gap;
	uint32_t running_tid;
	uint8_t running_prio;
	uint64_t gap_end_ns;
	uint64_t last_switch_ns;
	const struct event_loss **gaps; /* in the order of time */
	size_t gap_count;
	size_t gap_capacity;
	size_t next_gap;
};

struct sched {
	struct perfetto *perfetto;
	struct sched_cpu *cpus[SCHED_CPU_LIMIT]; /* NULL: no event yet */
	struct bundle_names names;
	struct map64 tasks; /* by tid, see sched_task */
	size_t next_wait;   /* the first whose blocked function is not written */
	uint32_t not_recorded_name;
};

/* Begins with the roster of the trace, and with the gaps of the recording in the range. */
void sched_begin(struct sched *sched, struct perfetto *perfetto);
/* Writes what is pending and frees all. */
void sched_finish(struct sched *sched);

/* ---- threads ---- */

struct sched_task {
	uint32_t name; /* number of bundle_names */
	bool is_taken; /* by the selection */
};

/* The thread with TID is, from TIME_NS on, called COMM. The idle thread is always taken. */
struct sched_task sched_task_begin(struct sched *sched, uint32_t tid, const char *comm,
				   uint64_t time_ns);
/* The thread that has TID; one met for the first time is asked for from the model. */
struct sched_task sched_task(struct sched *sched, uint32_t tid, uint64_t time_ns);
void sched_task_set_name(struct sched *sched, uint32_t tid, struct sched_task task, uint32_t name);
void sched_task_end(struct sched *sched, uint32_t tid);

/* How a thread appears in the trace: as itself or as "(not recorded)". */
struct sched_shown {
	uint32_t tid;
	uint32_t name;
};

struct sched_shown sched_shown(struct sched *sched, uint32_t tid, uint64_t time_ns);
struct bundle_task sched_in_full(struct sched *sched, struct sched_shown shown, uint8_t prio);

/* ---- CPUs ---- */

/* NULL if readers would refuse the number. */
struct sched_cpu *sched_cpu(struct sched *sched, uint16_t number);

/* A CPU on which TID runs; else the first that is known. */
struct sched_cpu *sched_cpu_of(struct sched *sched, uint32_t tid);

void sched_cpu_flush_if_full(struct sched *sched, struct sched_cpu *cpu);

/* True if a reader takes TID for the one that runs there. */
static inline bool sched_cpu_runs(const struct sched_cpu *cpu, uint32_t tid)
{
	return cpu->is_running_known && cpu->running_tid == tid;
}

/* A switch was written. */
void sched_cpu_set_running(struct sched_cpu *cpu, uint64_t time_ns, uint32_t tid, uint8_t prio);

/* Tells the reader that NEXT has run since SINCE_NS, but not as late as TIME_NS; who left is who
 * the reader believes was there. Does nothing if that is NEXT. */
void sched_cpu_hand_over(struct sched *sched, struct sched_cpu *cpu, uint64_t since_ns,
			 uint64_t time_ns, struct sched_shown next);

/* Gaps that begin before TIME_NS begin now: a new bundle that says so, and nobody known running. */
void sched_cpu_pass_gaps(struct sched *sched, struct sched_cpu *cpu, uint64_t time_ns);

/* A thread is seen on the CPU at TIME_NS. If that ends a gap, it has run since the gap's end at
 * least: a switch after that would have been seen. */
void sched_cpu_saw_running(struct sched *sched, struct sched_cpu *cpu, uint64_t time_ns,
			   struct sched_shown running);

#endif
