/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of blame share: blame.c goes the way from a thread's time to its leaves,
 * blame_cause.c makes causes of the leaves.
 */
#ifndef DASHCAM_ANALYSIS_BLAME_INTERNAL_H
#define DASHCAM_ANALYSIS_BLAME_INTERNAL_H

#include "analysis/blame.h"
#include "analysis/draw.h"
#include "analysis/leaf.h"

/* What a look at a piece of a thread's time costs, as draw_pay counts. */
#define BLAME_LOOK_COST 1

struct blame {
	const struct history *history;
	bool idle_counts;
	struct blame_cause *causes;
	size_t cause_count;
	size_t cause_capacity;
	struct map64 cause_of; /* hash of what makes a cause -> its number */
	struct blame_hop hops[BLAME_HOPS_MAX];
	size_t hop_count;
	struct draw draw;
	double weight;          /* how many like it the piece at hand stands for */
	struct runners runners; /* of one piece after the other */
};

/* NUMBER of the piece at hand and of all that it stands for. */
uint64_t blame_weighted(const struct blame *blame, uint64_t number);

/* The leaf is the end of the way in blame->hops: it is counted to its cause, and released. */
void blame_add_leaf(struct blame *blame, struct leaf *leaf);

/* Frees what blame_add_leaf made. */
void blame_release_causes(struct blame *blame);

#endif
