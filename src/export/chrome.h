/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the exporter of Chrome's trace event format: what its files share.
 */
#ifndef DASHCAM_EXPORT_CHROME_H
#define DASHCAM_EXPORT_CHROME_H

#include <stdio.h>

#include "base/memory.h"
#include "export/chrome_stacks.h"
#include "export/export.h"
#include "export/selection.h"

struct chrome {
	struct model *model;
	const struct export_options *options;
	struct selection selection;
	struct chrome_stacks stacks;
	FILE *out;
	bool has_items; /* in the list being written: the next one needs a comma before it */
	int err;
	struct buffer line;
	bool has_calls; /* the threads' rows are for calls: runs and waits have rows of their own */
};

/* Begins an object of the list being written; the caller appends to what it gets. */
struct buffer *chrome_item_begin(struct chrome *chrome);
/* Writes the line out. Errors are kept in chrome->err. */
void chrome_write_line(struct chrome *chrome);
/* Members of an object, with a comma before them. */
void chrome_add_us(struct chrome *chrome, const char *key, uint64_t ns);
void chrome_add_text(struct chrome *chrome, const char *key, const char *text);
void chrome_add_thread(struct chrome *chrome, const struct thread *thread);

/* Spans and calls. Returns 0 or a negative errno with a sentence. chrome_call.c */
int chrome_write_calls(struct chrome *chrome);

#endif
