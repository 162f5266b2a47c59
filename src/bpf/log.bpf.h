/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writing to the logs of event/log.h, and the settings and counters every probe shares.
 */
#ifndef DASHCAM_BPF_LOG_BPF_H
#define DASHCAM_BPF_LOG_BPF_H

#include "bpf/compat.bpf.h"
#include "event/log.h"

const volatile struct capture_settings settings SEC(".rodata.settings");

/* The sizes here are placeholders: the user side sets the real ones before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(value_size, LOG_HEAD_BYTES);
} switch_log SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(value_size, LOG_HEAD_BYTES);
} evidence_log SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(value_size, LOG_HEAD_BYTES);
} call_log SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_counters);
} counters SEC(".maps");

static __always_inline struct capture_counters *counters_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline struct log_head *switch_log_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&switch_log, &cpu);
}

static __always_inline struct log_head *evidence_log_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&evidence_log, &cpu);
}

static __always_inline struct log_head *call_log_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&call_log, &cpu);
}

/* Reserves the next 32-byte record of a switch log; commit it with the mark it returns. */
static __always_inline void *switch_reserve(struct log_head *log, __u32 *ret_mark)
{
	__u64 position = __sync_fetch_and_add(&log->position, 1);
	__u64 offset = (position * LOG_SLOT_UNIT) & settings.switch_mask & ~31ULL;

	*ret_mark = log_mark(position, settings.key);
	return (void *)log + LOG_HEAD_BYTES + offset;
}

/* Reserves BYTES (at most EVENT_SIZE_MAX) in an evidence log. *ret_position is in units. */
static __always_inline void *evidence_reserve(struct log_head *log, __u32 bytes, __u32 *ret_mark,
					      __u64 *ret_position)
{
	__u64 units = (bytes + LOG_EVIDENCE_UNIT - 1) / LOG_EVIDENCE_UNIT;
	__u64 was = __sync_fetch_and_add(&log->position, (1ULL << LOG_COUNT_SHIFT) | units);
	__u64 position = was & LOG_UNITS_MASK;
	__u64 offset = (position * LOG_EVIDENCE_UNIT) & settings.evidence_mask & ~63ULL;

	*ret_mark = log_mark(position, settings.key);
	*ret_position = position;
	return (void *)log + LOG_HEAD_BYTES + offset;
}

/* Fills the header but for the mark, which is first made invalid: a reader that comes too early
 * sees that the record is not there yet. */
static __always_inline void event_begin(struct event_header *header, __u32 mark, __u16 kind,
					__u16 size, __u64 time_ns)
{
	*(volatile __u32 *)&header->mark = ~mark;
	barrier();
	header->kind = kind;
	header->size = size;
	header->time_ns = time_ns;
}

/* The record is whole. On x86 stores stay in order; elsewhere the exchange makes them. */
static __always_inline void event_commit(struct event_header *header, __u32 mark)
{
	barrier();
#ifdef __TARGET_ARCH_x86
	*(volatile __u32 *)&header->mark = mark;
#else
	__sync_lock_test_and_set(&header->mark, mark);
#endif
}

/* True if half the log was written since POSITION was reserved. */
static __always_inline bool is_nearly_lapped(struct log_head *log, __u64 position)
{
	__u64 now = *(volatile __u64 *)&log->position & LOG_UNITS_MASK;

	return (now - position) * LOG_EVIDENCE_UNIT > settings.evidence_mask / 2;
}

/*
 * Writes a whole event of BYTES (a constant) to an evidence log, for programs that can be preempted
 * (uprobes; the others cannot). Such a one may be put off its CPU between reserving and committing:
 * readers wait for it some rounds, then count it as lost. By the time it goes on, its place may
 * have been given away again. So the event is made elsewhere, only this copy lies in between, and
 * it is not begun when the log has come half round meanwhile (then it has been counted as lost,
 * too).
 */
static __always_inline void evidence_put(struct log_head *log, struct event_header *event,
					 const __u32 bytes)
{
	__u64 position;
	__u32 mark;
	void *place = evidence_reserve(log, bytes, &mark, &position);

	if (is_nearly_lapped(log, position))
		return;
	event->mark = ~mark;
	__builtin_memcpy(place, event, bytes);
	event_commit(place, mark);
}

/* The same for a call log. */
static __always_inline void call_put(struct log_head *log, struct event_call *event)
{
	__u64 position = __sync_fetch_and_add(&log->position, 1);
	__u64 offset = (position * LOG_SLOT_UNIT) & settings.call_mask & ~31ULL;
	void *place = (void *)log + LOG_HEAD_BYTES + offset;
	__u32 mark = log_mark(position, settings.key);

	if ((*(volatile __u64 *)&log->position - position) * LOG_SLOT_UNIT > settings.call_mask / 2)
		return;
	event->header.mark = ~mark;
	__builtin_memcpy(place, event, sizeof(*event));
	event_commit(place, mark);
}

#endif
