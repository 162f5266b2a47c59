/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/call_tree.h"

#include <stdlib.h>
#include <string.h>

/* How far up a way is searched: recordings are hostile, and depths have 16 bits. */
#define WAY_MAX 1000

/* Of each thread, the nodes of the calls around the next one. */
struct way {
	uint32_t root;
	uint32_t *nodes; /* by level */
	size_t capacity;
};

struct maker {
	struct call_tree *tree;
	const struct filter *filter;
	enum call_tree_root roots;
	struct way *ways; /* by lane */
	size_t way_count, way_capacity;
};

static uint32_t add_node(struct call_tree *tree, uint32_t parent, const char *text,
			 const struct call_name *name)
{
	struct call_tree_node node = {
		.parent = parent,
		.first_child = CALL_TREE_NONE,
		.next_sibling = CALL_TREE_NONE,
		.text = text,
		.name = name,
	};

	if (parent != CALL_TREE_NONE && tree->nodes[parent].name)
		node.level = tree->nodes[parent].level + 1;
	for (uint32_t at = parent, steps = 0; name && at != CALL_TREE_NONE && steps < WAY_MAX;
	     at = tree->nodes[at].parent, steps++)
		node.is_inside_itself |= tree->nodes[at].name == name;
	array_reserve((void **)&tree->nodes, &tree->capacity, tree->count + 1,
		      sizeof(*tree->nodes));
	tree->nodes[tree->count] = node;
	return (uint32_t)tree->count++;
}

static const char *root_text(const struct maker *maker, const struct call *call)
{
	if (!call->thread)
		return "[unknown thread]";
	if (maker->roots == CALL_TREE_PROCESS && call->thread->process &&
	    call->thread->process->comm[0])
		return call->thread->process->comm;
	return call->thread->comm[0] ? call->thread->comm : "[no name]";
}

static uint32_t root_of(struct maker *maker, const struct call *call)
{
	struct call_tree *tree = maker->tree;
	const char *text = root_text(maker, call);
	uint64_t hash = hash_text(text);
	const uint64_t *known;

	if (maker->roots == CALL_TREE_ALL)
		return 0;
	/* other texts with the same hash go to the next number */
	for (; (known = map64_get(&tree->roots, hash)); hash++) {
		if (!strcmp(tree->nodes[*known].text, text))
			return (uint32_t)*known;
	}
	return (uint32_t)*map64_put(&tree->roots, hash, add_node(tree, 0, text, NULL));
}

static struct way *way_of(struct maker *maker, const struct call *call)
{
	struct way *way;

	array_reserve((void **)&maker->ways, &maker->way_capacity, call->lane + (size_t)1,
		      sizeof(*maker->ways));
	while (maker->way_count <= call->lane)
		maker->ways[maker->way_count++] = (struct way){.root = CALL_TREE_NONE};
	way = &maker->ways[call->lane];
	if (way->root == CALL_TREE_NONE)
		way->root = root_of(maker, call);
	array_reserve((void **)&way->nodes, &way->capacity, call->level + (size_t)1,
		      sizeof(*way->nodes));
	return way;
}

static void take_call(struct maker *maker, struct model *model, const struct call *call)
{
	struct call_tree *tree = maker->tree;
	struct way *way = way_of(maker, call);
	uint32_t parent = call->level ? way->nodes[call->level - 1] : way->root;
	uint64_t key = (uint64_t)parent << 32 | call->name;
	const uint64_t *known = map64_get(&tree->children, key);
	uint32_t node;

	if (known) {
		node = (uint32_t)*known;
	} else if (tree->count >= CALL_TREE_NODES_MAX && tree->nodes[parent].name) {
		tree->left_calls++;
		way->nodes[call->level] = parent;
		return;
	} else {
		const struct call_name *name = call_name_at(model, call->name);

		node = add_node(tree, parent, name->name, name);
		map64_put(&tree->children, key, node);
	}
	tree->nodes[node].calls++;
	tree->nodes[node].total_ns += call_inside_ns(call, maker->filter);
	way->nodes[call->level] = node;
}

/* By parent; the children of one from the last to the first. */
static int compare_nodes(const void *a, const void *b, void *context)
{
	const struct call_tree *tree = context;
	const struct call_tree_node *left = &tree->nodes[*(const uint32_t *)a];
	const struct call_tree_node *right = &tree->nodes[*(const uint32_t *)b];

	if (left->parent != right->parent)
		return left->parent < right->parent ? -1 : 1;
	if (left->total_ns != right->total_ns)
		return left->total_ns < right->total_ns ? -1 : 1;
	return strcmp(right->text, left->text);
}

static void link_children(struct call_tree *tree)
{
	uint32_t *order = xcalloc(tree->count, sizeof(*order));

	for (size_t i = 0; i < tree->count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order + 1, tree->count - 1, sizeof(*order), compare_nodes, tree);
	for (size_t i = 1; i < tree->count; i++) {
		struct call_tree_node *node = &tree->nodes[order[i]];

		node->next_sibling = tree->nodes[node->parent].first_child;
		tree->nodes[node->parent].first_child = order[i];
	}
	free(order);
}

/* Self is what children leave. Roots are the sums of what is below them. */
static void finish(struct call_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		tree->nodes[i].self_ns = tree->nodes[i].total_ns;
	for (size_t i = tree->count; i-- > 1;) {
		struct call_tree_node *node = &tree->nodes[i];
		struct call_tree_node *parent = &tree->nodes[node->parent];

		if (!parent->name) {
			parent->total_ns += node->total_ns;
			continue;
		}
		parent->self_ns -=
			node->total_ns < parent->self_ns ? node->total_ns : parent->self_ns;
	}
	link_children(tree);
}

int call_tree_make(struct call_tree *ret, struct model *model, const struct filter *filter,
		   enum call_tree_root roots)
{
	struct maker maker = {.tree = ret, .filter = filter, .roots = roots};
	struct call_order *order;
	const struct call *call;
	int more;

	*ret = (struct call_tree){.count = 0};
	add_node(ret, CALL_TREE_NONE, "all", NULL);
	more = call_order_new(&order, model, filter);
	if (more)
		return more;
	while ((more = call_order_next(order, &call)) > 0)
		take_call(&maker, model, call);
	call_order_free(order);
	for (size_t i = 0; i < maker.way_count; i++)
		free(maker.ways[i].nodes);
	free(maker.ways);
	if (!more)
		finish(ret);
	return more;
}

void call_tree_release(struct call_tree *tree)
{
	free(tree->nodes);
	map64_release(&tree->children);
	map64_release(&tree->roots);
}

uint32_t call_tree_next(const struct call_tree *tree, uint32_t node)
{
	if (tree->nodes[node].first_child != CALL_TREE_NONE)
		return tree->nodes[node].first_child;
	while (node != 0) {
		if (tree->nodes[node].next_sibling != CALL_TREE_NONE)
			return tree->nodes[node].next_sibling;
		node = tree->nodes[node].parent;
	}
	return CALL_TREE_NONE;
}
