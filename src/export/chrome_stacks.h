/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as chrome wants them: a tree of frames, in which a stack is the id of its innermost frame.
 */
#ifndef DASHCAM_EXPORT_CHROME_STACKS_H
#define DASHCAM_EXPORT_CHROME_STACKS_H

#include "base/hash.h"
#include "model/model.h"

struct chrome_frame {
	const struct place *place;
	uint32_t parent; /* id of its caller's frame; 0: it is outermost */
};

/* Zero-initialised is empty. */
struct chrome_stacks {
	struct chrome_frame *frames; /* that of id N is at N - 1 */
	size_t count;
	size_t capacity;
	struct map64 ids; /* by parent and place */
};

/* The id of the stack made of a user and a kernel stack (ids of stack events, 0: none); 0 if
 * neither is known. SKIP_SCHEDULER leaves out the kernel frames that every wait begins with. */
uint32_t chrome_stacks_add(struct chrome_stacks *stacks, struct model *model, uint64_t user_stack,
			   uint64_t kernel_stack, bool skip_scheduler);
void chrome_stacks_release(struct chrome_stacks *stacks);

#endif
