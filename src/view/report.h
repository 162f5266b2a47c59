/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a view over a query and prints it as a person reads it, or as JSON or CSV.
 *
 * As text a report ends with what limits it: lost events, how dense samples are, which waits carry
 * no stack. JSON (one object a line) and CSV have the rows only.
 */
#ifndef DASHCAM_VIEW_REPORT_H
#define DASHCAM_VIEW_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/table.h"
#include "query/query.h"
#include "query/views.h"

struct report_options {
	enum table_format format;
	bool has_min;
	uint64_t min_ns; /* waits from this length, for views that take it */
	bool has_limit;
	uint64_t limit;     /* rows shown; 0: all */
	const char *sort;   /* column to order by, largest first (text: A first); NULL: as the view
			       does */
	unsigned int width; /* of the terminal; 0: lines are not cut */
	bool colour;
};

/* Returns 0 or a negative errno with a sentence; what was printed before an error stays. */
int report_run(struct query *query, const struct view *view, const struct report_options *options,
	       FILE *out);

/* Title, help and SQL of a view. */
void report_describe(const struct view *view, FILE *out);

#endif
