/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits with evidence, as slices on a track "waits" of each thread. Inside a wait that ended in the
 * run queue lies a slice "run queue"; an arrow leads to it from the waker's track.
 */
#include "export/perfetto.h"

#include "export/describe.h"

struct waits {
	struct perfetto *perfetto;
	struct perfetto_sequence *sequence;
	bool *has_track; /* by the thread's index */
};

/* Beside the thread's own track, and under it. */
static uint64_t waits_track(const struct thread *thread)
{
	return perfetto_thread_track(thread) + 1;
}

static struct buffer *packet_begin(struct waits *waits, uint64_t time_ns)
{
	return perfetto_packet_begin(waits->perfetto, waits->sequence, time_ns);
}

static void packet_end(struct waits *waits)
{
	perfetto_packet_end(waits->perfetto, waits->sequence);
}

static void announce_track(struct waits *waits, const struct thread *thread, uint64_t time_ns)
{
	struct buffer *packet;
	size_t track;

	if (waits->has_track[thread->index])
		return;
	waits->has_track[thread->index] = true;
	perfetto_announce_thread(waits->perfetto, thread, time_ns);
	packet = packet_begin(waits, time_ns);
	track = proto_open(packet, 60); /* track_descriptor */
	proto_uint(packet, 1, waits_track(thread));
	proto_text(packet, 2, "waits");
	proto_uint(packet, 5, perfetto_thread_track(thread)); /* parent_uuid */
	proto_close(packet, track);
	packet_end(waits);
}

/* ---- arguments ---- */

static size_t arg_begin(struct waits *waits, struct buffer *packet, const char *name)
{
	return perfetto_arg_begin(waits->sequence, packet, name);
}

static void arg_number(struct waits *waits, struct buffer *packet, const char *name,
		       enum perfetto_arg_type type, uint64_t value)
{
	size_t arg = arg_begin(waits, packet, name);

	proto_uint(packet, type, value);
	proto_close(packet, arg);
}

static void arg_text(struct waits *waits, struct buffer *packet, const char *name, const char *text)
{
	perfetto_arg_text(waits->sequence, packet, name, text);
}

/* A thread that holds what the wait was for; the tid alone if the recording does not know it. */
static void arg_thread(struct waits *waits, struct buffer *packet, const char *name,
		       const struct thread *thread, uint32_t tid)
{
	char text[DESCRIBE_SIZE];

	if (tid == 0)
		return;
	snprintf(text, sizeof(text), "%s%s%u", thread ? thread->comm : "", thread ? " " : "", tid);
	arg_text(waits, packet, name, text);
}

static void add_syscall_args(struct waits *waits, struct buffer *packet,
			     const struct event_wait *evidence)
{
	size_t arg;

	if (evidence->syscall == EVENT_NO_SYSCALL)
		return;
	arg_text(waits, packet, "syscall", model_syscall_name(evidence->syscall));
	arg_number(waits, packet, "syscall_number", PERFETTO_ARG_UINT, (uint64_t)evidence->syscall);
	arg = arg_begin(waits, packet, "syscall_args");
	for (unsigned int i = 0; i < ARRAY_SIZE(evidence->args); i++) {
		size_t value = proto_open(packet, 12); /* array_values */

		proto_uint(packet, PERFETTO_ARG_POINTER, evidence->args[i]);
		proto_close(packet, value);
	}
	proto_close(packet, arg);
}

static void add_object_args(struct waits *waits, struct buffer *packet, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	struct model *model = waits->perfetto->model;
	char object[DESCRIBE_SIZE];

	arg_text(waits, packet, "object",
		 model_object_text(model, evidence, object, sizeof(object)));
	if (evidence->descriptor >= 0)
		arg_number(waits, packet, "descriptor", PERFETTO_ARG_UINT,
			   (uint64_t)evidence->descriptor);
	if (evidence->futex_address)
		arg_number(waits, packet, "futex", PERFETTO_ARG_POINTER, evidence->futex_address);
	if (evidence->lock_address)
		arg_number(waits, packet, "lock", PERFETTO_ARG_POINTER, evidence->lock_address);
	if (evidence->lock_owner_tid)
		arg_thread(waits, packet, "lock_owner", model_wait_owner(model, wait),
			   evidence->lock_owner_tid);
	else
		arg_thread(waits, packet, "futex_owner", model_wait_owner(model, wait),
			   evidence->futex_owner_tid);
}

/* An arrow begins where a thread did the waking, if it was a thread and one that is shown. */
static bool has_arrow(struct waits *waits, const struct wait *wait)
{
	return wait->waker && wait->waker->tid != 0 && !wait->waker_is_irq && wait->wake_seen &&
	       selection_takes_thread(&waits->perfetto->selection, wait->waker);
}

/* The waker's stack is at the arrow's beginning; without an arrow it goes here, as folded text. */
static void add_waker_args(struct waits *waits, struct buffer *packet, const struct wait *wait)
{
	struct model *model = waits->perfetto->model;
	struct buffer frames = {0};
	char waker[DESCRIBE_SIZE];

	arg_text(waits, packet, "waker", describe_waker(wait, waker, sizeof(waker)));
	if (has_arrow(waits, wait))
		return;
	if (!wait->waker_is_irq)
		describe_stack(model_stack(model, wait->evidence->waker_user_stack), &frames);
	describe_stack(model_stack(model, wait->evidence->waker_kernel_stack), &frames);
	arg_text(waits, packet, "waker_stack", frames.data);
	buffer_release(&frames);
}

