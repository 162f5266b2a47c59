/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls merged by their ways: one node for each function under each way that led to it.
 */
#ifndef DASHCAM_MODEL_CALL_TREE_H
#define DASHCAM_MODEL_CALL_TREE_H

#include "base/hash.h"
#include "base/memory.h"
#include "model/call.h"

enum call_tree_root {
	CALL_TREE_ALL,     /* one root for all threads */
	CALL_TREE_PROCESS, /* one for each name of a process, */
	CALL_TREE_THREAD,  /* or of a thread */
};

#define CALL_TREE_NONE UINT32_MAX

struct call_tree_node {
	uint32_t parent; /* CALL_TREE_NONE for a root */
	uint32_t first_child;
	uint32_t next_sibling;
	uint32_t level; /* 0: right below the root */
	const char *text;
	const struct call_name *name; /* NULL for a root */
	uint64_t calls;
	uint64_t total_ns; /* the part of the filter's time */
	uint64_t self_ns;
	bool is_inside_itself; /* a call of the same function is on the way to it */
};

/* More ways than these are not told apart: what comes by another stays with the node above it, as its own
 * time. */
#define CALL_TREE_NODES_MAX (1u << 20)

/* Node 0 is the root of all. Children stand behind their parents. */
struct call_tree {
	struct call_tree_node *nodes;
	size_t count, capacity;
	uint64_t left_calls; /* by ways that are not told apart */
	struct map64 children; /* parent and name: node */
	struct map64 roots;    /* hash of a root's text: node */
};

/* Returns 0 or a negative errno with a sentence; the caller releases in both cases. */
int call_tree_make(struct call_tree *ret, struct model *model, const struct filter *filter,
		   enum call_tree_root roots);
void call_tree_release(struct call_tree *tree);

/* Walks the tree, parents before children, siblings with the largest total first: 0 at first, then
 * what this gives; CALL_TREE_NONE at the end. */
uint32_t call_tree_next(const struct call_tree *tree, uint32_t node);

#endif
