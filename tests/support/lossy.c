/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/lossy.h"

#include <stdlib.h>

#include "support/synth.h"

#define STEPS     3000
#define GAPS_MAX  3
#define US_A_STEP 10 /* on average */

struct gap {
	uint16_t cpu;
	uint64_t from_ns; /* events strictly between are dropped */
	uint64_t to_ns;
	struct event_loss loss;
};

/* A simulated recording on its way into a synth, which loses some of it. */
struct lossy {
	struct synth *synth;
	struct gap gaps[GAPS_MAX];
	unsigned int gap_count;
	uint64_t last_ns[LOSSY_CPUS_MAX];
};

static bool is_lost(struct lossy *lossy, uint16_t cpu, const struct event_header *event)
{
	if (event->kind != EVENT_SWITCH && event->kind != EVENT_WAKING)
		return false;
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		if (cpu != gap->cpu)
			continue;
		if (event->time_ns > gap->from_ns && event->time_ns < gap->to_ns) {
			if (gap->loss.events++ == 0)
				gap->loss.from_ns = lossy->last_ns[cpu];
			return true;
		}
		if (gap->loss.events && !gap->loss.to_ns)
			gap->loss.to_ns = event->time_ns;
	}
	lossy->last_ns[cpu] = event->time_ns;
	return false;
}

static void take(void *context, uint16_t cpu, const struct event_header *event)
{
	struct lossy *lossy = context;

	if (!is_lost(lossy, cpu, event))
		synth_event(lossy->synth, cpu, event);
}

static void write_losses(struct lossy *lossy)
{
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		if (gap->loss.events == 0)
			continue;
		gap->loss.header = (struct event_header){
			.kind = EVENT_LOSS, .size = sizeof(gap->loss), .time_ns = SYNTH_US(0)};
		gap->loss.cpu = gap->cpu;
		gap->loss.reason = EVENT_LOSS_OVERWRITTEN;
		if (!gap->loss.to_ns)
			gap->loss.to_ns = gap->to_ns;
		synth_event(lossy->synth, 0, &gap->loss.header);
	}
}

static void choose_gaps(struct lossy *lossy, uint64_t seed)
{
	lossy->gap_count = 1 + (unsigned int)(seed % GAPS_MAX);
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		gap->cpu = (uint16_t)((seed + i) % (1 + seed % LOSSY_CPUS_MAX));
		gap->from_ns = SYNTH_US((seed * 977 + i * 9001) % (STEPS * US_A_STEP / 2));
		gap->to_ns = gap->from_ns + 200000 + seed * 50000;
		/* some from before the start, some beyond the end */
		if (seed % 5 == 0)
			gap->from_ns = 0;
		if (seed % 7 == 0)
			gap->to_ns = UINT64_MAX;
	}
}

struct recording *lossy_recording(uint64_t seed, bool is_lossy, struct simulated_thread **ret_truth,
				  size_t *ret_count)
{
	struct lossy lossy = {.synth = synth_new()};
	struct simulation_options options = {
		.seed = seed,
		.cpus = 1 + (unsigned int)(seed % LOSSY_CPUS_MAX),
		.threads = 4 + (unsigned int)(seed % 13),
		.steps = STEPS,
		.emit = take,
		.context = &lossy,
	};
	struct simulated_thread *truth;
	struct recording *recording;
	size_t count;

	if (is_lossy)
		choose_gaps(&lossy, seed);
	simulate(&options, &truth, &count);
	write_losses(&lossy);
	recording = synth_to_memory(lossy.synth);
	synth_free(lossy.synth);
	if (ret_truth) {
		*ret_truth = truth;
		*ret_count = count;
	} else {
		free(truth);
	}
	return recording;
}
