/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pieces of time are looked at where there are too many to look at all: a fair draw.
 *
 * As long as the cost is small, all are. Each time a budget is used up, a grain grows: pieces
 * longer than it are still looked at, each; of the shorter ones so many as there are grains in all
 * their time together, and each of these stands for one grain. So sums over what was looked at stay
 * right, but for chance, and what is long is never missed. The same pieces give the same draw.
 */
#ifndef DASHCAM_ANALYSIS_DRAW_H
#define DASHCAM_ANALYSIS_DRAW_H

#include <stdbool.h>
#include <stdint.h>

/* Each kind of pieces has its own pot, so that rare ones have their part. */
#define DRAW_POTS 32

struct draw_pot {
	uint64_t time_ns; /* of pieces that were passed over since one was drawn */
	uint64_t due_ns;  /* the next one is drawn when that much has passed */
};

/* Zero-initialised is ready. */
struct draw {
	uint64_t cost;
	uint64_t budgets; /* used up so far */
	uint64_t pieces;
	double total_ns;   /* of pieces */
	uint64_t grain_ns; /* 0: all are looked at */
	uint64_t seed;
	struct draw_pot pots[DRAW_POTS];
};

/* Some work was done that would not have been, had the piece at hand been passed over. The unit is
 * about what it takes to step to the next piece. */
void draw_pay(struct draw *draw, uint64_t cost);

/* How many pieces like this one it stands for: 1 if each is looked at, 0 if it is passed over. NS:
 * of all pieces that it stands for already. */
double draw_weight(struct draw *draw, unsigned int pot, uint64_t ns);

/* Any number from 0 to NS. */
uint64_t draw_within(struct draw *draw, uint64_t ns);

static inline bool draw_is_partial(const struct draw *draw)
{
	return draw->grain_ns != 0;
}

#endif
