/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans and calls in Chrome's format. Where functions were traced there may be very many: complete
 * events on the thread's row, in the order of their ends, which readers put right. Else begins and
 * ends of asynchronous events, whose id is the thread: spans would have to be inside its runs and
 * waits, and are around them.
 */
#include <string.h>

#include "export/chrome.h"
#include "export/describe.h"
#include "export/json_text.h"
#include "model/call_edges.h"
#include "model/call_values.h"

/* Parts of lines that are the same for all calls of a name. */
struct name_text {
	char *name; /* as a JSON string */
	char *args; /* members of "args", each behind a comma; "" if there are none */
};

struct call_writer {
	struct chrome *chrome;
	struct call_values *values;
	struct name_text *names; /* by index */
};

static char *text_of(struct buffer *buffer)
{
	return buffer->data ? buffer->data : xstrdup("");
}

static void make_names(struct call_writer *writer)
{
	struct model *model = writer->chrome->model;

	writer->names = xcalloc(call_name_count(model), sizeof(*writer->names));
	for (size_t i = 0; i < call_name_count(model); i++) {
		const struct call_name *name = call_name_at(model, i);
		struct buffer text = {0}, args = {0};

		json_text_add(&text, name->name);
		if (!(name->flags & EVENT_NAME_TRACED)) {
			buffer_printf(&args, ",\"function\":");
			json_text_add(&args, name->where);
		}
		if (*describe_call_place(name))
			buffer_printf(&args, ",\"place\":\"%s\"", describe_call_place(name));
		writer->names[i] =
			(struct name_text){.name = text_of(&text), .args = text_of(&args)};
	}
}

static void release_names(struct call_writer *writer)
{
	for (size_t i = 0; i < call_name_count(writer->chrome->model); i++) {
		free(writer->names[i].name);
		free(writer->names[i].args);
	}
	free(writer->names);
}

static void add_value(struct call_writer *writer, const struct call *call, bool is_result)
{
	const char *value = call_values_take(writer->values, call, is_result, NULL);

	if (value)
		chrome_add_text(writer->chrome, is_result ? "result" : "args", value);
}

static void add_args(struct call_writer *writer, const struct call *call, bool with_result)
{
	struct chrome *chrome = writer->chrome;
	const char *end = describe_call_end(call, call_name_at(chrome->model, call->name));
	const char *args = writer->names[call->name].args;

	buffer_printf(&chrome->line, ",\"args\":{\"depth\":%u", call->depth);
	buffer_add(&chrome->line, args, strlen(args));
	if (*end)
		chrome_add_text(chrome, "end", end);
	add_value(writer, call, false);
	if (with_result)
		add_value(writer, call, true);
	buffer_add(&chrome->line, "}", 1);
}

/* ---- complete events ---- */

static void write_call(struct call_writer *writer, const struct call *call)
{
	struct chrome *chrome = writer->chrome;
	const char *name = writer->names[call->name].name;

	buffer_printf(chrome_item_begin(chrome), "{\"ph\":\"X\",\"cat\":\"call\",\"name\":");
	buffer_add(&chrome->line, name, strlen(name));
	chrome_add_thread(chrome, call->thread);
	chrome_add_us(chrome, "ts", call->start_ns);
	chrome_add_us(chrome, "dur", call->end_ns - call->start_ns);
	add_args(writer, call, true);
	buffer_add(&chrome->line, "}", 1);
	chrome_write_line(chrome);
}

static int write_complete(struct call_writer *writer)
{
	struct chrome *chrome = writer->chrome;
	struct call_reader *reader;
	const struct call *call;
	int more = call_reader_new(&reader, chrome->model, &chrome->options->filter, false);

	if (more)
		return more;
	while (!chrome->err && (more = call_reader_next(reader, &call)) > 0) {
		more = call_values_read(writer->values, call->end_ns);
		if (more)
			break;
		if (call->thread)
			write_call(writer, call);
	}
	call_reader_free(reader);
	return more < 0 ? more : 0;
}

/* ---- begins and ends ---- */

static void write_edge(struct call_writer *writer, const struct call *call, bool is_begin)
{
	struct chrome *chrome = writer->chrome;
	const char *name = writer->names[call->name].name;

	buffer_printf(chrome_item_begin(chrome),
		      "{\"ph\":\"%s\",\"cat\":\"span\",\"id\":%u,\"name\":", is_begin ? "b" : "e",
		      call->thread->index);
	buffer_add(&chrome->line, name, strlen(name));
	chrome_add_thread(chrome, call->thread);
	chrome_add_us(chrome, "ts", is_begin ? call->start_ns : call->end_ns);
	if (is_begin)
		add_args(writer, call, false);
	buffer_add(&chrome->line, "}", 1);
	chrome_write_line(chrome);
}

static int write_edges(struct call_writer *writer)
{
	struct chrome *chrome = writer->chrome;
	const struct call_edge *edge;
	struct call_edges *edges;
	int more = call_edges_new(&edges, chrome->model, &chrome->options->filter);

	if (more)
		return more;
	while (!chrome->err && (more = call_edges_next(edges, &edge)) > 0) {
		more = call_values_read(writer->values, edge->time_ns);
		if (more)
			break;
		if (edge->call.thread && edge->kind != CALL_EDGE_END)
			write_edge(writer, &edge->call, true);
		if (edge->call.thread && edge->kind != CALL_EDGE_BEGIN)
			write_edge(writer, &edge->call, false);
	}
	call_edges_free(edges);
	return more < 0 ? more : 0;
}

int chrome_write_calls(struct chrome *chrome)
{
	struct call_writer writer = {.chrome = chrome};
	int err = call_values_new(&writer.values, chrome->model, &chrome->options->filter);

	if (err)
		return err;
	make_names(&writer);
	err = chrome->has_calls ? write_complete(&writer) : write_edges(&writer);
	release_names(&writer);
	call_values_free(writer.values);
	return err;
}
