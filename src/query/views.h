/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The views: named reports, one file each in views/, carried inside the program.
 *
 * A view is SQL with a head of comments. The file's name is the view's name; adding a view is
 * adding a file.
 *
 *	-- title: Threads: where their time went
 *	-- help: What one has to know to read it. Goes on in lines
 *	--   that begin with blanks like this one.
 *	-- limits: waits samples      what else to say below the report: which waits carry no
 *	--   stack, how many samples there were; calls: which functions were traced, and what was only
 *	--   counted; sums: how many calls were not seen to return; lost events are always told
 *	-- min: 1ms                   :min in the SQL is --min, this if it is not given
 *	-- shape: table               table, tree, histogram, list or listing
 *	-- limit: 30                  rows shown if --limit is not given
 *	-- total: on_cpu_ns           columns whose sums over all rows are told below
 *	-- hide: tid wait_id          columns of a list that only JSON and CSV show
 *	SELECT ...
 *	-- section: Caption           another part: its shape, limit, ... and SQL follow
 *
 * Columns are shown by their names (query_column_kind). A tree's columns are stack (folded),
 * total_ns and a count; a histogram's bucket_from_ns, bucket_to_ns, count; a list's begin with
 * headline; a listing's with duration_ns, tid and a line, which keeps its blanks.
 */
#ifndef DASHCAM_QUERY_VIEWS_H
#define DASHCAM_QUERY_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum view_shape {
	VIEW_TABLE,
	VIEW_TREE,
	VIEW_HISTOGRAM,
	VIEW_LIST,
	VIEW_LISTING,
};

struct view_section {
	const char *caption; /* NULL: none */
	enum view_shape shape;
	uint64_t limit;    /* 0: all rows */
	const char *total; /* names with blanks between; NULL: none */
	const char *hide;  /* the same: columns of a list that are not for people */
	const char *sql;
};

struct view {
	const char *name;
	const char *title;
	const char *help;
	bool tells_waits; /* which waits carry no stack */
	bool tells_samples;
	bool tells_calls;
	bool tells_sums; /* how many calls were not seen to return */
	bool takes_min;
	uint64_t min_ns;
	struct view_section *sections;
	size_t section_count;
};

struct views;

/* Reads the views that are built in. Fails only if one of them is not well written. */
int views_load(struct views **ret);
/* The same from a text: each view's file behind a line "-- view: NAME". For tests. */
int views_parse(struct views **ret, const char *text);
void views_free(struct views *views); /* NULL is fine */

size_t views_count(const struct views *views);
const struct view *views_at(const struct views *views, size_t i); /* by name */
/* The view, or NULL with a sentence that names those with a similar name. */
const struct view *views_find(const struct views *views, const char *name);

#endif
