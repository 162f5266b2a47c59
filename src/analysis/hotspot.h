/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in the code time went: from weighted stacks to the function to name.
 *
 * The innermost function of a sample is often a helper that is called from everywhere; the
 * outermost says nothing. What a person acts on is the deepest function that most of the time was
 * spent below. Functions of the C library, of runtimes, and ones without a name are passed over
 * where there are others.
 */
#ifndef DASHCAM_ANALYSIS_HOTSPOT_H
#define DASHCAM_ANALYSIS_HOTSPOT_H

#include "base/hash.h"
#include "model/model.h"

struct hotspot_stack {
	uint64_t user; /* ids; 0: none */
	uint64_t kernel;
	uint64_t weight; /* ns */
};

/* Zero-initialised is empty. */
struct hotspot {
	struct hotspot_stack *stacks;
	size_t count;
	size_t capacity;
	struct map64 numbers; /* of stacks, by a hash of both ids */
};

struct hotspot_place {
	const struct place *place;
	double share; /* of the whole weight: spent in it and below it */
};

#define HOTSPOT_PLACES_MAX 5

/* The function to name first, then those with most time of their own. */
struct hotspot_result {
	struct hotspot_place places[HOTSPOT_PLACES_MAX];
	size_t count;
	double broken; /* part of the weight whose user stacks lack callers: unwinding failed */
};

void hotspot_add(struct hotspot *hotspot, uint64_t user, uint64_t kernel, uint64_t weight);
void hotspot_merge(struct hotspot *hotspot, const struct hotspot *other, double weight);
void hotspot_release(struct hotspot *hotspot);

struct hotspot_result hotspot_result(const struct hotspot *hotspot, struct model *model);

#endif
