/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a statement as a list: each a headline and, indented below it, what is known, a line
 * each.
 */
#ifndef DASHCAM_VIEW_LIST_H
#define DASHCAM_VIEW_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "query/query.h"

struct list_options {
	unsigned int width; /* longer texts go on in the next line; 0: never */
	uint64_t limit;     /* rows shown; 0: all */
	const char *hide;   /* names of columns with blanks between; NULL: none */
	uint64_t time_origin_ns;
	bool colour;
};

/* The first column is the headline; columns without a value are left out. Counts all rows. */
int list_print(struct query *query, sqlite3_stmt *statement, const struct list_options *options,
	       FILE *out, uint64_t *ret_rows);

#endif
