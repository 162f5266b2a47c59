/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A merged call tree: many stacks, each with a value, joined where they begin alike.
 *
 * Node 0 is the root, an empty frame that stands for everything. A path from it to a node is a
 *stack, outermost frame first. Values come in a few columns (such as "on CPU" and "blocked"); what
 *they mean is the user's business. Memory grows with the number of distinct stacks, not with what
 *is added.
 *
 *	node = calltree_child(&tree, CALLTREE_ROOT, &(struct calltree_frame){.text = "main"});
 *	node = calltree_child(&tree, node, &(struct calltree_frame){.text = "read"});
 *	calltree_add(&tree, node, 0, 1234);
 *	...
 *	calltree_finish(&tree);
 *	for (i = calltree_next(&tree, CALLTREE_ROOT); i != CALLTREE_NONE; i = calltree_next(&tree,
 *i)) tree.nodes[i].total[0] ...
 */
#ifndef DASHCAM_EXPORT_CALLTREE_H
#define DASHCAM_EXPORT_CALLTREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "export/intern.h"

#define CALLTREE_ROOT    0
#define CALLTREE_NONE    UINT32_MAX
#define CALLTREE_COLUMNS 3

/* The sum of all values stays below this, so that no sum in the tree can overflow: what a hostile
 * recording claims beyond it is not counted. */
#define CALLTREE_LIMIT (UINT64_C(1) << 62)

/* What a frame shows. Frames of one parent with equal text and kind are one node. Strings are
 * borrowed and must outlive the tree, but for text, which is copied. */
struct calltree_frame {
	const char *text;
	uint32_t kind;
	const char *module; /* NULL: unknown */
	const char *file;   /* NULL: unknown */
	uint32_t line;      /* 0: unknown */
};

struct calltree_node {
	uint32_t parent;
	uint32_t first_child; /* valid after calltree_finish, as are next_sibling and total */
	uint32_t next_sibling;
	uint32_t depth; /* the root has 0 */
	uint32_t name;  /* number of the text: calltree_text */
	uint32_t kind;
	const char *module; /* NULL: unknown, or not the same for all that was merged here */
	const char *file;   /* as above */
	uint32_t line;      /* 0: as above */
	uint64_t self[CALLTREE_COLUMNS];  /* of stacks that end here */
	uint64_t total[CALLTREE_COLUMNS]; /* self and all below */
};

/* Initialise with calltree_init; nodes may move when one is added. */
struct calltree {
	struct calltree_node *nodes;
	size_t count;
	size_t capacity;
	uint64_t sum; /* of all values of all columns */
	struct intern names;
	struct map64 numbers;  /* name and kind: a number for the pair */
	struct map64 children; /* parent and number of the pair: node */
};

void calltree_init(struct calltree *tree);
void calltree_release(struct calltree *tree);

/* The child of PARENT that shows FRAME, made if there is none. */
uint32_t calltree_child(struct calltree *tree, uint32_t parent, const struct calltree_frame *frame);

/* Adds VALUE to the stacks that end at NODE. */
void calltree_add(struct calltree *tree, uint32_t node, unsigned int column, uint64_t value);

/*
 * Computes totals and orders siblings: first those with all their value in column 0, then mixed
 * ones, then those with nothing in it; within each, the larger first, then by text. The same stacks
 * give the same order whatever the order they came in. More may be added afterwards, and finish
 * called again.
 */
void calltree_finish(struct calltree *tree);

/* Walks a finished tree, parents before children. CALLTREE_NONE at the end. */
uint32_t calltree_next(const struct calltree *tree, uint32_t node);

/* The sum over the columns. */
uint64_t calltree_total(const struct calltree_node *node);

static inline const char *calltree_text(const struct calltree *tree,
					const struct calltree_node *node)
{
	return intern_at(&tree->names, node->name);
}

#endif
