/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that a capture traces: those of --span and those of -F, with a probe on the entry
 * and one on the return of each.
 */
#ifndef DASHCAM_CAPTURE_FUNCTIONS_H
#define DASHCAM_CAPTURE_FUNCTIONS_H

#include "capture/function_choice.h"
#include "capture/function_late.h"
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
	struct function_late *late; /* those that may come; their names' ids follow. NULL: none */
	size_t left_out;            /* the kernel refused to probe so many */
	bool hides_calls;
	uint64_t attach_ns; /* how long that took */
	uint64_t detach_ns;
};

/* Finds all functions of OPTIONS, to be probed by ENGINE. Fails with a sentence. */
int functions_find(struct functions *functions, const struct capture_options *options,
		   enum function_engine engine, struct resolver *resolver);

/* How many of them have values that are wanted, or may have. */
size_t functions_with_values(const struct functions *functions);

/* What RAW says, as recordings have it; NULL if it is of none of the functions. The caller frees
 * it.
 */
struct event_call_value *functions_value(const struct functions *functions,
					 const struct event_raw_call_value *raw);

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
