/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several cases share: a victim that measures its own time, helpers for threads.
 *
 * A victim is a thread. What it says about itself is measured while it happens, by the kernel's own
 * counts of that thread. Functions that cannot do their work end the program with a sentence.
 */
#ifndef DASHCAM_TESTS_CASE_H
#define DASHCAM_TESTS_CASE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "workload.h"

/* How long a case lasts. */
#define CASE_NS (1500 * NS_PER_MS)

/* What a thread had done by a moment. */
struct thread_time {
	uint64_t at_ns;
	uint64_t on_cpu_ns;
	uint64_t runnable_ns; /* waited for a CPU */
};

/* The thread that explain is asked about, and the interval. */
struct victim {
	int truth;
	int schedstat; /* its open file in /proc */
	struct thread_time begin;
	uint64_t until_ns;
	uint64_t requests;
	uint64_t slowest_ns;
};

/* Makes the calling thread the victim, named "victim", and begins its interval, which lasts
 * CASE_NS. */
void victim_begin(struct victim *victim, int truth);
/* One more request was done, begun at BEGAN_NS. True while the interval lasts. */
bool victim_goes_on(struct victim *victim, uint64_t began_ns);
/* Ends the interval: writes victim.tid, .from_ns, .to_ns, .requests, .slowest_ns, ns.cpu and
 * ns.runq. */
void victim_end(struct victim *victim);

/*
 * How long the victim was blocked between two calls: the time in which it neither ran nor waited
 * for a CPU. blocked_end adds it to *BLOCKED_NS. Costs about 2 us.
 */
struct thread_time blocked_begin(const struct victim *victim);
void blocked_end(const struct victim *victim, struct thread_time before, uint64_t *blocked_ns);

/* ---- the usual case: the victim makes requests, one after the other ---- */

/* Set the first four; the rest begins as zero and belongs to the victim's thread, but for is_over.
 */
struct requests {
	int truth;
	/* One request. What it waits for, it puts between wait_begin and wait_end. */
	void (*request)(struct requests *requests, void *context);
	void *context;
	/* What it is blocked on in between, as the truth calls it: "ns.lock.futex"; NULL if never.
	 */
	const char *blocked_key;

	atomic_bool is_over; /* the last one is done */
	uint64_t blocked_ns;
	struct victim victim;
	struct thread_time wait;
};

/*
 * Makes requests for CASE_NS on a thread named "victim", until is_over is true and the truth is
 * written: what victim_end writes, and the blocked time under its key. Threads it needs must run by
 * now.
 */
void run_requests(struct requests *requests);
void wait_begin(struct requests *requests);
void wait_end(struct requests *requests);

/* ---- threads ---- */

/* A thread with a name; RUN gets ARGUMENT. */
pthread_t start_thread(const char *name, void *(*run)(void *), void *argument);
void join_thread(pthread_t thread);

/* SCHED_FIFO for the calling thread, and for threads it starts afterwards. */
void run_in_real_time(int priority);

/* CPU time of the calling thread. */
uint64_t thread_cpu_ns(void);

/*
 * Burns CPU_NS of CPU time inside the function that calls it, where samples will find it. It is
 * work: a thread that is put off its CPU meanwhile takes longer.
 */
static inline __attribute__((always_inline)) void compute_here(uint64_t cpu_ns)
{
	uint64_t end_ns = thread_cpu_ns() + cpu_ns;

	do
		for (unsigned int i = 0; i < 50000; i++)
			__asm__ volatile("" : "+r"(i));
	while (thread_cpu_ns() < end_ns);
}

#endif
