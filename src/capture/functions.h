/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that a capture traces: those of --span and those of -F, with a probe on the entry
 * and one on the return of each.
 */
#ifndef DASHCAM_CAPTURE_FUNCTIONS_H
#define DASHCAM_CAPTURE_FUNCTIONS_H

#include "capture/function_choice.h"
#include "capture/function_probes.h"
#include "capture/span.h"

struct bpf_object;
struct capture_options;
struct drain;

/* Zero-initialised is empty. */
struct functions {
	struct spans spans;
	struct function_choice choice;
	struct function_item *items; /* all: the spans first. A name's id is its place, from 1 on */
	size_t count;
	struct function_probes probes;
	size_t left_out; /* the kernel refused to probe so many */
	bool hides_calls;
	uint64_t attach_ns; /* how long that took */
	uint64_t detach_ns;
};

/* Finds all functions of OPTIONS. Fails with a sentence. */
int functions_find(struct functions *functions, const struct capture_options *options,
		   struct resolver *resolver);

/* Leaves the returns of all functions alone: their calls end where the next event shows it. Call it
 * before functions_attach. */
void functions_spare_returns(struct functions *functions);

/* Puts the probes in place, and gives the names of those that are to the table of the drain's sink.
 * A function that the kernel refuses to probe is left out with a warning; fails, with a sentence,
 * if it refuses all, or one of --span. */
int functions_attach(struct functions *functions, struct bpf_object *object,
		     const struct drain *drain);
void functions_detach(struct functions *functions);

/* Once all is detached: gives what threads still have open, and what was counted, to the drain. */
void functions_tell_rest(struct functions *functions, struct bpf_object *object,
			 struct drain *drain);

void functions_release(struct functions *functions);

#endif
