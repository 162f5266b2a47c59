/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Values of calls: arguments at the entry of a function, and what it returns. Only words and the
 * bytes they lead to are read here; what they mean, the user side knows.
 */
#ifndef DASHCAM_BPF_VALUE_BPF_H
#define DASHCAM_BPF_VALUE_BPF_H

#include "bpf/log.bpf.h"

/* By the id of a function's name. The user side sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value_sources);
} value_sources SEC(".maps");

/* An event while it is made. It is too large for the stack, and these programs can be preempted by
 * others on their CPU, so each thread has its own. */
struct value_scratch {
	__u64 event[(sizeof(struct event_raw_call_value) +
		     EVENT_VALUE_TEXTS_MAX * sizeof(struct event_value_text)) /
		    8];
	__u64 registers[8]; /* those of arguments: which one is wanted is not known beforehand, and
			       the verifier wants a program to name a register */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value_scratch);
} value_scratches SEC(".maps");

#ifdef __TARGET_ARCH_x86

#define ARGUMENT_REGISTERS 6

static __always_inline void copy_registers(struct value_scratch *scratch,
					   const struct pt_regs *regs)
{
	scratch->registers[0] = regs->di;
	scratch->registers[1] = regs->si;
	scratch->registers[2] = regs->dx;
	scratch->registers[3] = regs->cx;
	scratch->registers[4] = regs->r8;
	scratch->registers[5] = regs->r9;
}

/* At the entry the return address lies on top of the stack, the other arguments behind it. */
static __always_inline __u64 argument(const struct value_scratch *scratch,
				      const struct pt_regs *regs, __u32 position)
{
	__u64 value = 0;

	if (position <= ARGUMENT_REGISTERS)
		return scratch->registers[(position - 1) & 7];
	bpf_probe_read_user(&value, sizeof(value),
			    (void *)(regs->sp + 8 * (position - ARGUMENT_REGISTERS)));
	return value;
}

static __always_inline __u64 result(const struct pt_regs *regs)
{
	return regs->ax;
}

#else

static __always_inline void copy_registers(struct value_scratch *scratch,
					   const struct pt_regs *regs)
{
}

static __always_inline __u64 argument(const struct value_scratch *scratch,
				      const struct pt_regs *regs, __u32 position)
{
	return 0;
}

static __always_inline __u64 result(const struct pt_regs *regs)
{
	return 0;
}

#endif

static __always_inline long try_text(struct event_value_text *text,
				     const struct value_source *source, __u64 address)
{
	__u32 bytes = source->read_bytes;
	long err;

	/* one more than is shown tells a text that is cut */
	if (source->is_text)
		return bpf_probe_read_user_str(text->bytes, EVENT_VALUE_BYTES_MAX + 1,
					       (void *)address);
	if (bytes > EVENT_VALUE_BYTES_MAX)
		bytes = EVENT_VALUE_BYTES_MAX;
	err = bpf_probe_read_user(text->bytes, bytes, (void *)address);
	return err ? err : bytes;
}

static __always_inline void read_text(struct event_raw_call_value *event,
				      const struct value_source *source, __u64 address)
{
	struct event_value_text *text;
	__u32 at = event->text_count;

	if (at >= EVENT_VALUE_TEXTS_MAX)
		return;
	text = &event->texts[at];
	event->text_count = at + 1;
	text->size = try_text(text, source, address);
}

static __always_inline struct value_scratch *scratch_of_thread(void)
{
	return bpf_task_storage_get(&value_scratches, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Reads what was passed to a function, as its call begins. NULL: nothing is wanted. */
static __noinline struct event_raw_call_value *read_arguments(struct pt_regs *ctx, __u32 name)
{
	const struct value_sources *wanted = bpf_map_lookup_elem(&value_sources, &name);
	struct value_scratch *scratch = scratch_of_thread();
	struct event_raw_call_value *event = (void *)scratch;

	if (!wanted || !wanted->argument_count || !scratch)
		return NULL;
	copy_registers(scratch, ctx);
	event->name = name;
	event->flags = 0;
	event->text_count = 0;
	for (__u32 i = 0; i < EVENT_VALUES_MAX && i < wanted->argument_count; i++) {
		__u64 word = argument(scratch, ctx, wanted->sources[i].position);

		event->words[i] = word;
		if (wanted->sources[i].read_bytes)
			read_text(event, &wanted->sources[i], word);
	}
	return event;
}

/* The same of what it returns. */
static __noinline struct event_raw_call_value *read_result(struct pt_regs *ctx, __u32 name)
{
	const struct value_sources *wanted = bpf_map_lookup_elem(&value_sources, &name);
	struct event_raw_call_value *event = bpf_task_storage_get(
		&value_scratches, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u32 last;

	if (!wanted || !wanted->has_result || !event)
		return NULL;
	last = wanted->argument_count;
	if (last >= EVENT_VALUES_MAX)
		return NULL;
	event->name = name;
	event->flags = EVENT_VALUE_RESULT;
	event->text_count = 0;
	event->words[0] = result(ctx);
	if (wanted->sources[last].read_bytes)
		read_text(event, &wanted->sources[last], event->words[0]);
	return event;
}

/* Writes what was read. As evidence_put, but for a size that is not known before. */
static __noinline int write_values(struct event_raw_call_value *event, __u64 start_ns,
				   __u64 time_ns)
{
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	__u32 texts, bytes, mark;
	__u64 position;
	void *place;

	if (!event || !log)
		return 0;
	texts = event->text_count;
	if (texts > EVENT_VALUE_TEXTS_MAX)
		return 0;
	bytes = sizeof(*event) + texts * sizeof(struct event_value_text);
	place = evidence_reserve(log, bytes, &mark, &position);
	if (is_nearly_lapped(log, position))
		return 0;
	event->header = (struct event_header){
		.mark = ~mark, .kind = EVENT_RAW_CALL_VALUE, .size = bytes, .time_ns = time_ns};
	event->tid = bpf_get_current_pid_tgid();
	event->start_ns = start_ns;
	bpf_probe_read_kernel(place, bytes, event);
	event_commit(place, mark);
	return 0;
}

#endif
