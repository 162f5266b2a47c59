/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws a flame graph as one self-contained SVG: a finished picture of fixed width, and a script
 * that draws it anew at the width of the window where scripts may run.
 */
#ifndef DASHCAM_EXPORT_FLAMEGRAPH_SVG_H
#define DASHCAM_EXPORT_FLAMEGRAPH_SVG_H

#include <stddef.h>
#include <stdio.h>

#include "export/flamegraph_layout.h"

/* The head of the picture. Borrowed. */
struct flame_head {
	const char *title;
	const char *const *lines; /* sentences below it, each wrapped to the width */
	size_t line_count;
	const char *first_column; /* what the first column of values is; NULL: "on CPU" */
	bool is_count;            /* values are not ns */
};

/* Writes errors only to OUT's error flag. The same input gives the same bytes. */
void flame_svg_write(FILE *out, const struct flame_layout *layout, const struct flame_head *head);

#endif
