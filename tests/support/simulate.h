/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated machine: threads that run, sleep, wake each other, are born and die on a few CPUs, at
 * random but legally. It gives the events a recorder would have written, and knows the truth.
 */
#ifndef DASHCAM_TESTS_SIMULATE_H
#define DASHCAM_TESTS_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

struct simulation_options {
	uint64_t seed; /* not 0 */
	unsigned int cpus;
	unsigned int threads; /* at the start */
	uint64_t steps;       /* things that happen */
	bool no_births;       /* nor deaths: the same threads to the end */
	/* Gets the events of each CPU in order; of TIME all are given before the next. */
	void (*emit)(void *context, uint16_t cpu, const struct event_header *event);
	void *context;
};

/* What a thread really did, as far as events can tell: at the start, a runnable thread is not known
 * to be one until it takes a CPU. */
struct simulated_thread {
	uint32_t tid;
	uint64_t on_cpu_ns;
	uint64_t runnable_ns;
	uint64_t blocked_ns;
	uint64_t unknown_ns;
	uint64_t switches;
};

/* Runs it. Gives the truth of every thread, also of dead ones; the caller frees the array. */
void simulate(const struct simulation_options *options, struct simulated_thread **ret_threads,
	      size_t *ret_count);

#endif
