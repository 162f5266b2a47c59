/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A digest: what one replay of a recording gives that the model does not keep.
 *
 * Every thread's and CPU's time inside the filter's, how long all waits (short ones too) were
 * runnable, who woke whom, and for each long run-queue delay who ran instead and who was queued
 * before.
 */
#ifndef DASHCAM_QUERY_DIGEST_H
#define DASHCAM_QUERY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

struct query;

/* As the totals in struct thread, but clipped to the filter's time. */
struct digest_thread {
	uint64_t on_cpu_ns;
	uint64_t runnable_ns;
	uint64_t blocked_ns;
	uint64_t unknown_ns;
	uint64_t switches;
	uint64_t preemptions;
	uint64_t longest_wait_ns;
	uint64_t longest_runnable_ns;
	uint64_t samples;
};

struct digest_cpu {
	uint32_t cpu;
	uint64_t busy_ns;
	uint64_t idle_ns;
	uint64_t other_ns; /* threads that the filter leaves out */
	uint64_t unknown_ns;
	uint64_t switches;
};

/* All wake-ups of one thread by another. */
struct digest_wakeup {
	struct thread *waker; /* NULL: not seen; the idle thread: an interrupt on an idle CPU */
	struct thread *wakee;
	uint64_t count;
	uint64_t interrupt_count; /* of these, woken by an interrupt that stopped the waker */
	uint64_t told_count; /* of these, where it is known: the waker's stack tells, or it was idle
			      */
	uint64_t blocked_ns; /* how long the wakee had been blocked, summed */
	uint64_t longest_ns;
};

/* While WAIT was runnable, THREAD ran on its CPU. Ordered by wait, then the longest first. */
struct digest_culprit {
	const struct wait *wait;
	struct thread *thread; /* NULL: not known who ran (a gap); the idle thread: nobody */
	uint64_t ran_ns;
	uint32_t runs;
	uint8_t prio; /* kernel priority at its last run there; 0 if not known */
};

/* When WAIT became runnable, THREAD was running (position 0) or queued on its CPU. */
struct digest_queued {
	const struct wait *wait;
	struct thread *thread;
	uint32_t position;
	uint64_t since_ns; /* when it began to wait, or to run */
};

/* Bucket I counts delays from bucket_from_ns(i): 0 to 1 us, 1 to 2, 2 to 4, ... */
#define DIGEST_BUCKETS 44

struct digest {
	struct digest *older;          /* rows of a running statement may still lie in it */
	uint64_t min_ns;               /* delays below have no culprits */
	struct digest_thread *threads; /* by thread index */
	size_t thread_count;
	struct digest_cpu *cpus;
	size_t cpu_count;
	uint64_t buckets[DIGEST_BUCKETS];
	struct digest_wakeup *wakeups;
	size_t wakeup_count;
	struct digest_culprit *culprits;
	size_t culprit_count;
	struct digest_queued *queued;
	size_t queued_count;
	bool is_cut; /* there were more culprits or wake-up pairs than the limit in digest.c */
};

int digest_new(struct digest **ret, struct query *query, uint64_t min_ns);
void digest_free(struct digest *digest); /* and the older ones; NULL is fine */

static inline uint64_t bucket_from_ns(unsigned int bucket)
{
	return bucket ? UINT64_C(1000) << (bucket - 1) : 0;
}

#endif
