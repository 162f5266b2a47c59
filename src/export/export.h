/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exports: a recording in somebody else's format. One file per format, each ending in its struct export;
 * export.c lists them. All stream: memory does not grow with the recording beyond the model's tables.
 */
#ifndef DASHCAM_EXPORT_EXPORT_H
#define DASHCAM_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/filter.h"
#include "model/model.h"

/* What folded stacks and flame graphs weigh: stacks of waits and samples, or calls of traced functions
 * by their time or their number. */
enum export_weight { EXPORT_STACKS = 0, EXPORT_CALLS_TIME = 1, EXPORT_CALLS = 2 };

enum export_side { EXPORT_OFF_CPU = 0, EXPORT_ON_CPU = 1, EXPORT_BOTH = 2 };

/* What the export command's options say; a format ignores what does not concern it. */
struct export_options {
	struct filter filter;
	enum export_side side;  /* folded, flamegraph */
	enum export_weight weight; /* folded, flamegraph */
	bool by_thread;         /* folded, flamegraph: the thread's name is the outermost frame */
	bool with_lines;        /* source file:line behind each function, where known */
	const char *title;      /* flamegraph; NULL: made from the recording */
	const char *event_kind; /* csv, json: only this kind of event; NULL: all */
	bool old_samples;       /* perfetto: PerfSample instead of StackSample */
};

struct export {
	const char *name;    /* "perfetto" */
	const char *summary; /* one line */
	const char *suffix;  /* of the default output file: ".pftrace" */
	bool is_binary;      /* never to a terminal */
	bool shows_targets;  /* if not told otherwise, only threads the recording was made for */
	int (*run)(struct model *model, const struct export_options *options, FILE *out);
};

extern const struct export export_perfetto, export_chrome, export_folded, export_flamegraph,
	export_json, export_csv;

/* NULL-terminated list of all formats. */
extern const struct export *const exports[];

#endif
