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
#include <stdbool.h>

#include "workload.h"

/* How long a case lasts. */
#define CASE_NS (1500 * NS_PER_MS)

/* What the calling thread had done by a moment. */
struct thread_time {
	uint64_t at_ns;
	uint64_t on_cpu_ns;
	uint64_t runnable_ns; /* waited for a CPU */
	int schedstat; /* an open file of the thread; owned by whoever made the first reading */
};

/* A thread that explain is asked about, and the interval. */
struct victim {
	int truth;
	struct thread_time begin;
	uint64_t until_ns;
	uint64_t requests;
	uint64_t slowest_ns;
};

/*
 * Makes the calling thread the victim, named "victim", and begins its interval, which lasts
 * CASE_NS. Threads it needs must run by now.
 */
void victim_begin(struct victim *victim, int truth);
/* One more request was done, begun at BEGAN_NS. True while the interval lasts. */
bool victim_goes_on(struct victim *victim, uint64_t began_ns);
/* Ends the interval: writes victim.tid, .from_ns, .to_ns, .requests, .slowest_ns, ns.cpu and
 * ns.runq. */
void victim_end(struct victim *victim);

/*
 * How long the victim was blocked between two calls: time in which it neither ran nor waited for a
 * CPU. blocked_end adds it to *BLOCKED_NS. Costs about 2 us.
 */
struct thread_time blocked_begin(const struct victim *victim);
void blocked_end(const struct victim *victim, struct thread_time before, uint64_t *blocked_ns);

/* A thread with a name; RUN gets ARGUMENT. */
pthread_t start_thread(const char *name, void *(*run)(void *), void *argument);
void join_thread(pthread_t thread);

/* SCHED_FIFO for the calling thread, and for threads it starts afterwards. */
void run_in_real_time(int priority);

#endif
