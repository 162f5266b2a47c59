/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/flamegraph_layout.h"

#include "base/memory.h"
#include "export/thread_stacks.h"

/* A frame must have one part in so many of all time to be drawn: 0.02 %, a quarter of a pixel at
 * the usual width. If that leaves too many frames for a file that is passed around, it must have
 * more. */
#define LEAST_PART  5000
#define FRAME_LIMIT 8000

/* With more than one part in so many on its lesser side, a frame is of both sides. */
#define MIXED_PART 20

static int descending(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a < b) - (a > b);
}

static uint64_t least_drawn_ns(const struct calltree *tree)
{
	uint64_t least_ns = calltree_total(&tree->nodes[CALLTREE_ROOT]) / LEAST_PART;
	uint64_t *totals = xmalloc(tree->count * sizeof(*totals));
	size_t count = 0;

	if (!least_ns)
		least_ns = 1;
	for (size_t i = 0; i < tree->count; i++)
		if (calltree_total(&tree->nodes[i]) >= least_ns)
			totals[count++] = calltree_total(&tree->nodes[i]);
	if (count > FRAME_LIMIT) {
		qsort(totals, count, sizeof(*totals), descending);
		least_ns = totals[FRAME_LIMIT] + 1;
	}
	free(totals);
	return least_ns;
}

static enum flame_paint paint_of(const struct calltree_node *node)
{
	uint64_t on_ns = node->total[TIME_ON_CPU];
	uint64_t off_ns = node->total[TIME_BLOCKED] + node->total[TIME_RUN_QUEUE];
	bool is_on_cpu = on_ns > off_ns;

	if (node->depth == 0)
		return PAINT_ROOT;
	if (node->kind == FRAME_NOTE)
		return PAINT_NOTE;
	if (node->kind == FRAME_THREAD)
		return PAINT_THREAD;
	if (node->kind == FRAME_CALL || node->kind == FRAME_LIBRARY_CALL)
		return node->kind == FRAME_CALL ? PAINT_CALL : PAINT_LIBRARY_CALL;
	if ((is_on_cpu ? off_ns : on_ns) > (on_ns + off_ns) / MIXED_PART)
		return PAINT_MIXED;
	switch (node->kind) {
	case FRAME_KERNEL:
		return is_on_cpu ? PAINT_ON_KERNEL : PAINT_OFF_KERNEL;
	case FRAME_INLINED:
		return is_on_cpu ? PAINT_ON_INLINED : PAINT_OFF_INLINED;
	default:
		return is_on_cpu ? PAINT_ON_USER : PAINT_OFF_USER;
	}
}

/* Puts FRAME at the left edge of what is free in its parent. Returns its number. */
static uint32_t place_frame(struct flame_layout *layout, struct flame_frame frame)
{
	for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++)
		frame.total_ns += frame.value[column];
	if (frame.parent != FLAME_NONE) {
		struct flame_frame *parent = &layout->frames[frame.parent];

		frame.depth = parent->depth + 1;
		frame.start_ns = parent->start_ns + parent->filled_ns;
		parent->filled_ns += frame.total_ns;
	}
	if (frame.depth >= layout->depth_limit)
		layout->depth_limit = frame.depth + 1;
	array_reserve((void **)&layout->frames, &layout->capacity, layout->count + 1,
		      sizeof(*layout->frames));
	layout->frames[layout->count] = frame;
	return (uint32_t)layout->count++;
}

/* The part of a frame's own time that was spent in one state, as a child. */
static void place_state(struct flame_layout *layout, uint32_t parent, enum thread_time state)
{
	static const struct {
		const char *text;
		enum flame_paint paint;
	} states[] = {
		[TIME_ON_CPU] = {"[on cpu]", PAINT_ON_USER},
		[TIME_BLOCKED] = {"[blocked]", PAINT_OFF_USER},
		[TIME_RUN_QUEUE] = {"[run queue]", PAINT_RUN_QUEUE},
	};
	struct flame_frame frame = {
		.parent = parent,
		.text = states[state].text,
		.paint = states[state].paint,
	};

	frame.value[state] = layout->frames[parent].node->self[state];
	if (frame.value[state] >= layout->least_ns)
		place_frame(layout, frame);
}

static bool has_both_sides(const struct flame_frame *frame)
{
	return frame->value[TIME_ON_CPU] &&
	       (frame->value[TIME_BLOCKED] || frame->value[TIME_RUN_QUEUE]);
}

static uint32_t enter(struct flame_layout *layout, const struct calltree *tree, uint32_t node,
		      uint32_t parent)
{
	struct flame_frame frame = {
		.parent = parent,
		.text = node == CALLTREE_ROOT ? "all" : calltree_text(tree, &tree->nodes[node]),
		.node = &tree->nodes[node],
		.paint = paint_of(&tree->nodes[node]),
	};
	uint32_t number;

	for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++)
		frame.value[column] = tree->nodes[node].total[column];
	number = place_frame(layout, frame);
	if (has_both_sides(&frame))
		place_state(layout, number, TIME_ON_CPU);
	return number;
}

/* Where the colour of a frame says all, only time in run queues is told apart: it is never the
 * program's own doing. */
static void leave(struct flame_layout *layout, uint32_t number)
{
	if (has_both_sides(&layout->frames[number]))
		place_state(layout, number, TIME_BLOCKED);
	place_state(layout, number, TIME_RUN_QUEUE);
}

/* The first of NODE and its siblings to the right that is wide enough. */
static uint32_t first_drawn(struct flame_layout *layout, const struct calltree *tree, uint32_t node)
{
	for (; node != CALLTREE_NONE; node = tree->nodes[node].next_sibling) {
		uint64_t total_ns = calltree_total(&tree->nodes[node]);

		if (total_ns >= layout->least_ns)
			break;
		layout->dropped_ns += total_ns;
	}
	return node;
}

void flame_layout_init(struct flame_layout *layout, const struct calltree *tree)
{
	uint32_t node = CALLTREE_ROOT;
	uint32_t frame, next;

	*layout = (struct flame_layout){.least_ns = least_drawn_ns(tree)};
	for (size_t i = 0; i < tree->count; i++)
		layout->dropped += calltree_total(&tree->nodes[i]) > 0 &&
				   calltree_total(&tree->nodes[i]) < layout->least_ns;

	frame = enter(layout, tree, CALLTREE_ROOT, FLAME_NONE);
	next = first_drawn(layout, tree, tree->nodes[node].first_child);
	/* NODE is the one whose children are being placed, in FRAME; NEXT is the next of them */
	for (;;) {
		if (next != CALLTREE_NONE) {
			frame = enter(layout, tree, next, frame);
			node = next;
			next = first_drawn(layout, tree, tree->nodes[node].first_child);
			continue;
		}
		leave(layout, frame);
		if (node == CALLTREE_ROOT)
			break;
		next = first_drawn(layout, tree, tree->nodes[node].next_sibling);
		node = tree->nodes[node].parent;
		frame = layout->frames[frame].parent;
	}
}

void flame_layout_release(struct flame_layout *layout)
{
	free(layout->frames);
	*layout = (struct flame_layout){0};
}
