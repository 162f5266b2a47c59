/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"

/* A path deeper than this goes on as one last name: recordings are hostile, and printing recurses.
 */
#define DEPTH_MAX 400

struct node {
	const char *name;
	uint64_t total_ns;
	uint64_t count;
	struct node *first_child;
	struct node *next; /* of the same parent */
	unsigned int child_count;
};

struct tree {
	struct arena arena;
	struct map64 nodes; /* hash of a path: node */
	struct node root;
};

struct tree *tree_new(void)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));

	tree->root.name = "all";
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	map64_release(&tree->nodes);
	arena_release(&tree->arena);
	free(tree);
}

static struct node *child_of(struct tree *tree, struct node *parent, uint64_t path,
			     const char *name, size_t length)
{
	uint64_t *known = map64_get(&tree->nodes, path);
	struct node *node;

	if (known)
		return (struct node *)(uintptr_t)*known;
	node = arena_alloc(&tree->arena, sizeof(*node));
	node->name = memcpy(arena_alloc(&tree->arena, length + 1), name, length);
	node->next = parent->first_child;
	parent->first_child = node;
	parent->child_count++;
	map64_put(&tree->nodes, path, (uintptr_t)node);
	return node;
}

void tree_add(struct tree *tree, const char *folded, uint64_t total_ns, uint64_t count)
{
	struct node *node = &tree->root;
	uint64_t path = 0;

	for (unsigned int depth = 1; node; depth++) {
		size_t length = depth < DEPTH_MAX ? strcspn(folded, ";") : strlen(folded);

		node->total_ns += total_ns;
		node->count += count;
		if (!*folded)
			break;
		path = hash_mix(path ^ hash_bytes(folded, length));
		node = child_of(tree, node, path, folded, length);
		folded += length + (folded[length] == ';');
	}
}

/* ---- printing ---- */

struct printer {
	const struct tree_options *options;
	FILE *out;
	uint64_t whole_ns;
	bool has_counts;
	uint64_t lines;
	uint64_t lines_left_out;
	struct buffer prefix; /* the lines of the branches that go on */
	struct buffer line;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Begins a line with the numbers, or with blanks in their place. */
static void add_numbers(struct printer *printer, const struct node *node)
{
	struct buffer *line = &printer->line;
	char text[UNITS_TEXT_SIZE];
	double share;

	buffer_clear(line);
	if (!node) {
		buffer_printf(line, "%*s", printer->has_counts ? 32 : 20, "");
		return;
	}
	share = printer->whole_ns ? (double)node->total_ns / (double)printer->whole_ns : 0;
	buffer_printf(line, "%9s  %5.1f %%", format_ns(text, node->total_ns), share * 100);
	if (printer->has_counts && node->count)
		buffer_printf(line, "  %10s", format_count(text, node->count));
	else if (printer->has_counts)
		buffer_printf(line, "  %10s", "-");
	buffer_printf(line, "  ");
}

/* Ends the line with the branches and a name, cut to the terminal's width. */
static void end_line(struct printer *printer, const char *branch, const char *name)
{
	struct buffer *line = &printer->line;
	unsigned int width = printer->options->width;
	uint64_t limit = printer->options->line_limit;

	if (limit && printer->lines == limit) {
		printer->lines_left_out++;
		return;
	}
	printer->lines++;
	buffer_printf(line, "%s%s", printer->prefix.size ? printer->prefix.data : "", branch);
	utf8_add_escaped(line, name);
	if (width && utf8_columns(line->data) > width)
		fprintf(printer->out, "%.*s\u2026\n", (int)utf8_fit(line->data, width - 1),
			line->data);
	else
		fprintf(printer->out, "%s\n", line->data);
}

static bool is_shown(const struct printer *printer, const struct node *node)
{
	return (double)node->total_ns >= printer->options->min_share * (double)printer->whole_ns;
}

static void print_children(struct printer *printer, const struct node *parent);

/* A node with all below it. Calls that lead to only one other stand below each other, without
 * numbers. */
static void print_node(struct printer *printer, const struct node *node, bool is_last)
{
	size_t prefix = printer->prefix.size;

	add_numbers(printer, node);
	end_line(printer, is_last ? "\u2514\u2500 " : "\u251c\u2500 ", node->name);
	buffer_printf(&printer->prefix, is_last ? "   " : "\u2502  ");
	while (node->child_count == 1 && node->first_child->total_ns == node->total_ns) {
		node = node->first_child;
		add_numbers(printer, NULL);
		end_line(printer, "", node->name);
	}
	print_children(printer, node);
	printer->prefix.size = prefix;
	printer->prefix.data[prefix] = '\0';
}

static void print_small(struct printer *printer, const struct node *small)
{
	char text[64];

	snprintf(text, sizeof(text), "(%u more below %.1f %%)", small->child_count,
		 printer->options->min_share * 100);
	add_numbers(printer, small);
	end_line(printer, "\u2514\u2500 ", text);
}

static void print_children(struct printer *printer, const struct node *parent)
{
	const struct node **children =
		xcalloc(parent->child_count + 1, sizeof(const struct node *));
	struct node small = {0};
	size_t shown = 0;

	for (const struct node *node = parent->first_child; node; node = node->next) {
		if (is_shown(printer, node)) {
			children[shown++] = node;
			continue;
		}
		small.total_ns += node->total_ns;
		small.count += node->count;
		small.child_count++;
	}
	qsort(children, shown, sizeof(*children), compare_nodes);
	for (size_t i = 0; i < shown; i++)
		print_node(printer, children[i], i + 1 == shown && !small.child_count);
	if (small.child_count)
		print_small(printer, &small);
	free(children);
}

static void print_heading(const struct printer *printer)
{
	bool colour = printer->options->colour;

	fprintf(printer->out, "%s%9s  %7s", colour ? "\033[1m" : "", "total", "share");
	if (printer->has_counts)
		fprintf(printer->out, "  %10s", printer->options->count_name);
	fprintf(printer->out, "%s\n", colour ? "\033[0m" : "");
}

void tree_print(const struct tree *tree, const struct tree_options *options, FILE *out)
{
	struct printer printer = {
		.options = options,
		.out = out,
		.whole_ns = tree->root.total_ns,
		.has_counts = options->count_name,
	};

	print_heading(&printer);
	buffer_printf(&printer.prefix, "%s", "");
	add_numbers(&printer, &tree->root);
	end_line(&printer, "", tree->root.name);
	print_children(&printer, &tree->root);
	if (printer.lines_left_out)
		fprintf(out, "... %" PRIu64 " more lines (--limit)\n", printer.lines_left_out);
	buffer_release(&printer.prefix);
	buffer_release(&printer.line);
}
