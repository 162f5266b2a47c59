/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/draw.h"

#include "base/hash.h"

/* Some 50 ms. */
#define BUDGET  UINT64_C(5000000)
/* By this the grain grows. */
#define COARSER 3

void draw_pay(struct draw *draw, uint64_t cost)
{
	draw->cost += cost;
	while (draw->cost / BUDGET > draw->budgets) {
		draw->budgets++;
		draw->grain_ns =
			draw->grain_ns
				? draw->grain_ns * COARSER
				: (uint64_t)(draw->total_ns * COARSER / (double)(draw->pieces + 1));
	}
}

uint64_t draw_within(struct draw *draw, uint64_t ns)
{
	return hash_mix(++draw->seed) % (ns + 1);
}

/* Half a grain to one and a half: pieces that come in a rhythm must not meet the draw's own. */
static uint64_t next_due_ns(struct draw *draw)
{
	return draw->grain_ns / 2 + draw_within(draw, draw->grain_ns);
}

double draw_weight(struct draw *draw, unsigned int pot_number, uint64_t ns)
{
	struct draw_pot *pot = &draw->pots[pot_number];

	draw->pieces++;
	draw->total_ns += (double)ns;
	if (ns >= draw->grain_ns)
		return 1;
	pot->time_ns += ns;
	if (!pot->due_ns)
		pot->due_ns = next_due_ns(draw);
	if (pot->time_ns < pot->due_ns)
		return 0;
	pot->time_ns -= pot->due_ns;
	pot->due_ns = next_due_ns(draw);
	return (double)draw->grain_ns / (double)ns;
}
