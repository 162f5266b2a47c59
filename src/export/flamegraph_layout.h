/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flame graph shows: which frames of a call tree, in which order, how wide and in which
 * paint.
 *
 * Widths are nanoseconds here; a drawing scales them to its own width. A frame lies inside its
 * parent, and siblings do not overlap. The sides of a CPU are told apart by paint: a frame with
 * (nearly) all its time on a CPU is warm, one with it off the CPU is cool, others are neutral. What
 * a frame with both sides spent itself is shown as children, one for each side.
 */
#ifndef DASHCAM_EXPORT_FLAMEGRAPH_LAYOUT_H
#define DASHCAM_EXPORT_FLAMEGRAPH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/calltree.h"

enum flame_paint {
	PAINT_ROOT,
	PAINT_THREAD,
	PAINT_MIXED, /* time on a CPU and off it */
	PAINT_ON_USER,
	PAINT_ON_KERNEL,
	PAINT_ON_INLINED,
	PAINT_OFF_USER,
	PAINT_OFF_KERNEL,
	PAINT_OFF_INLINED,
	PAINT_RUN_QUEUE,
	PAINT_NOTE,
	PAINT_CALL,
	PAINT_LIBRARY_CALL,
	PAINT_COUNT
};

#define FLAME_NONE UINT32_MAX

struct flame_frame {
	uint32_t parent; /* number of the frame it lies in; FLAME_NONE for the root */
	uint32_t depth;  /* the root has 0 */
	const char *text;
	const struct calltree_node *node; /* NULL: the state of a CPU, such as "[run queue]" */
	enum flame_paint paint;
	uint64_t start_ns; /* from the left edge */
	uint64_t total_ns;
	uint64_t value[CALLTREE_COLUMNS]; /* its parts, by enum thread_time */
	uint64_t filled_ns;               /* of it, by its children */
};

struct flame_layout {
	struct flame_frame *frames; /* parents before children, siblings from left to right */
	size_t count;
	size_t capacity;
	uint32_t depth_limit; /* one more than the greatest depth */
	uint64_t least_ns;    /* frames with less are not drawn */
	uint64_t dropped;     /* so many of them */
	uint64_t dropped_ns;  /* their time, which only their callers show */
};

/* TREE is finished, its columns and kinds are those of thread_stacks.h. It must outlive the layout.
 */
void flame_layout_init(struct flame_layout *layout, const struct calltree *tree);
void flame_layout_release(struct flame_layout *layout);

#endif
