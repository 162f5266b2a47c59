/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run-queue delays: for each long one, who ran on the CPU meanwhile and who stood in the queue
 * before.
 *
 * Fed by a replay. Runs of a CPU come in order, waits when they end. A thread counts as queued on
 * the CPU on which it ran next: one that the scheduler moved is counted where it went.
 */
#ifndef DASHCAM_QUERY_DELAY_H
#define DASHCAM_QUERY_DELAY_H

#include "query/digest.h"

struct delays;

/* Of the kept waits that the filter lets through, those that were runnable for at least MIN_NS. */
struct delays *delays_new(struct query *query, uint64_t min_ns);
void delays_free(struct delays *delays);

void delays_event(struct delays *delays, const struct event_header *event);
void delays_run(struct delays *delays, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		uint64_t to_ns);
void delays_wait(struct delays *delays, const struct wait *wait);

/* Hands culprits and queues to the digest, in their order. */
void delays_finish(struct delays *delays, struct digest *digest);

#endif
