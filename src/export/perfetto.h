/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the Perfetto exporter. A trace is a row of packets; each belongs to a sequence, and what a
 * sequence has interned (a string, a frame, a call stack: an iid) is known in that sequence only.
 *
 *	perfetto.c          the export: which parts, in which order
 *	perfetto_packet.c   packets and what they intern
 *	perfetto_stack.c    frames and call stacks
 *	perfetto_system.c   the machine, its clocks, what was lost
 *	perfetto_roster.c   who is alive where the trace begins
 *	perfetto_process.c  processes and threads alive at the start; programs begun later
 *	perfetto_sched.c    every switch and wake-up, as ftrace bundles
 *	perfetto_cpu.c      what a reader believes who runs
 *	perfetto_bundle.c   one CPU's bundle of them
 *	perfetto_track.c    tracks of threads, and what is drawn on them
 *	perfetto_span.c     spans, as slices
 *	perfetto_wait.c     waits with evidence, as slices
 *	perfetto_sample.c   stack samples, on and off CPU
 *
 * Field numbers are those of perfetto's protos; where one is used its message and name stand beside
 *it.
 */
#ifndef DASHCAM_EXPORT_PERFETTO_H
#define DASHCAM_EXPORT_PERFETTO_H

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "export/export.h"
#include "export/proto.h"
#include "export/selection.h"

/* The thread shown where it is not known, or not wanted, who ran. No Linux tid is as high. */
#define PERFETTO_NOT_RECORDED_TID  0x7fffffff
#define PERFETTO_NOT_RECORDED_NAME "(not recorded)"

/* uuids of tracks: what concerns the recording itself; those of threads begin above */
#define PERFETTO_RECORDER_TRACK     1
#define PERFETTO_FIRST_THREAD_TRACK 16

/* An event's fixed-size name, which need not end in a NUL, as text. */
struct perfetto_name {
	char text[EVENT_COMM_SIZE + 1];
};

static inline struct perfetto_name perfetto_name(const char comm[EVENT_COMM_SIZE])
{
	struct perfetto_name name = {0};

	memcpy(name.text, comm, EVENT_COMM_SIZE);
	return name;
}

/* Tables of InternedData: the numbers are its fields. Entries are {iid=1, name or str=2} but for
 * the last three. */
enum perfetto_table {
	TABLE_EVENT_NAMES = 2,
	TABLE_ARG_NAMES = 3,
	TABLE_FUNCTION_NAMES = 5,
	TABLE_BUILD_IDS = 16,
	TABLE_MAPPING_PATHS = 17,
	TABLE_SOURCE_PATHS = 18,
	TABLE_KERNEL_SYMBOLS = 26,
	TABLE_FRAMES = 6,
	TABLE_CALLSTACKS = 7,
	TABLE_MAPPINGS = 19,
	PERFETTO_TABLE_LIMIT = 27,
};

struct perfetto_sequence {
	uint32_t id;
	bool has_begun;
	struct buffer defaults; /* TracePacketDefaults, sent with the first packet */
	struct buffer interned; /* InternedData entries that no packet has carried yet */
	struct map64 iids[PERFETTO_TABLE_LIMIT];
};

struct perfetto {
	struct model *model;
	const struct export_options *options;
	struct selection selection;
	FILE *out;
	int err;              /* the first failed write; nothing is written after it */
	struct buffer packet; /* the one being filled */

	struct arena arena;
	struct map64 modules;         /* module id to its struct event_module, in the arena */
	struct event_thread **roster; /* who is alive where the trace begins; NULL: ended before */
	size_t roster_count;
	size_t roster_capacity;
	struct map64 roster_at; /* by tid */
	uint64_t begin_ns;      /* where the trace begins */
	bool *has_track;        /* by the thread's index: its track was announced */

	struct perfetto_sequence system; /* scheduling, processes, clocks */
	struct perfetto_sequence tracks; /* slices */
	struct perfetto_sequence on_cpu; /* samples */
	struct perfetto_sequence off_cpu;
};

/* ---- perfetto_packet.c ---- */

