/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every switch and wake-up, as ftrace bundles of each CPU, with the births, renames and ends of
 * threads.
 *
 * A reader infers who left a CPU and who woke a thread from the switch before on that CPU, so
 * wakings go into the bundle of the CPU that the waker was on, and the compact form is used only
 * while the recording and that inference agree. Across a gap the CPU is shown as running "(not
 * recorded)", so that no thread seems to run through it.
 *
 * What a thread was blocked in (sched_blocked_reason) is known when its wait has ended. It is dated
 * one nanosecond before the thread runs again, on the CPU where it does: a reader attaches it to
 * the thread's last blocked state until the thread runs, and there the time is at hand without
 * remembering any event.
 */
#include "export/perfetto.h"

#include "export/describe.h"
#include "export/perfetto_cpu.h"

/* Task states as the kernel keeps them. */
enum kernel_state {
	KERNEL_STATE_PRINTED = 0x7f, /* printed as they are */
	KERNEL_STATE_EXITED = 0x30,  /* zombie, dead: where the exit state is mixed in */
	KERNEL_STATE_DEAD = 0x80,
	KERNEL_STATE_WAKE_KILL = 0x100,
	KERNEL_STATE_IDLE = 0x402, /* uninterruptible, and not counted as load */
	KERNEL_STATE_RT_LOCK = 0x1000,
	KERNEL_STATE_FROZEN = 0x8000,
};

/* The kernel prints one bit, the highest of those it reports, and calls preemption a state. */
static uint16_t printed_state(const struct event_switch *event)
{
	uint16_t state = event->prev_state;
	uint16_t bits = state & KERNEL_STATE_PRINTED;

	if (event->prev_tid == 0)
		return PRINTED_RUNNABLE;
	if (state == 0)
		return event->flags & EVENT_SWITCH_YIELD ? PRINTED_RUNNABLE : PRINTED_PREEMPTED;
	if (state == KERNEL_STATE_WAKE_KILL)
		return PRINTED_PREEMPTED;
	if ((state & KERNEL_STATE_IDLE) == KERNEL_STATE_IDLE)
		return PRINTED_IDLE;
	if (state & KERNEL_STATE_DEAD)
		return PRINTED_DEAD;
	if (state & (KERNEL_STATE_RT_LOCK | KERNEL_STATE_FROZEN))
		return PRINTED_DISK_SLEEP;
	while (bits & (bits - 1))
		bits &= bits - 1;
	return bits;
}

/* After a thread's last switch: a reader that met its tid later would take it for a new thread. */
static void write_end(struct sched *sched, struct sched_cpu *cpu, uint32_t tid, uint64_t time_ns)
{
	struct sched_task task = sched_task(sched, tid, time_ns);

	if (task.is_taken) {
		struct bundle_task ended = sched_in_full(
			sched, (struct sched_shown){tid, task.name}, SCHED_NORMAL_PRIO);

		bundle_add_end(&cpu->bundle, time_ns + 1, &ended);
	}
	sched_task_end(sched, tid);
}

static void add_switch(struct sched *sched, struct sched_cpu *cpu, const struct event_switch *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct sched_shown prev = sched_shown(sched, event->prev_tid, time_ns);
	struct sched_shown next = sched_shown(sched, event->next_tid, time_ns);
	uint16_t state =
		prev.tid == event->prev_tid ? printed_state(event) : (uint16_t)PRINTED_SLEEPING;
	struct bundle *bundle = &cpu->bundle;

	sched_cpu_saw_running(sched, cpu, time_ns, prev);
	if (sched_cpu_runs(cpu, prev.tid)) {
		if (next.tid != PERFETTO_NOT_RECORDED_TID || prev.tid != next.tid)
			bundle->switches[bundle->switch_count++] = (struct bundle_switch){
				time_ns, next.tid, next.name, state, event->next_prio,
			};
	} else {
		struct bundle_task from = sched_in_full(sched, prev, SCHED_NORMAL_PRIO);
		struct bundle_task to = sched_in_full(sched, next, event->next_prio);

		bundle_add_switch(bundle, time_ns, &from, state, &to);
	}
	sched_cpu_set_running(cpu, time_ns, next.tid, event->next_prio);
}

