/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracks of threads, and what is drawn on them: slices, instants and their arguments.
 */
#include "export/perfetto.h"

#include "export/describe.h"

/* Two tracks of each thread: its own, which readers join with its scheduling, and its waits'. */
uint64_t perfetto_thread_track(const struct thread *thread)
{
	return PERFETTO_FIRST_THREAD_TRACK + 2 * (uint64_t)thread->index;
}

void perfetto_announce_thread(struct perfetto *perfetto, const struct thread *thread,
			      uint64_t time_ns)
{
	struct buffer *packet;
	size_t track, ids;

	if (perfetto->has_track[thread->index])
		return;
	perfetto->has_track[thread->index] = true;
	packet = perfetto_packet_begin(perfetto, &perfetto->tracks, time_ns);
	track = proto_open(packet, 60);                       /* track_descriptor */
	proto_uint(packet, 1, perfetto_thread_track(thread)); /* uuid */
	ids = proto_open(packet, 4);                          /* thread */
	proto_uint(packet, 1, describe_pid(thread));
	proto_uint(packet, 2, thread->tid);
	proto_text(packet, 5, thread->comm); /* thread_name */
	proto_close(packet, ids);
	proto_close(packet, track);
	perfetto_packet_end(perfetto, &perfetto->tracks);
}

size_t perfetto_event_begin(struct buffer *packet, enum perfetto_event_type type, uint64_t track,
			    uint64_t name_iid)
{
	size_t event = proto_open(packet, 11); /* track_event */

	proto_uint(packet, 9, type);
	proto_uint(packet, 11, track); /* track_uuid */
	if (name_iid)
		proto_uint(packet, 10, name_iid);
	return event;
}

size_t perfetto_arg_begin(struct perfetto_sequence *sequence, struct buffer *packet,
			  const char *name)
{
	uint64_t iid = perfetto_intern_text(sequence, TABLE_ARG_NAMES, name);
	size_t arg = proto_open(packet, 4); /* debug_annotations */

	proto_uint(packet, 1, iid); /* name_iid */
	return arg;
}

void perfetto_arg_text(struct perfetto_sequence *sequence, struct buffer *packet, const char *name,
		       const char *text)
{
	size_t arg;

	if (!text || !text[0])
		return;
	arg = perfetto_arg_begin(sequence, packet, name);
	proto_text(packet, 6, text); /* string_value */
	proto_close(packet, arg);
}
