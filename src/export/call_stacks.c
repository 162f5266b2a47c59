/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/call_stacks.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "export/thread_stacks.h"
#include "model/call_tree.h"

static uint32_t frame_node(struct calltree *tree, uint32_t parent,
			   const struct call_tree_node *node)
{
	struct calltree_frame frame = {.text = node->text, .kind = FRAME_THREAD};

	if (node->name) {
		frame.kind =
			node->name->flags & EVENT_NAME_LIBRARY ? FRAME_LIBRARY_CALL : FRAME_CALL;
		frame.module = node->name->where[0] ? node->name->where : NULL;
	}
	return calltree_child(tree, parent, &frame);
}

/* Nodes stand behind their parents. */
static void copy(struct calltree *to, const struct call_tree *from, enum export_weight weight)
{
	uint32_t *places = xcalloc(from->count, sizeof(*places));

	places[0] = CALLTREE_ROOT;
	for (size_t i = 1; i < from->count; i++) {
		const struct call_tree_node *node = &from->nodes[i];

		places[i] = frame_node(to, places[node->parent], node);
		if (node->name)
			calltree_add(to, places[i], 0,
				     weight == EXPORT_CALLS ? node->calls : node->self_ns);
	}
	free(places);
	calltree_finish(to);
}

int call_stacks_make(struct calltree *ret, struct model *model,
		     const struct export_options *options)
{
	enum call_tree_root roots = options->by_thread ? CALL_TREE_THREAD : CALL_TREE_PROCESS;
	struct call_tree calls;
	int err = call_tree_make(&calls, model, &options->filter, roots);

	calltree_init(ret);
	if (!err && calls.count < 2)
		err = fail(-ENODATA,
			   "there are no calls of traced functions to show (dashcam record "
			   "-F GLOB traces them)");
	if (!err)
		copy(ret, &calls, options->weight);
	call_tree_release(&calls);
	return err;
}