static void take_switch(struct sched *sched, const struct event_switch *event)
{
	struct sched_cpu *cpu = sched_cpu(sched, event->cpu);

	if (!cpu)
		return;
	sched_cpu_pass_gaps(sched, cpu, event->header.time_ns);
	add_switch(sched, cpu, event);
	if (event->prev_tid && event->prev_state & (KERNEL_STATE_DEAD | KERNEL_STATE_EXITED))
		write_end(sched, cpu, event->prev_tid, event->header.time_ns);
	sched_cpu_flush_if_full(sched, cpu);
}

static void add_waking(struct sched *sched, struct sched_cpu *cpu, const struct event_waking *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct sched_shown waker = sched_shown(sched, event->waker_tid, time_ns);
	struct sched_shown wakee = sched_shown(sched, event->wakee_tid, time_ns);
	bool is_newborn = event->flags & EVENT_WAKING_NEW;
	struct bundle *bundle = &cpu->bundle;

	sched_cpu_saw_running(sched, cpu, time_ns, waker);
	if (sched_cpu_runs(cpu, waker.tid) && !is_newborn) {
		/* Of interrupts it is known only that one must have woken, where a CPU was idle. */
		uint8_t in_interrupt = event->waker_tid == 0 ? 0x08 : 0;

		bundle->wakings[bundle->waking_count++] = (struct bundle_waking){
			time_ns,           wakee.tid,         wakee.name,
			event->target_cpu, event->wakee_prio, in_interrupt,
		};
	} else {
		struct bundle_task task = sched_in_full(sched, wakee, event->wakee_prio);

		bundle_add_waking(bundle, time_ns, waker.tid, &task, event->target_cpu, is_newborn);
	}
}

static void take_waking(struct sched *sched, const struct event_waking *event)
{
	struct sched_cpu *cpu = sched_cpu(sched, event->cpu);

	if (!cpu)
		return;
	sched_cpu_pass_gaps(sched, cpu, event->header.time_ns);
	if (sched_task(sched, event->wakee_tid, event->header.time_ns).is_taken)
		add_waking(sched, cpu, event);
	sched_cpu_flush_if_full(sched, cpu);
}

/*
 * A thread had been running unseen. Where from the CPU came is not known, nor why the thread before
 * left; that happens to threads which programs are not run for, such as init's, which mostly sleep.
 */
static void take_resume(struct sched *sched, const struct event_resume *event)
{
	struct sched_cpu *cpu = sched_cpu(sched, event->cpu);
	uint64_t time_ns = event->header.time_ns;
	struct sched_shown shown;

	if (!cpu)
		return;
	sched_cpu_pass_gaps(sched, cpu, time_ns);
	shown = sched_shown(sched, event->tid, time_ns);
	sched_cpu_saw_running(sched, cpu, time_ns, shown);
	if (event->ran_ns <= time_ns)
		sched_cpu_hand_over(sched, cpu, time_ns - event->ran_ns, time_ns, shown);
	sched_cpu_flush_if_full(sched, cpu);
}

/* The process of a new thread is told by its maker; a process's leader stands in for one not shown.
 */
static void take_fork(struct sched *sched, const struct event_fork *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct perfetto_name name = perfetto_name(event->comm);
	bool is_thread = event->pid == event->parent_pid;
	struct sched_shown parent = sched_shown(sched, event->parent_tid, time_ns);
	struct sched_task child = sched_task_begin(sched, event->tid, name.text, time_ns);
	struct sched_cpu *cpu;

	if (!child.is_taken)
		return;
	if (parent.tid != event->parent_tid && is_thread)
		parent.tid = event->pid;
	cpu = sched_cpu_of(sched, parent.tid);
	bundle_add_birth(&cpu->bundle, time_ns, parent.tid, event->tid, name.text, is_thread);
	sched_cpu_flush_if_full(sched, cpu);
}

