/* SPDX-License-Identifier: BSD-2-Clause */
/* call_line: calls as the lines of a listing. call_node: calls merged by their ways. */
#include <errno.h>

#include "model/call_tree.h"
#include "query/call_lines.h"
#include "query/internal.h"

static uint64_t call_estimate(struct query *query, const struct vtab *table)
{
	const struct recording_info *info = recording_info(model_recording(query->model));

	(void)table;
	return 2 * (info->event_count[EVENT_CALL] + info->event_count[EVENT_SPAN]);
}

/* ---- call_line ---- */

/* Look whether the user wants to stop after this many lines. */
#define LINES_BETWEEN_CHECKS 4096

struct line_cursor {
	struct vtab_cursor base;
	struct call_lines *lines;
	const char *text;
	uint64_t count;
};

static void line_stop(struct vtab_cursor *base)
{
	struct line_cursor *cursor = (struct line_cursor *)base;

	call_lines_free(cursor->lines);
	cursor->lines = NULL;
}

static int line_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct line_cursor *cursor = (struct line_cursor *)base;

	(void)scan;
	line_stop(base);
	return call_lines_new(&cursor->lines, base->query->model, &base->query->filter);
}

static int line_next(struct vtab_cursor *base)
{
	struct line_cursor *cursor = (struct line_cursor *)base;
	const struct call_edge *edge;
	int more = call_lines_next(cursor->lines, &edge, &cursor->text);

	base->row = edge;
	if (++cursor->count % LINES_BETWEEN_CHECKS == 0 && query_wants_stop(base->query))
		return -ECANCELED;
	return more;
}

static const struct call_edge *edge_of(const struct vtab_cursor *cursor)
{
	return cursor->row;
}

static void get_line_kind(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	static const char *const words[] = {
		[CALL_EDGE_BEGIN] = "begin", [CALL_EDGE_END] = "end", [CALL_EDGE_LEAF] = "call"};

	vtab_result_text(out, words[edge_of(cursor)->kind]);
}

static void get_line_duration(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	const struct call *call = &edge_of(cursor)->call;

	if (edge_of(cursor)->kind != CALL_EDGE_BEGIN)
		sqlite3_result_int64(out, (int64_t)(call->end_ns - call->start_ns));
}

static void get_line_name(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, call_name_at(cursor->query->model, edge_of(cursor)->call.name)->name);
}

static void get_line_end(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_text(out, call_end_word(&edge_of(cursor)->call));
}

static void get_line_text(const struct vtab_cursor *cursor, sqlite3_context *out)
{
	vtab_result_copy(out, ((const struct line_cursor *)cursor)->text);
}

#define LINE(name, member, help) VTAB_MEMBER(VTAB_NUMBER, name, struct call_edge, member, 0, help)
#define LINE_THREAD(type, name, member, help)                                                      \
	VTAB_BEHIND(type, name, struct call_edge, call.thread, struct thread, member, help)

static const struct vtab_column line_columns[] = {
	VTAB_COMPUTED("duration_ns", get_line_duration, 0, "of the call; NULL where it begins"),
	LINE("tid", call.tid, "the thread that called"),
	VTAB_COMPUTED("line", get_line_text, 0, "as the view calls shows it"),
	LINE("time_ns", time_ns, "when the call began (begin), or ended"),
	VTAB_COMPUTED("what", get_line_kind, 0,
		      "begin, end, or call: one without others inside, told at its end"),
	VTAB_COMPUTED("name", get_line_name, 0, "the function"),
	LINE("level", call.level, "how many calls that are shown are around it"),
	LINE("depth", call.depth, "how many were around it"),
	VTAB_COMPUTED("end_word", get_line_end, 0,
		      "why its end is not its return: unfinished, inferred, exec; or empty"),
	LINE_THREAD(VTAB_TEXT, "comm", comm, "the thread's name"),
	VTAB_PROCESS(VTAB_KNOWN, "pid", struct call_edge, call.thread, pid, "its process"),
};

const struct vtab vtab_call_line = {
	.name = "call_line",
	.says = "calls as the lines of a listing, in the order of time",
	.columns = line_columns,
	.column_count = ARRAY_SIZE(line_columns),
	.cursor_bytes = sizeof(struct line_cursor),
	.estimate = call_estimate,
	.start = line_start,
	.next = line_next,
	.stop = line_stop,
};

