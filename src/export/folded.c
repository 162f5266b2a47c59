/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks: one line a stack, "comm;outermost;...;innermost nanoseconds", which flame graph
 * tools read.
 *
 * Kernel frames end in _[k], inlined ones in _[i]. Time in a run queue has the innermost frame
 * "[run queue]"; when both sides are written, "[on cpu]" and "[blocked]" tell the rest apart. The
 * order is that of the call tree: the largest first at each depth. By calls, a line is a way of traced
 * functions, with the self time of the last or the number of its calls.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "export/call_stacks.h"
#include "export/clean_text.h"
#include "export/export.h"
#include "export/thread_stacks.h"

/* A semicolon would end the frame, and the readers of this format know no way to quote it. */
static void put_name(struct buffer *line, const char *name)
{
	uint32_t character;

	while ((character = clean_text_next(&name)))
		clean_text_put(line, character == ';' ? ':' : character);
}

static void put_frame(struct buffer *line, const struct calltree *tree,
		      const struct calltree_node *node)
{
	if (line->size)
		buffer_add(line, ";", 1);
	put_name(line, calltree_text(tree, node));
	if (node->kind == FRAME_KERNEL)
		buffer_add(line, "_[k]", 4);
	else if (node->kind == FRAME_INLINED)
		buffer_add(line, "_[i]", 4);
}

static void write_stack(FILE *out, const char *stack, const uint64_t self[CALLTREE_COLUMNS],
			enum export_side side)
{
	static const char *const states[CALLTREE_COLUMNS] = {
		[TIME_ON_CPU] = ";[on cpu]",
		[TIME_BLOCKED] = ";[blocked]",
		[TIME_RUN_QUEUE] = ";[run queue]",
	};

	for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++) {
		bool is_told = side == EXPORT_BOTH || column == TIME_RUN_QUEUE;

		if (self[column])
			fprintf(out, "%s%s %" PRIu64 "\n", stack, is_told ? states[column] : "",
				self[column]);
	}
}

static void write_tree(FILE *out, const struct calltree *tree, enum export_side side)
{
	struct buffer line = {0};
	size_t *end = NULL; /* of the line at each depth */
	size_t capacity = 0;

	array_reserve((void **)&end, &capacity, 1, sizeof(*end));
	end[0] = 0;
	for (uint32_t i = calltree_next(tree, CALLTREE_ROOT); i != CALLTREE_NONE;
	     i = calltree_next(tree, i)) {
		const struct calltree_node *node = &tree->nodes[i];

		array_reserve((void **)&end, &capacity, node->depth + 1, sizeof(*end));
		line.size = end[node->depth - 1];
		put_frame(&line, tree, node);
		end[node->depth] = line.size;
		write_stack(out, line.data, node->self, side);
	}
	free(end);
	buffer_release(&line);
}

static int write_stacks(struct model *model, const struct export_options *options, FILE *out)
{
	struct thread_stacks stacks;
	int err = thread_stacks_collect(&stacks, model, options, false);

	if (!err)
		write_tree(out, &stacks.tree, options->side);
	thread_stacks_release(&stacks);
	return err;
}

static int write_calls(struct model *model, const struct export_options *options, FILE *out)
{
	struct calltree tree;
	int err = call_stacks_make(&tree, model, options);

	if (!err)
		write_tree(out, &tree, EXPORT_ON_CPU);
	calltree_release(&tree);
	return err;
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	int err = options->weight == EXPORT_STACKS ? write_stacks(model, options, out)
						   : write_calls(model, options, out);

	if (!err && (fflush(out) || ferror(out)))
		err = fail_errno(errno ? -errno : -EIO, "writing folded stacks");
	return err;
}

const struct export export_folded = {
	.name = "folded",
	.summary = "one line a stack with its nanoseconds, for flame graph tools",
	.suffix = ".folded",
	.shows_targets = true,
	.run = run,
};
