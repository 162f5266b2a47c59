/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU's bundle of scheduling events (FtraceEventBundle). Most are rows of the compact form,
 * which says neither who left the CPU nor who woke: a reader takes both from the switch before on
 * that CPU. Where that is not so, the event is written out in full. A bundle may hold both; a
 * reader sorts.
 */
#ifndef DASHCAM_EXPORT_PERFETTO_BUNDLE_H
#define DASHCAM_EXPORT_PERFETTO_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/memory.h"

#define BUNDLE_ROWS_MAX        1024
#define BUNDLE_EVENT_BYTES_MAX (256 * 1024) /* of events in full */

/* Names by number, each bundle listing those it uses. Names are not removed. Zero-initialised is
 * empty. */
struct bundle_names {
	struct map64 by_hash;
	struct bundle_name {
		char text[17];
		uint32_t bundle; /* serial number of the last bundle that used it */
		uint32_t index;  /* in that bundle's list */
	} * names;
	size_t count;
	size_t capacity;
	uint32_t bundle;               /* serial number of the bundle being encoded */
	struct bundle_column *columns; /* memory that encoding needs, kept for the next time */
};

/* The number of a name of up to 16 characters; longer ones are cut. */
uint32_t bundle_name(struct bundle_names *names, const char *text);
static inline const char *bundle_name_text(const struct bundle_names *names, uint32_t name)
{
	return names->names[name].text;
}
void bundle_names_release(struct bundle_names *names);

/* NAME is a number of bundle_names; STATE is as the sched_switch tracepoint prints it. */
struct bundle_switch {
	uint64_t time_ns;
	uint32_t next_tid;
	uint32_t next_name;
	uint16_t prev_state;
	uint8_t next_prio;
};

struct bundle_waking {
	uint64_t time_ns;
	uint32_t tid;
	uint32_t name;
	uint16_t target_cpu;
	uint8_t prio;
	uint8_t common_flags;
};

struct bundle {
	struct bundle_switch switches[BUNDLE_ROWS_MAX];
	struct bundle_waking wakings[BUNDLE_ROWS_MAX];
	uint32_t switch_count;
	uint32_t waking_count;
	struct buffer events; /* in full: encoded FtraceEventBundle.event fields */
	bool has_lost_events;
};

static inline bool bundle_is_full(const struct bundle *bundle)
{
	return bundle->switch_count == BUNDLE_ROWS_MAX || bundle->waking_count == BUNDLE_ROWS_MAX ||
	       bundle->events.size >= BUNDLE_EVENT_BYTES_MAX;
}

static inline bool bundle_is_empty(const struct bundle *bundle)
{
	return !bundle->switch_count && !bundle->waking_count && !bundle->events.size &&
	       !bundle->has_lost_events;
}

/* Adds the FtraceEventBundle as field FIELD to OUT, and empties the bundle. */
void bundle_encode(struct bundle *bundle, uint16_t cpu, struct bundle_names *names, uint32_t field,
		   struct buffer *out);
void bundle_release(struct bundle *bundle);

/* Events in full, added to bundle->events. EMITTER_TID is the thread that was running. */
struct bundle_task {
	const char *name;
	uint32_t tid;
	uint8_t prio; /* of the kernel: 120 is a normal thread's */
};

void bundle_add_switch(struct bundle *bundle, uint64_t time_ns, const struct bundle_task *prev,
		       uint16_t prev_state, const struct bundle_task *next);
void bundle_add_waking(struct bundle *bundle, uint64_t time_ns, uint32_t emitter_tid,
		       const struct bundle_task *wakee, uint16_t target_cpu, bool is_newborn);
void bundle_add_birth(struct bundle *bundle, uint64_t time_ns, uint32_t emitter_tid, uint32_t tid,
		      const char *name, bool is_thread);
void bundle_add_rename(struct bundle *bundle, uint64_t time_ns, uint32_t tid, const char *old_name,
		       const char *new_name);
void bundle_add_end(struct bundle *bundle, uint64_t time_ns, const struct bundle_task *task);
/* FUNCTION_IID is of InternedData.kernel_symbols. */
void bundle_add_blocked_reason(struct bundle *bundle, uint64_t time_ns, uint32_t tid,
			       uint64_t function_iid);

#endif
