/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/calltree.h"

#include <string.h>

#include "base/memory.h"

static uint32_t new_node(struct calltree *tree, const struct calltree_node *node)
{
	array_reserve((void **)&tree->nodes, &tree->capacity, tree->count + 1,
		      sizeof(*tree->nodes));
	tree->nodes[tree->count] = *node;
	return (uint32_t)tree->count++;
}

void calltree_init(struct calltree *tree)
{
	*tree = (struct calltree){0};
	new_node(tree, &(struct calltree_node){
			       .parent = CALLTREE_NONE,
			       .first_child = CALLTREE_NONE,
			       .next_sibling = CALLTREE_NONE,
			       .name = intern_text(&tree->names, ""),
		       });
}

void calltree_release(struct calltree *tree)
{
	free(tree->nodes);
	intern_release(&tree->names);
	map64_release(&tree->numbers);
	map64_release(&tree->children);
	*tree = (struct calltree){0};
}

static uint64_t pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The same function may be called from several lines, or be named alike in two modules. */
static void forget_differences(struct calltree_node *node, const struct calltree_frame *frame)
{
	if (!is_same_text(node->module, frame->module))
		node->module = NULL;
	if (!is_same_text(node->file, frame->file))
		node->file = NULL;
	if (node->line != frame->line || !node->file)
		node->line = 0;
}

uint32_t calltree_child(struct calltree *tree, uint32_t parent, const struct calltree_frame *frame)
{
	uint32_t name = intern_text(&tree->names, frame->text);
	uint64_t name_and_kind = pair(name, frame->kind);
	uint64_t *number = map64_get(&tree->numbers, name_and_kind);
	uint64_t *child;
	uint64_t key;

	if (!number)
		number = map64_put(&tree->numbers, name_and_kind, tree->numbers.count);
	key = pair(parent, (uint32_t)*number);
	child = map64_get(&tree->children, key);
	if (child) {
		forget_differences(&tree->nodes[*child], frame);
		return (uint32_t)*child;
	}
	return (uint32_t)*map64_put(&tree->children, key,
				    new_node(tree, &(struct calltree_node){
							   .parent = parent,
							   .first_child = CALLTREE_NONE,
							   .next_sibling = CALLTREE_NONE,
							   .depth = tree->nodes[parent].depth + 1,
							   .name = name,
							   .kind = frame->kind,
							   .module = frame->module,
							   .file = frame->file,
							   .line = frame->line,
						   }));
}

void calltree_add(struct calltree *tree, uint32_t node, unsigned int column, uint64_t value)
{
	if (value > CALLTREE_LIMIT - tree->sum)
		value = CALLTREE_LIMIT - tree->sum;
	tree->sum += value;
	tree->nodes[node].self[column] += value;
}

uint64_t calltree_total(const struct calltree_node *node)
{
	uint64_t sum = 0;

	for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++)
		sum += node->total[column];
	return sum;
}

/* 0: all of its value is in column 0; 1: some of it; 2: nothing. */
static int rank(const struct calltree_node *node)
{
	if (!node->total[0])
		return 2;
	return calltree_total(node) > node->total[0];
}

/* Orders node numbers by parent, and the children of one parent from the last to the first. */
static int compare(const void *left, const void *right, void *context)
{
	const struct calltree *tree = context;
	const struct calltree_node *a = &tree->nodes[*(const uint32_t *)left];
	const struct calltree_node *b = &tree->nodes[*(const uint32_t *)right];
	uint64_t total_a = calltree_total(a);
	uint64_t total_b = calltree_total(b);
	int by_text;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (rank(a) != rank(b))
		return rank(b) - rank(a);
	if (total_a != total_b)
		return total_a < total_b ? -1 : 1;
	by_text = strcmp(calltree_text(tree, b), calltree_text(tree, a));
	return by_text ? by_text : (a->kind < b->kind) - (a->kind > b->kind);
}

void calltree_finish(struct calltree *tree)
{
	uint32_t *order = xmalloc(tree->count * sizeof(*order));

	for (size_t i = 0; i < tree->count; i++) {
		memcpy(tree->nodes[i].total, tree->nodes[i].self, sizeof(tree->nodes[i].total));
		tree->nodes[i].first_child = CALLTREE_NONE;
		order[i] = (uint32_t)i;
	}
	/* a child always has a higher number than its parent */
	for (size_t i = tree->count - 1; i > 0; i--)
		for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++)
			tree->nodes[tree->nodes[i].parent].total[column] +=
				tree->nodes[i].total[column];

	qsort_r(order + 1, tree->count - 1, sizeof(*order), compare, tree);
	for (size_t i = 1; i < tree->count; i++) {
		struct calltree_node *node = &tree->nodes[order[i]];
		struct calltree_node *parent = &tree->nodes[node->parent];

		node->next_sibling = parent->first_child;
		parent->first_child = order[i];
	}
	free(order);
}

uint32_t calltree_next(const struct calltree *tree, uint32_t node)
{
	if (tree->nodes[node].first_child != CALLTREE_NONE)
		return tree->nodes[node].first_child;
	while (node != CALLTREE_ROOT) {
		if (tree->nodes[node].next_sibling != CALLTREE_NONE)
			return tree->nodes[node].next_sibling;
		node = tree->nodes[node].parent;
	}
	return CALLTREE_NONE;
}
