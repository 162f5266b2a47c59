/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans, as slices on the thread's own track. A span's end is written right behind its begin:
 * readers sort by time, and what is around it stands before it.
 */
#include "export/perfetto.h"

#include "export/describe.h"

static void write_begin(struct perfetto *perfetto, const struct span *span)
{
	uint64_t name = perfetto_intern_text(&perfetto->tracks, TABLE_EVENT_NAMES, span->name);
	struct buffer *packet = perfetto_packet_begin(perfetto, &perfetto->tracks, span->start_ns);
	size_t event = perfetto_event_begin(packet, PERFETTO_SLICE_BEGIN,
					    perfetto_thread_track(span->thread), name);

	perfetto_arg_text(&perfetto->tracks, packet, "function", span->function);
	perfetto_arg_text(&perfetto->tracks, packet, "end", describe_span_end(span));
	proto_close(packet, event);
	perfetto_packet_end(perfetto, &perfetto->tracks);
}

static void write_end(struct perfetto *perfetto, const struct span *span)
{
	struct buffer *packet = perfetto_packet_begin(perfetto, &perfetto->tracks, span->end_ns);
	size_t event = perfetto_event_begin(packet, PERFETTO_SLICE_END,
					    perfetto_thread_track(span->thread), 0);

	proto_close(packet, event);
	perfetto_packet_end(perfetto, &perfetto->tracks);
}

void perfetto_write_spans(struct perfetto *perfetto)
{
	for (size_t i = 0; i < model_span_count(perfetto->model) && !perfetto->err; i++) {
		const struct span *span = model_span(perfetto->model, i);

		if (!selection_takes_span(&perfetto->selection, span))
			continue;
		perfetto_announce_thread(perfetto, span->thread, span->start_ns);
		write_begin(perfetto, span);
		write_end(perfetto, span);
	}
}
