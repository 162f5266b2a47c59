/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For synth.c: one event built field by field through the event table, and the modules, frames and
 * stacks behind the names of functions.
 */
#ifndef DASHCAM_TESTS_SYNTH_EVENT_H
#define DASHCAM_TESTS_SYNTH_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "event/event.h"

/* Ends the program: LINE cannot be read because of WHAT. */
void synth_die(const char *line, const char *what) __attribute__((noreturn));

/* "100", "1.5ms", "250ns": microseconds unless a unit is given. */
uint64_t synth_time_ns(const char *text, const char *line);

/* An event in the making. */
struct draft {
	const char *line; /* it is read from; borrowed */
	union {
		struct event_header header;
		char bytes[EVENT_SIZE_MAX];
	};
};

void draft_init(struct draft *draft, unsigned int kind, uint64_t time_ns, const char *line);
/* NAME as in the event table, or without its "_ns": then VALUE is in microseconds. */
void draft_set(struct draft *draft, const char *name, const char *value);
void draft_set_number(struct draft *draft, const char *name, uint64_t value);
/* Rounds up the size, ends text tails. */
void draft_finish(struct draft *draft);

/* Zero-initialised but for the sink, which gets the definitions as they become necessary. */
struct synth_names {
	void (*sink)(void *context, const struct event_header *event);
	void *context;
	char *modules[64]; /* by module id */
	unsigned int module_count;
	struct map64 frames; /* hash of module and function: frame */
};

struct synth_stack {
	const char *label;
	bool is_user;
	unsigned int count;
	const char *functions[EVENT_FRAMES_MAX];
};

/* Defines the stack with what it needs. */
void synth_names_stack(struct synth_names *names, const struct synth_stack *stack,
		       const char *line);
void synth_names_release(struct synth_names *names);

#endif
