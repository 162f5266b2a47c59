/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The spans that threads have open, and the event that ends one.
 *
 * A thread's entry is touched by that thread alone: by the probes on its functions, and when it
 * exits or begins another program. What is open when the capture stops, the user side reads out.
 */
#ifndef DASHCAM_BPF_SPAN_BPF_H
#define DASHCAM_BPF_SPAN_BPF_H

#include "bpf/log.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SPAN_THREADS_MAX);
	__type(key, __u32);
	__type(value, struct open_spans);
} open_spans SEC(".maps");

/* A bounded index, so that the verifier can see that it is. */
static __always_inline struct open_span *span_at(struct open_spans *open, __u32 i)
{
	return &open->spans[i & (EVENT_SPAN_DEPTH_MAX - 1)];
}

/* Takes the innermost span off and writes its event. */
static __always_inline void close_span(struct open_spans *open, __u32 tid, struct log_head *log,
				       __u64 now_ns, __u16 flags)
{
	struct open_span *span = span_at(open, --open->count);
	struct event_span event = {
		.header = {.kind = EVENT_SPAN, .size = sizeof(event), .time_ns = now_ns},
		.start_ns = span->start_ns,
		.tid = tid,
		.pid = open->pid,
		.name = span->name,
		.depth = open->count,
		.flags = flags,
	};

	evidence_put(log, &event.header, sizeof(event));
}

/* The thread does not come back to its functions: what is open ends here. */
static __always_inline void end_spans(__u32 tid, struct log_head *log)
{
	struct open_spans *open =
		settings.span_count ? bpf_map_lookup_elem(&open_spans, &tid) : NULL;
	__u64 now_ns;

	if (!open)
		return;
	now_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < EVENT_SPAN_DEPTH_MAX && open->count; i++)
		close_span(open, tid, log, now_ns, EVENT_SPAN_OPEN);
	bpf_map_delete_elem(&open_spans, &tid);
}

#endif
