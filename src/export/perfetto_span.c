/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans and calls, as slices on the thread's own track, written in the order in which they begin
 * and end: readers sort by time, and of equal times what is around another must come before it. One
 * without others inside is written at its end, as a whole.
 */
#include "export/perfetto.h"

#include "export/describe.h"
#include "model/call_edges.h"
#include "model/call_values.h"

static void add_value(struct perfetto *perfetto, struct call_values *values, struct buffer *packet,
		      const struct call *call, bool is_result)
{
	perfetto_arg_text(&perfetto->tracks, packet, is_result ? "result" : "args",
			  call_values_take(values, call, is_result, NULL));
}

static void write_begin(struct perfetto *perfetto, struct call_values *values,
			const struct call *call)
{
	const struct call_name *name = call_name_at(perfetto->model, call->name);
	struct perfetto_sequence *tracks = &perfetto->tracks;
	uint64_t iid = perfetto_intern_text(tracks, TABLE_EVENT_NAMES, name->name);
	struct buffer *packet = perfetto_packet_begin(perfetto, tracks, call->start_ns);
	size_t event = perfetto_event_begin(packet, PERFETTO_SLICE_BEGIN,
					    perfetto_thread_track(call->thread), iid);

	/* of a traced function the name says it */
	if (!(name->flags & EVENT_NAME_TRACED))
		perfetto_arg_text(tracks, packet, "function", name->where);
	perfetto_arg_text(tracks, packet, "place", describe_call_place(name));
	perfetto_arg_text(tracks, packet, "end", describe_call_end(call, name));
	add_value(perfetto, values, packet, call, false);
	proto_close(packet, event);
	perfetto_packet_end(perfetto, tracks);
}

static void write_end(struct perfetto *perfetto, struct call_values *values,
		      const struct call *call)
{
	struct buffer *packet = perfetto_packet_begin(perfetto, &perfetto->tracks, call->end_ns);
	size_t event = perfetto_event_begin(packet, PERFETTO_SLICE_END,
					    perfetto_thread_track(call->thread), 0);

	add_value(perfetto, values, packet, call, true);
	proto_close(packet, event);
	perfetto_packet_end(perfetto, &perfetto->tracks);
}

static int write_edges(struct perfetto *perfetto, struct call_edges *edges,
		       struct call_values *values)
{
	const struct call_edge *edge;
	int more;

	while (!perfetto->err && (more = call_edges_next(edges, &edge)) != 0) {
		if (more > 0)
			more = call_values_read(values, edge->time_ns);
		if (more < 0)
			return more;
		if (!edge->call.thread)
			continue;
		perfetto_announce_thread(perfetto, edge->call.thread, edge->call.start_ns);
		if (edge->kind != CALL_EDGE_END)
			write_begin(perfetto, values, &edge->call);
		if (edge->kind != CALL_EDGE_BEGIN)
			write_end(perfetto, values, &edge->call);
	}
	return 0;
}

int perfetto_write_spans(struct perfetto *perfetto)
{
	const struct filter *filter = &perfetto->options->filter;
	struct call_values *values = NULL;
	struct call_edges *edges = NULL;
	int err = call_values_new(&values, perfetto->model, filter);

	if (!err)
		err = call_edges_new(&edges, perfetto->model, filter);
	if (!err)
		err = write_edges(perfetto, edges, values);
	call_edges_free(edges);
	call_values_free(values);
	return err;
}
