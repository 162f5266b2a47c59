/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each function took, in all: one pass over the calls by their ends.
 */
#ifndef DASHCAM_MODEL_CALL_SUMS_H
#define DASHCAM_MODEL_CALL_SUMS_H

#include "model/call.h"

struct call_sum {
	uint64_t calls;    /* written and counted */
	uint64_t written;  /* one by one */
	uint64_t counted;  /* not written; not known where the filter limits threads or time */
	uint64_t total_ns; /* inside it, calls of itself from inside counted once */
	uint64_t self_ns;  /* without what is traced (and shown) inside */
	uint64_t p50_ns; /* percentiles of those that returned; MODEL_TIME_UNKNOWN: not known, as */
	uint64_t p90_ns; /* it would be the length of a call that was only counted */
	uint64_t p99_ns;
	uint64_t max_ns;      /* of those that returned, counted ones included; likewise */
	uint64_t returned;    /* written ones whose return was seen */
	uint64_t returned_ns; /* their lengths in all */
	uint64_t open;        /* had not returned when their thread or the recording ended */
	uint64_t inferred;    /* return not seen, noticed later */
	uint64_t inherited;   /* begun before a fork, by the parent */
	uint32_t threads;     /* that made a written call */
};

struct call_sums {
	struct call_sum *items; /* by the index of the call_name */
	size_t count;
	bool knows_counted; /* the counted calls are among the sums */
};

/*
 * Total and self are the parts that lie in the filter's time; lengths are of whole calls. Names and
 * depth of the filter: as if only these had been traced. Memory: 4 bytes for each call, and what
 * the losses make necessary. Returns 0 or a negative errno with a sentence; the caller releases in
 * both cases.
 */
int call_sums_make(struct call_sums *ret, struct model *model, const struct filter *filter);
void call_sums_release(struct call_sums *sums);

#endif