/* IDs are non-zero. Times are CLOCK_BOOTTIME, as in a recording. */
void perfetto_sequence_init(struct perfetto_sequence *sequence, uint32_t id);
void perfetto_sequence_release(struct perfetto_sequence *sequence);

/* Begins a packet of SEQUENCE; the caller adds its one payload field to the buffer it gets. */
struct buffer *perfetto_packet_begin(struct perfetto *perfetto, struct perfetto_sequence *sequence,
				     uint64_t time_ns);
/* Ends it and writes it out, with what was interned meanwhile. Errors are kept in perfetto->err. */
void perfetto_packet_end(struct perfetto *perfetto, struct perfetto_sequence *sequence);

/* The iid of KEY in a table; *ret_is_new: it was made just now and wants its entry. */
uint64_t perfetto_iid(struct perfetto_sequence *sequence, enum perfetto_table table, uint64_t key,
		      bool *ret_is_new);
/* The iid of a text or of bytes in a table of such; 0 for none ("" or size 0). */
uint64_t perfetto_intern_text(struct perfetto_sequence *sequence, enum perfetto_table table,
			      const char *text);
uint64_t perfetto_intern_bytes(struct perfetto_sequence *sequence, enum perfetto_table table,
			       const void *bytes, size_t size);

/* ---- perfetto_stack.c ---- */

/*
 * The iid of the call stack made of a user and a kernel stack (ids of stack events, 0: none); 0 if
 * neither is known. SKIP_SCHEDULER leaves out the kernel frames that every wait begins with; it
 * must be the same for all stacks of a sequence.
 */
uint64_t perfetto_intern_callstack(struct perfetto *perfetto, struct perfetto_sequence *sequence,
				   uint64_t user_stack, uint64_t kernel_stack, bool skip_scheduler);

/* ---- perfetto_track.c ---- */

enum perfetto_event_type {
	PERFETTO_SLICE_BEGIN = 1,
	PERFETTO_SLICE_END = 2,
	PERFETTO_INSTANT = 3,
};

/* Values of an argument: fields of DebugAnnotation. */
enum perfetto_arg_type {
	PERFETTO_ARG_UINT = 3,
	PERFETTO_ARG_POINTER = 7,
};

/* The uuid of a thread's track; the next one is free for another track of the thread. */
uint64_t perfetto_thread_track(const struct thread *thread);
/* Describes it, once. The thread is looked up by its tid at TIME_NS: one at which it lives. */
void perfetto_announce_thread(struct perfetto *perfetto, const struct thread *thread,
			      uint64_t time_ns);
/* Opens a TrackEvent; its name's iid (0: none) must be there already. */
size_t perfetto_event_begin(struct buffer *packet, enum perfetto_event_type type, uint64_t track,
			    uint64_t name_iid);
/* Opens an argument of the event (DebugAnnotation); the caller adds its value. */
size_t perfetto_arg_begin(struct perfetto_sequence *sequence, struct buffer *packet,
			  const char *name);
/* A whole one; none for "" or NULL. */
void perfetto_arg_text(struct perfetto_sequence *sequence, struct buffer *packet, const char *name,
		       const char *text);

/* ---- perfetto_roster.c ---- */

/* Fills modules and roster from the recording. Returns 0, or a negative errno with a sentence. */
int perfetto_read_roster(struct perfetto *perfetto);

/* ---- the parts of a trace ---- */

void perfetto_write_machine(struct perfetto *perfetto);   /* uuid, system, clocks, attributes */
void perfetto_write_processes(struct perfetto *perfetto); /* those alive at the start */
/* A process begins another program. */
void perfetto_write_exec(struct perfetto *perfetto, const struct event_exec *exec);
void perfetto_write_losses(struct perfetto *perfetto); /* instants on a track of their own */
int perfetto_write_sched(struct perfetto *perfetto);
int perfetto_write_spans(struct perfetto *perfetto);
void perfetto_write_waits(struct perfetto *perfetto);
void perfetto_write_on_cpu_samples(struct perfetto *perfetto);
void perfetto_write_off_cpu_samples(struct perfetto *perfetto);

#endif