/* ---- call_node ---- */

enum {
	NODE_ID = 0,
	NODE_EVERY = 9,
};

struct node_cursor {
	struct vtab_cursor base;
	const struct call_tree *tree;
	uint32_t at;
	bool is_single;
};

/* EVERY: whatever --function says. */
static int tree_of(struct query *query, bool every, const struct call_tree **ret)
{
	struct filter filter = query->filter;
	int err = 0;

	*ret = query->call_trees[every];
	if (*ret)
		return 0;
	if (every)
		filter.function_count = filter.no_function_count = 0;
	query->call_trees[every] = xcalloc(1, sizeof(**ret));
	err = call_tree_make(query->call_trees[every], query->model, &filter, CALL_TREE_ALL);
	*ret = query->call_trees[every];
	if (err) {
		call_tree_release(query->call_trees[every]);
		free(query->call_trees[every]);
		query->call_trees[every] = NULL;
	}
	return err;
}

static int node_start(struct vtab_cursor *base, const struct vtab_scan *scan)
{
	struct node_cursor *cursor = (struct node_cursor *)base;
	int64_t every = 0, id;
	int err;

	vtab_scan_equal(scan, NODE_EVERY, &every);
	err = tree_of(base->query, every != 0, &cursor->tree);
	cursor->at = 0;
	cursor->is_single = vtab_scan_equal(scan, NODE_ID, &id);
	if (cursor->is_single)
		cursor->at = id > 0 && !err && (uint64_t)id < cursor->tree->count ? (uint32_t)id
										  : CALL_TREE_NONE;
	return err;
}

static int node_next(struct vtab_cursor *base)
{
	struct node_cursor *cursor = (struct node_cursor *)base;

	if (cursor->at == CALL_TREE_NONE)
		return 0;
	if (!cursor->is_single)
		cursor->at = call_tree_next(cursor->tree, cursor->at);
	if (cursor->at == CALL_TREE_NONE)
		return 0;
	base->row = &cursor->tree->nodes[cursor->at];
	if (cursor->is_single)
		cursor->at = CALL_TREE_NONE;
	return 1;
}

static void get_node_id(const struct vtab_cursor *base, sqlite3_context *out)
{
	const struct node_cursor *cursor = (const struct node_cursor *)base;

	sqlite3_result_int64(out, (const struct call_tree_node *)base->row - cursor->tree->nodes);
}

static void get_node_parent(const struct vtab_cursor *base, sqlite3_context *out)
{
	vtab_result_id(out, ((const struct call_tree_node *)base->row)->parent);
}

#define NODE(type, name, member, help)                                                             \
	VTAB_MEMBER(type, name, struct call_tree_node, member, 0, help)

static const struct vtab_column node_columns[] = {
	[NODE_ID] =
		VTAB_COMPUTED("id", get_node_id, VTAB_EQUAL | VTAB_UNIQUE, "number of the node"),
	VTAB_COMPUTED("parent_id", get_node_parent, 0,
		      "the node above; NULL for an outermost call"),
	NODE(VTAB_NUMBER, "level", level, "how many are above"),
	NODE(VTAB_TEXT, "name", text, "the function"),
	VTAB_BEHIND(VTAB_TEXT, "place", struct call_tree_node, name, struct call_name, where,
		    "binary:function"),
	NODE(VTAB_NUMBER, "calls", calls, "that came this way"),
	NODE(VTAB_NUMBER, "total_ns", total_ns, "what they took"),
	NODE(VTAB_NUMBER, "self_ns", self_ns, "without the nodes below"),
	NODE(VTAB_NUMBER, "is_inside_itself", is_inside_itself,
	     "1: a call of the same function is above"),
	[NODE_EVERY] = {.name = "every",
			.help = "1: whatever --function says",
			.type = VTAB_PARAMETER},
};

const struct vtab vtab_call_node = {
	.name = "call_node",
	.says = "calls merged by the ways that led to them, parents first, the largest first",
	.columns = node_columns,
	.column_count = ARRAY_SIZE(node_columns),
	.cursor_bytes = sizeof(struct node_cursor),
	.estimate = call_estimate,
	.start = node_start,
	.next = node_next,
};
