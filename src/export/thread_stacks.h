/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where threads spend their time, as a call tree: what the folded and the flame graph export share.
 *
 * A stack begins with the name of the process (or of the thread), goes on with the user frames and
 * ends with the kernel frames. Its time comes in three columns: on a CPU (each sample counts for
 * its period), blocked, and runnable but waiting in a run queue. What has no stack is not left out:
 * it is under a frame in brackets that says why. So the blocked and runnable columns sum up to
 * exactly what the threads' totals say.
 */
#ifndef DASHCAM_EXPORT_THREAD_STACKS_H
#define DASHCAM_EXPORT_THREAD_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "export/calltree.h"
#include "export/export.h"
#include "model/model.h"

/* Columns of the tree. */
enum thread_time {
	TIME_ON_CPU = 0,
	TIME_BLOCKED = 1,
	TIME_RUN_QUEUE = 2
};

/* Kinds of frames. */
enum frame_kind {
	FRAME_THREAD, /* the name of a process or thread */
	FRAME_USER,
	FRAME_KERNEL,
	FRAME_INLINED, /* a call that the compiler put into its caller */
	FRAME_NOTE,    /* in brackets: what the recording does not know */
	FRAME_CALL,    /* calls of a traced function; see call_stacks.h */
	FRAME_LIBRARY_CALL,
};

struct thread_stacks {
	struct calltree tree; /* finished */
	uint64_t samples;
	uint64_t on_cpu_ns;   /* what the switches say, exactly; the tree has what the samples say.
				 MODEL_TIME_UNKNOWN if only a part of the recording is asked for */
	uint64_t short_ns;    /* of waits that were too short for a stack */
	uint64_t no_stack_ns; /* of longer waits without one */
	uint64_t unknown_ns;  /* of the threads' lives: not in the tree. 0 for a part of the
				 recording */
	uint64_t incomplete_ns; /* of stacks whose outermost frames are not known */
	uint32_t threads;       /* asked for */
	uint32_t left_out;      /* of them: nothing of these threads is in the tree */
	uint64_t left_out_ns;   /* their time off CPU; 0 for a part of the recording */
};

/* What OPTIONS ask for, of MODEL. With STACKS_ONLY, threads of which the recording has no stack at
 * all are left out, unless that is all of them: most threads of a machine sleep all the time, or
 * are none of those that were to be recorded, and their time would outweigh everything. Strings in
 * the tree belong to the model. Returns 0 or a negative errno with a sentence; in any case the
 * caller releases RET. */
int thread_stacks_collect(struct thread_stacks *ret, struct model *model,
			  const struct export_options *options, bool stacks_only);
/* A limit as a person writes it: "1 ms", not "1.00 ms". Returns TEXT. */
char *thread_stacks_limit_text(char text[UNITS_TEXT_SIZE], uint64_t ns);

void thread_stacks_release(struct thread_stacks *stacks);

#endif
