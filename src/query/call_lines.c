/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/call_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/call_values.h"

/* Deeper lines are not indented further. */
#define INDENT_LEVELS 64

struct call_lines {
	struct model *model;
	struct call_edges *edges;
	struct call_values *values;
	struct buffer text;
};

/* Some names come with their parameters. */
static bool has_parameters(const char *name)
{
	static const char operator_call[] = "operator()";
	const char *at = strchr(name, '(');

	if (at && !strncmp(at, "(anonymous namespace)", strlen("(anonymous namespace)")))
		at = strchr(at + 1, '(');
	if (at && at - name >= (ptrdiff_t)strlen("operator") &&
	    !strncmp(at - strlen("operator"), operator_call, strlen(operator_call)))
		at = strchr(at + 1, '(');
	return at;
}

static void add_value(struct call_lines *lines, const struct call *call, bool is_result,
		      const char *before)
{
	bool is_cut = false;
	const char *value = call_values_take(lines->values, call, is_result, &is_cut);

	if (value)
		buffer_printf(&lines->text, "%s%s%s", before, value, is_cut ? "..." : "");
}

static void add_head(struct call_lines *lines, const struct call *call)
{
	const char *name = call_name_at(lines->model, call->name)->name;

	buffer_printf(&lines->text, "%s", name);
	if (!has_parameters(name)) {
		buffer_printf(&lines->text, "(");
		add_value(lines, call, false, "");
		buffer_printf(&lines->text, ")");
	}
}

/* Words for what is not as usual with the call's end, and inside; "" where nothing is. */
static const char *inside_word(const struct call *call)
{
	return call->flags & EVENT_SPAN_SUMMED ? "some inside only counted" : "";
}

static void add_words(struct call_lines *lines, const struct call *call, const char *name)
{
	const char *end = call_end_word(call), *inside = inside_word(call);
	const char *inherited = call->flags & EVENT_SPAN_INHERITED ? "inherited" : "";
	const char *words[] = {name, end, inherited, inside};
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!*words[i])
			continue;
		buffer_printf(&lines->text, "%s%s", is_first ? " /* " : ", ", words[i]);
		is_first = false;
	}
	if (!is_first)
		buffer_printf(&lines->text, " */");
}

static void make_text(struct call_lines *lines, const struct call_edge *edge)
{
	const struct call *call = &edge->call;
	uint32_t level = call->level < INDENT_LEVELS ? call->level : INDENT_LEVELS;

	buffer_clear(&lines->text);
	buffer_printf(&lines->text, "%*s", (int)level * 2, "");
	if (edge->kind == CALL_EDGE_END) {
		buffer_printf(&lines->text, "}");
		add_value(lines, call, true, " = ");
		add_words(lines, call, call_name_at(lines->model, call->name)->name);
		return;
	}
	add_head(lines, call);
	if (edge->kind == CALL_EDGE_BEGIN) {
		buffer_printf(&lines->text, " {%s",
			      call->flags & EVENT_SPAN_INHERITED ? " /* inherited */" : "");
	} else {
		add_value(lines, call, true, " = ");
		buffer_printf(&lines->text, ";");
		add_words(lines, call, "");
	}
}

int call_lines_next(struct call_lines *lines, const struct call_edge **ret_edge,
		    const char **ret_text)
{
	int more = call_edges_next(lines->edges, ret_edge);

	if (more > 0) {
		int err = call_values_read(lines->values, (*ret_edge)->time_ns);

		make_text(lines, *ret_edge);
		*ret_text = lines->text.data;
		more = err ? err : more;
	}
	return more;
}

int call_lines_new(struct call_lines **ret, struct model *model, const struct filter *filter)
{
	struct call_lines *lines = xcalloc(1, sizeof(*lines));
	int err;

	lines->model = model;
	err = call_values_new(&lines->values, model, filter);
	if (!err)
		err = call_edges_new(&lines->edges, model, filter);
	if (err) {
		call_lines_free(lines);
		return err;
	}
	*ret = lines;
	return 0;
}

void call_lines_free(struct call_lines *lines)
{
	if (!lines)
		return;
	call_edges_free(lines->edges);
	call_values_free(lines->values);
	buffer_release(&lines->text);
	free(lines);
}