static void add_args(struct waits *waits, struct buffer *packet, const struct wait *wait)
{

	arg_number(waits, packet, "blocked_ns", PERFETTO_ARG_UINT, wait_blocked_ns(wait));
	arg_number(waits, packet, "runnable_ns", PERFETTO_ARG_UINT, wait_runnable_ns(wait));
	arg_text(waits, packet, "state", describe_state(wait));
	if (wait->prev_state)
		arg_text(waits, packet, "blocked_function",
			 describe_blocked_function(waits->perfetto->model, wait->evidence));
	add_syscall_args(waits, packet, wait->evidence);
	add_object_args(waits, packet, wait);
	add_waker_args(waits, packet, wait);
}

/* ---- slices ---- */

static void add_callstack(struct buffer *packet, uint64_t iid)
{
	if (iid)
		proto_uint(packet, 56, iid); /* callstack_iid */
}

static void write_begin(struct waits *waits, const struct wait *wait)
{
	struct perfetto *perfetto = waits->perfetto;
	char title[DESCRIBE_SIZE];
	uint64_t name =
		perfetto_intern_text(waits->sequence, TABLE_EVENT_NAMES,
				     describe_wait(perfetto->model, wait, title, sizeof(title)));
	uint64_t callstack =
		perfetto_intern_callstack(perfetto, waits->sequence, wait->evidence->user_stack,
					  wait->evidence->kernel_stack, true);
	struct buffer *packet = packet_begin(waits, wait->start_ns);
	size_t event =
		perfetto_event_begin(packet, PERFETTO_SLICE_BEGIN, waits_track(wait->thread), name);

	add_callstack(packet, callstack);
	add_args(waits, packet, wait);
	proto_close(packet, event);
	packet_end(waits);
}

static void write_end(struct waits *waits, const struct wait *wait)
{
	struct buffer *packet = packet_begin(waits, wait->end_ns);
	size_t event =
		perfetto_event_begin(packet, PERFETTO_SLICE_END, waits_track(wait->thread), 0);

	proto_close(packet, event);
	packet_end(waits);
}

/* Each wait that is kept has an id of its own: so does its arrow. */
static uint64_t arrow_id(const struct wait *wait)
{
	return (uint64_t)wait->id + 1;
}

static void write_waker(struct waits *waits, const struct wait *wait)
{
	struct perfetto *perfetto = waits->perfetto;
	_cleanup_free_ char *text = xasprintf("wakes %s", wait->thread->comm);
	uint64_t name = perfetto_intern_text(waits->sequence, TABLE_EVENT_NAMES, text);
	uint64_t callstack = perfetto_intern_callstack(perfetto, waits->sequence,
						       wait->evidence->waker_user_stack,
						       wait->evidence->waker_kernel_stack, true);
	struct buffer *packet;
	size_t event;

	announce_track(waits, wait->waker, wait->wake_ns);
	packet = packet_begin(waits, wait->wake_ns);
	event = perfetto_event_begin(packet, PERFETTO_INSTANT, waits_track(wait->waker), name);
	proto_fixed64(packet, 47, arrow_id(wait)); /* flow_ids */
	add_callstack(packet, callstack);
	proto_close(packet, event);
	packet_end(waits);
}

static void write_run_queue(struct waits *waits, const struct wait *wait, bool with_arrow)
{
	uint64_t name = perfetto_intern_text(waits->sequence, TABLE_EVENT_NAMES, "run queue");
	struct buffer *packet = packet_begin(waits, wait->wake_ns);
	size_t event =
		perfetto_event_begin(packet, PERFETTO_SLICE_BEGIN, waits_track(wait->thread), name);

	if (with_arrow)
		proto_fixed64(packet, 48, arrow_id(wait)); /* terminating_flow_ids */
	proto_close(packet, event);
	packet_end(waits);
	write_end(waits, wait);
}

static void write_wait(struct waits *waits, const struct wait *wait)
{
	bool with_arrow = has_arrow(waits, wait);

	announce_track(waits, wait->thread, wait->start_ns);
	write_begin(waits, wait);
	if (with_arrow)
		write_waker(waits, wait);
	if (wait->prev_state && wait->wake_seen)
		write_run_queue(waits, wait, with_arrow);
	write_end(waits, wait);
}

void perfetto_write_waits(struct perfetto *perfetto)
{
	struct model *model = perfetto->model;
	struct waits waits = {
		.perfetto = perfetto,
		.sequence = &perfetto->tracks,
		.has_track = xcalloc(model_thread_count(model) + 1, sizeof(bool)),
	};

	for (size_t i = 0; i < model_wait_count(model) && !perfetto->err; i++) {
		const struct wait *wait = model_wait(model, i);

		if (wait->evidence && selection_takes_wait(&perfetto->selection, wait))
			write_wait(&waits, wait);
	}
	free(waits.has_track);
}
