/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects what a resolver gives, and shows stacks as text: names with " < " between, innermost
 * first.
 */
#ifndef DASHCAM_TESTS_RESOLVED_H
#define DASHCAM_TESTS_RESOLVED_H

#include "base/hash.h"
#include "base/memory.h"
#include "symbol/resolver.h"

/* Zero-initialised is empty. */
struct resolved {
	struct map64 frames;  /* frame -> the copied event of depth 0 */
	struct map64 stacks;  /* id -> copied event */
	struct map64 modules; /* id -> copied event */
	struct arena arena;
	uint64_t frame_events;
	uint64_t mapping_events;
	uint64_t inlined; /* frame events with that flag */
	uint64_t with_line;
};

/* To be the sink of a resolver, the context being the struct. */
void resolved_take(void *context, const struct event_header *event);

const struct event_stack *resolved_stack(const struct resolved *resolved, uint64_t id);
const struct event_frame *resolved_frame(const struct resolved *resolved, uint64_t frame);

/* The stack as text; frames without a name are shown as file+offset. "" if there is no such stack.
 * The caller frees. */
char *resolved_text(const struct resolved *resolved, uint64_t id);

void resolved_release(struct resolved *resolved);

#endif
