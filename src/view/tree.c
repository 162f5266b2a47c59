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

/* Where lines are broken if not by a terminal. */
#define WIDTH_OF_FILES 120

/* Recursion: up to so many calls that come at least so often in a row are written once. */
#define PERIOD_MAX 8
#define ROUNDS_MIN 3

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
	size_t line_start; /* where the names begin in it */
};

/* Nodes of which each is the only child of the one before it. */
struct chain {
	const struct node **calls;
	size_t count;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Begins a line with the numbers, or with blanks in their place, and the branches. */
static void begin_line(struct printer *printer, const struct node *node, const char *branch)
{
	struct buffer *line = &printer->line;
	char text[UNITS_TEXT_SIZE];
	double share;

	buffer_clear(line);
	if (node) {
		share = printer->whole_ns ? (double)node->total_ns / (double)printer->whole_ns : 0;
		buffer_printf(line, "%9s  %5.1f %%", format_ns(text, node->total_ns), share * 100);
		if (printer->has_counts)
			buffer_printf(line, "  %10s",
				      node->count ? format_count(text, node->count) : "-");
		buffer_printf(line, "  ");
	} else {
		buffer_printf(line, "%*s", printer->has_counts ? 32 : 20, "");
	}
	buffer_printf(line, "%s%s", printer->prefix.size ? printer->prefix.data : "", branch);
	printer->line_start = line->size;
}

/* Ends the line, cut to the terminal's width. */
static void end_line(struct printer *printer)
{
	const char *line = printer->line.data;
	unsigned int width = printer->options->width;
	uint64_t limit = printer->options->line_limit;

	if (limit && printer->lines == limit) {
		printer->lines_left_out++;
		return;
	}
	printer->lines++;
	if (width && utf8_columns(line) > width)
		fprintf(printer->out, "%.*s\u2026\n", (int)utf8_fit(line, width - 1), line);
	else
		fprintf(printer->out, "%s\n", line);
}

/* The next name of a chain of calls: behind the others, or on a line of its own if that one is
 * full. */
static void add_call(struct printer *printer, const char *call)
{
	struct buffer *line = &printer->line;
	unsigned int width = printer->options->width ? printer->options->width : WIDTH_OF_FILES;
	bool is_first = line->size == printer->line_start;

	if (!is_first &&
	    utf8_columns(line->data) + utf8_columns(call) + strlen(" > ") + strlen(" >") > width) {
		buffer_printf(line, " >");
		end_line(printer);
		begin_line(printer, NULL, "");
		is_first = true;
	}
	buffer_printf(line, "%s%s", is_first ? "" : " > ", call);
}

static bool is_shown(const struct printer *printer, const struct node *node)
{
	return (double)node->total_ns >= printer->options->min_share * (double)printer->whole_ns;
}

static void print_children(struct printer *printer, const struct node *parent);

static bool is_same_call(const struct chain *chain, size_t i, size_t j)
{
	return !strcmp(chain->calls[i]->name, chain->calls[j]->name);
}

/* How often the PERIOD calls from AT on come in a row. */
static size_t count_rounds(const struct chain *chain, size_t at, size_t period)
{
	size_t end = at + period;

	while (end < chain->count && is_same_call(chain, end, end - period))
		end++;
	return at + period > chain->count ? 0 : (end - at) / period;
}

/* Recursion: the calls from AT on that come again and again. *ret_rounds is 1 where they do not. */
static size_t find_period(const struct chain *chain, size_t at, size_t *ret_rounds)
{
	for (size_t period = 1; period <= PERIOD_MAX; period++) {
		*ret_rounds = count_rounds(chain, at, period);
		if (*ret_rounds >= ROUNDS_MIN)
			return period;
	}
	*ret_rounds = 1;
	return 1;
}

/* Calls that lead to only one other, one behind the other; recursion is written once. */
static void print_chain(struct printer *printer, const struct chain *chain)
{
	struct buffer call = {0};

	for (size_t at = 0, rounds; at < chain->count;) {
		size_t period = find_period(chain, at, &rounds);

		buffer_clear(&call);
		buffer_printf(&call, "%s", period > 1 ? "(" : "");
		for (size_t i = 0; i < period; i++) {
			buffer_printf(&call, "%s", i ? " > " : "");
			utf8_add_escaped(&call, chain->calls[at + i]->name);
		}
		if (rounds > 1)
			buffer_printf(&call, "%s \u00d7 %zu", period > 1 ? ")" : "", rounds);
		add_call(printer, call.data);
		at += period * rounds;
	}
	end_line(printer);
	buffer_release(&call);
}

/* A node with all below it. */
static void print_node(struct printer *printer, const struct node *node, bool is_last)
{
	size_t prefix = printer->prefix.size, capacity = 0;
	struct chain chain = {0};

	begin_line(printer, node, is_last ? "\u2514\u2500 " : "\u251c\u2500 ");
	buffer_printf(&printer->prefix, is_last ? "   " : "\u2502  ");
	for (;; node = node->first_child) {
		array_reserve((void **)&chain.calls, &capacity, chain.count + 1,
			      sizeof(*chain.calls));
		chain.calls[chain.count++] = node;
		if (node->child_count != 1 || node->first_child->total_ns != node->total_ns)
			break;
	}
	print_chain(printer, &chain);
	free(chain.calls);
	print_children(printer, node);
	printer->prefix.size = prefix;
	printer->prefix.data[prefix] = '\0';
}

static void print_small(struct printer *printer, const struct node *small)
{
	char text[64];

	snprintf(text, sizeof(text), "(%u more below %.1f %%)", small->child_count,
		 printer->options->min_share * 100);
	begin_line(printer, small, "\u2514\u2500 ");
	add_call(printer, text);
	end_line(printer);
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
	begin_line(&printer, &tree->root, "");
	add_call(&printer, tree->root.name);
	end_line(&printer);
	print_children(&printer, &tree->root);
	if (printer.lines_left_out)
		fprintf(out, "... %" PRIu64 " more lines (--limit)\n", printer.lines_left_out);
	buffer_release(&printer.prefix);
	buffer_release(&printer.line);
}
