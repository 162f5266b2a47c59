/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the model: a timeline (see synth.h) beside what its threads must have done.
 */
#ifndef DASHCAM_TESTS_CHECK_MODEL_H
#define DASHCAM_TESTS_CHECK_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

/* What the totals of a thread must be, in microseconds. Their sum must be its life. */
struct totals {
	uint32_t tid;
	uint64_t on_cpu, runnable, blocked, unknown;
};

/* Makes the model of TEXT and compares threads' totals; the caller looks further and frees it. */
#define CHECK(text, ...)                                                                           \
	check_text(text, (const struct totals[]){__VA_ARGS__},                                     \
		   sizeof((const struct totals[]){__VA_ARGS__}) / sizeof(struct totals))
struct model *check_text(const char *text, const struct totals *want, size_t count);
void check_totals(const struct model *model, const struct totals *want);

/* The only thread that has the tid. */
struct thread *check_thread(const struct model *model, uint32_t tid);

/* Its N-th kept wait, from 0; there must be one. */
const struct wait *check_wait_of(const struct model *model, uint32_t tid, unsigned int n);

/* Times of a wait, in microseconds. */
void check_wait(const struct wait *wait, uint64_t start, uint64_t wake, uint64_t end);

#endif