static void rename_task(struct sched *sched, uint32_t tid, const char *name, uint64_t time_ns)
{
	struct sched_task task = sched_task(sched, tid, time_ns);
	uint32_t number = bundle_name(&sched->names, name);

	if (task.name == number)
		return;
	if (task.is_taken) {
		struct sched_cpu *cpu = sched_cpu_of(sched, tid);

		bundle_add_rename(&cpu->bundle, time_ns, tid,
				  bundle_name_text(&sched->names, task.name),
				  bundle_name_text(&sched->names, number));
		sched_cpu_flush_if_full(sched, cpu);
	}
	sched_task_set_name(sched, tid, task, number);
}

static void take_exec(struct sched *sched, const struct event_exec *event)
{
	struct perfetto_name name = perfetto_name(event->comm);

	rename_task(sched, event->tid, name.text, event->header.time_ns);
	if (sched_task(sched, event->tid, event->header.time_ns).is_taken)
		perfetto_write_exec(sched->perfetto, event);
}

static void take_event(struct sched *sched, const struct event_header *event)
{
	switch (event->kind) {
	case EVENT_SWITCH:
		take_switch(sched, (const struct event_switch *)event);
		break;
	case EVENT_WAKING:
		take_waking(sched, (const struct event_waking *)event);
		break;
	case EVENT_RESUME:
		take_resume(sched, (const struct event_resume *)event);
		break;
	case EVENT_FORK:
		take_fork(sched, (const struct event_fork *)event);
		break;
	case EVENT_RENAME: {
		const struct event_rename *rename = (const struct event_rename *)event;
		struct perfetto_name name = perfetto_name(rename->comm);

		rename_task(sched, rename->tid, name.text, event->time_ns);
		break;
	}
	case EVENT_EXEC:
		take_exec(sched, (const struct event_exec *)event);
		break;
	}
}

/* ---- what waits were about ---- */

static void add_blocked_reason(struct sched *sched, const struct wait *wait)
{
	struct perfetto *perfetto = sched->perfetto;
	struct sched_cpu *cpu = sched_cpu(sched, wait->cpu);
	const char *function;

	/* It must lie between the switch-out and the switch-in. */
	if (!cpu || wait->end_ns - wait->start_ns < 2)
		return;
	function = describe_blocked_function(perfetto->model, wait->evidence);
	if (!function)
		return;
	bundle_add_blocked_reason(
		&cpu->bundle, wait->end_ns - 1, wait->thread->tid,
		perfetto_intern_text(&perfetto->system, TABLE_KERNEL_SYMBOLS, function));
	sched_cpu_flush_if_full(sched, cpu);
}

/* Waits that ended by TIME_NS; the model has them in that order. */
static void add_blocked_reasons(struct sched *sched, uint64_t time_ns)
{
	struct model *model = sched->perfetto->model;

	for (; sched->next_wait < model_wait_count(model); sched->next_wait++) {
		const struct wait *wait = model_wait(model, sched->next_wait);

		if (wait->end_ns > time_ns)
			return;
		if (wait->evidence && wait->prev_state && !wait->is_open &&
		    selection_takes_wait(&sched->perfetto->selection, wait))
			add_blocked_reason(sched, wait);
	}
}

/* ---- the whole ---- */

int perfetto_write_sched(struct perfetto *perfetto)
{
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE),
		.from_ns = perfetto->selection.from_ns,
		.to_ns = perfetto->selection.to_ns,
	};
	struct sched sched;
	struct recording_cursor *cursor;
	const struct event_header *event;
	int err;

	err = recording_cursor_new(&cursor, model_recording(perfetto->model), &range);
	if (err)
		return err;
	sched_begin(&sched, perfetto);
	while ((err = recording_cursor_next(cursor, &event)) == 1 && !perfetto->err) {
		add_blocked_reasons(&sched, event->time_ns);
		take_event(&sched, event);
	}
	add_blocked_reasons(&sched, range.to_ns);
	sched_finish(&sched);
	recording_cursor_free(cursor);
	return err < 0 ? err : perfetto->err;
}
