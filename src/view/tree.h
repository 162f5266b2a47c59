/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of calls, merged from folded stacks and printed with each branch's total and share.
 *
 * Branches that weigh little are left out and told in one line, so that what is printed still adds
 * up.
 */
#ifndef DASHCAM_VIEW_TREE_H
#define DASHCAM_VIEW_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *tree); /* NULL is fine */

/* FOLDED: names with ';' between, outermost first. */
void tree_add(struct tree *tree, const char *folded, uint64_t total_ns, uint64_t count);

struct tree_options {
	const char *count_name; /* heading of the counts: "waits" */
	double min_share;       /* of the whole; branches below are left out */
	uint64_t line_limit;    /* 0: none */
	unsigned int width;     /* lines are cut there; 0: never */
	bool colour;
};

void tree_print(const struct tree *tree, const struct tree_options *options, FILE *out);

#endif
