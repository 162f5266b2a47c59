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
#include "export/perfetto_bundle.h"

#define CPU_LIMIT   1024 /* readers refuse more */
#define NORMAL_PRIO 120

/* Task states as the sched_switch tracepoint prints them (Linux 4.14 and later). */
enum printed_state {
	PRINTED_RUNNABLE = 0,
	PRINTED_SLEEPING = 1,
	PRINTED_DISK_SLEEP = 2,
	PRINTED_DEAD = 0x10,
	PRINTED_IDLE = 0x80,
	PRINTED_PREEMPTED = 0x100,
	PRINTED_UNKNOWN = 0x200, /* not a state: readers take it for invalid, which it is */
};

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

/* What is known of a thread on the way, packed into the value of a map64. */
struct task {
	uint32_t name; /* of bundle_names */
	bool is_taken;
};

struct cpu {
	struct bundle bundle;
	uint16_t number;
	bool is_running_known; /* that is, to a reader of what was written so far */
	bool is_in_gap;
	uint32_t running_tid;
	uint8_t running_prio;
	uint64_t gap_end_ns;
	uint64_t last_switch_ns;
	const struct event_loss **gaps; /* in the order of time */
	size_t gap_count;
	size_t gap_capacity;
	size_t next_gap;
};

struct sched {
	struct perfetto *perfetto;
	struct cpu *cpus[CPU_LIMIT];
	struct bundle_names names;
	struct map64 tasks; /* tid to struct task */
	size_t next_wait;
	uint32_t not_recorded_name;
};

/* ---- threads ---- */

static struct task task_unpack(uint64_t value)
{
	return (struct task){.name = (uint32_t)value, .is_taken = value >> 32};
}

static void task_set(struct sched *sched, uint32_t tid, struct task task)
{
	map64_put(&sched->tasks, tid, task.name | (uint64_t)task.is_taken << 32);
}

/* The thread with TID is, from TIME_NS on, called COMM. The idle thread is always shown. */
static struct task task_begin(struct sched *sched, uint32_t tid, const char *comm, uint64_t time_ns)
{
	struct task task = {
		.name = bundle_name(&sched->names, comm),
		.is_taken =
			tid == 0 || selection_takes_tid(&sched->perfetto->selection, tid, time_ns),
	};

	task_set(sched, tid, task);
	return task;
}

static struct task task_of(struct sched *sched, uint32_t tid, uint64_t time_ns)
{
	uint64_t *known = map64_get(&sched->tasks, tid);
	const struct thread *thread;

	if (known)
		return task_unpack(*known);
	thread = model_thread_at(sched->perfetto->model, tid, time_ns);
	return task_begin(sched, tid, tid == 0 ? "swapper" : thread ? thread->comm : "", time_ns);
}

/* How a thread appears in the trace: as itself or as "(not recorded)". */
struct shown {
	uint32_t tid;
	uint32_t name;
};

static struct shown shown_of(struct sched *sched, uint32_t tid, uint64_t time_ns)
{
	struct task task = task_of(sched, tid, time_ns);

	if (task.is_taken)
		return (struct shown){tid, task.name};
	return (struct shown){PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};
}

static struct bundle_task in_full(struct sched *sched, struct shown shown, uint8_t prio)
{
	return (struct bundle_task){bundle_name_text(&sched->names, shown.name), shown.tid, prio};
}

/* ---- CPUs ---- */

static struct cpu *cpu_at(struct sched *sched, uint16_t number)
{
	if (number >= CPU_LIMIT)
		return NULL;
	if (!sched->cpus[number]) {
		sched->cpus[number] = xcalloc(1, sizeof(struct cpu));
		sched->cpus[number]->number = number;
	}
	return sched->cpus[number];
}

static void cpu_flush(struct sched *sched, struct cpu *cpu)
{
	struct perfetto_sequence *sequence = &sched->perfetto->system;
	struct buffer *packet;

	if (bundle_is_empty(&cpu->bundle))
		return;
	packet = perfetto_packet_begin(sched->perfetto, sequence, cpu->last_switch_ns);
	bundle_encode(&cpu->bundle, cpu->number, &sched->names, 1, packet); /* ftrace_events */
	perfetto_packet_end(sched->perfetto, sequence);
}

static void cpu_flush_if_full(struct sched *sched, struct cpu *cpu)
{
	if (bundle_is_full(&cpu->bundle))
		cpu_flush(sched, cpu);
}

static void cpu_set_running(struct cpu *cpu, uint64_t time_ns, uint32_t tid, uint8_t prio)
{
	cpu->is_running_known = true;
	cpu->running_tid = tid;
	cpu->running_prio = prio;
	cpu->last_switch_ns = time_ns;
}

/* Tells the reader that NEXT runs from TIME_NS on; who ran before is what the reader knows. */
static void cpu_hand_over(struct sched *sched, struct cpu *cpu, uint64_t time_ns,
			  enum printed_state prev_state, struct shown next, uint8_t prio)
{
	struct shown running = {PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};
	struct bundle_task from, to;

	if (cpu->is_running_known && cpu->running_tid == next.tid)
		return;
	if (cpu->is_running_known && cpu->running_tid != PERFETTO_NOT_RECORDED_TID)
		running = shown_of(sched, cpu->running_tid, time_ns);
	from = in_full(sched, running, cpu->running_prio);
	to = in_full(sched, next, prio);
	bundle_add_switch(&cpu->bundle, time_ns, &from, prev_state, &to);
	cpu_set_running(cpu, time_ns, next.tid, prio);
}

/* A gap that begins before TIME_NS begins now: a new bundle that says so. */
static void cpu_pass_gaps(struct sched *sched, struct cpu *cpu, uint64_t time_ns)
{
	while (cpu->next_gap < cpu->gap_count && cpu->gaps[cpu->next_gap]->from_ns < time_ns) {
		const struct event_loss *gap = cpu->gaps[cpu->next_gap++];
		struct shown nobody = {PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};

		cpu_flush(sched, cpu);
		cpu->bundle.has_lost_events = true;
		if (cpu->is_running_known && !cpu->is_in_gap)
			cpu_hand_over(sched, cpu, gap->from_ns, PRINTED_UNKNOWN, nobody,
				      NORMAL_PRIO);
		cpu->is_in_gap = true;
		if (gap->to_ns > cpu->gap_end_ns)
			cpu->gap_end_ns = gap->to_ns;
	}
}

/* SINCE_NS, but before TIME_NS: of equal times, readers take events in full for the later ones. */
static uint64_t before(uint64_t since_ns, uint64_t time_ns)
{
	return since_ns < time_ns ? since_ns : time_ns - 1;
}

/*
 * A thread is seen on the CPU at TIME_NS. If that ends a gap, it has run since the gap's end at
 * least: a switch after it would have been seen.
 */
static void cpu_saw_running(struct sched *sched, struct cpu *cpu, uint64_t time_ns,
			    struct shown running)
{
	if (!cpu->is_in_gap)
		return;
	if (cpu->is_running_known)
		cpu_hand_over(sched, cpu, before(cpu->gap_end_ns, time_ns), PRINTED_SLEEPING,
			      running, NORMAL_PRIO);
	cpu->is_in_gap = false;
}

/* ---- events ---- */

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
static void write_end(struct sched *sched, struct cpu *cpu, uint32_t tid, uint64_t time_ns)
{
	struct task task = task_of(sched, tid, time_ns);

	if (task.is_taken) {
		struct bundle_task ended =
			in_full(sched, (struct shown){tid, task.name}, NORMAL_PRIO);

		bundle_add_end(&cpu->bundle, time_ns + 1, &ended);
	}
	map64_remove(&sched->tasks, tid);
}

static void add_switch(struct sched *sched, struct cpu *cpu, const struct event_switch *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct shown prev = shown_of(sched, event->prev_tid, time_ns);
	struct shown next = shown_of(sched, event->next_tid, time_ns);
	uint16_t state =
		prev.tid == event->prev_tid ? printed_state(event) : (uint16_t)PRINTED_SLEEPING;
	struct bundle *bundle = &cpu->bundle;

	cpu_saw_running(sched, cpu, time_ns, prev);
	if (cpu->is_running_known && cpu->running_tid == prev.tid) {
		if (next.tid != PERFETTO_NOT_RECORDED_TID || prev.tid != next.tid)
			bundle->switches[bundle->switch_count++] = (struct bundle_switch){
				time_ns, next.tid, next.name, state, event->next_prio,
			};
	} else {
		struct bundle_task from = in_full(sched, prev, NORMAL_PRIO);
		struct bundle_task to = in_full(sched, next, event->next_prio);

		bundle_add_switch(bundle, time_ns, &from, state, &to);
	}
	cpu_set_running(cpu, time_ns, next.tid, event->next_prio);
}

static void take_switch(struct sched *sched, const struct event_switch *event)
{
	struct cpu *cpu = cpu_at(sched, event->cpu);

	if (!cpu)
		return;
	cpu_pass_gaps(sched, cpu, event->header.time_ns);
	add_switch(sched, cpu, event);
	if (event->prev_state & (KERNEL_STATE_DEAD | KERNEL_STATE_EXITED))
		write_end(sched, cpu, event->prev_tid, event->header.time_ns);
	cpu_flush_if_full(sched, cpu);
}

static void add_waking(struct sched *sched, struct cpu *cpu, const struct event_waking *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct shown waker = shown_of(sched, event->waker_tid, time_ns);
	struct shown wakee = shown_of(sched, event->wakee_tid, time_ns);
	bool is_newborn = event->flags & EVENT_WAKING_NEW;
	struct bundle *bundle = &cpu->bundle;

	cpu_saw_running(sched, cpu, time_ns, waker);
	if (cpu->is_running_known && cpu->running_tid == waker.tid && !is_newborn) {
		/* Of interrupts it is known only that one must have woken, where a CPU was idle. */
		uint8_t in_interrupt = event->waker_tid == 0 ? 0x08 : 0;

		bundle->wakings[bundle->waking_count++] = (struct bundle_waking){
			time_ns,           wakee.tid,         wakee.name,
			event->target_cpu, event->wakee_prio, in_interrupt,
		};
	} else {
		struct bundle_task task = in_full(sched, wakee, event->wakee_prio);

		bundle_add_waking(bundle, time_ns, waker.tid, &task, event->target_cpu, is_newborn);
	}
}

static void take_waking(struct sched *sched, const struct event_waking *event)
{
	struct cpu *cpu = cpu_at(sched, event->cpu);

	if (!cpu)
		return;
	cpu_pass_gaps(sched, cpu, event->header.time_ns);
	if (task_of(sched, event->wakee_tid, event->header.time_ns).is_taken)
		add_waking(sched, cpu, event);
	cpu_flush_if_full(sched, cpu);
}

/*
 * A thread had been running unseen. Where from the CPU came is not known, nor why the thread before
 * left; that happens to threads which programs are not run for, such as init's, which mostly sleep.
 */
static void take_resume(struct sched *sched, const struct event_resume *event)
{
	struct cpu *cpu = cpu_at(sched, event->cpu);
	uint64_t time_ns = event->header.time_ns;
	uint64_t since_ns = before(time_ns - event->ran_ns, time_ns);
	struct shown shown;

	if (!cpu)
		return;
	cpu_pass_gaps(sched, cpu, time_ns);
	shown = shown_of(sched, event->tid, time_ns);
	cpu_saw_running(sched, cpu, time_ns, shown);
	if (cpu->is_running_known && cpu->running_tid == shown.tid)
		return;
	if (since_ns < cpu->last_switch_ns)
		since_ns = cpu->last_switch_ns;
	cpu_hand_over(sched, cpu, since_ns, PRINTED_SLEEPING, shown, NORMAL_PRIO);
}

/* A CPU on which TID runs, so that what it does appears there; else the first that is known. */
static struct cpu *cpu_of(struct sched *sched, uint32_t tid)
{
	struct cpu *any = NULL;

	for (unsigned int i = 0; i < CPU_LIMIT; i++) {
		struct cpu *cpu = sched->cpus[i];

		if (cpu && cpu->is_running_known && cpu->running_tid == tid)
			return cpu;
		if (cpu && !any)
			any = cpu;
	}
	return any ? any : cpu_at(sched, 0);
}

/* The process of a new thread is told by its maker; a process's leader stands in for one not shown.
 */
static void take_fork(struct sched *sched, const struct event_fork *event)
{
	uint64_t time_ns = event->header.time_ns;
	struct perfetto_name name = perfetto_name(event->comm);
	bool is_thread = event->pid == event->parent_pid;
	struct shown parent = shown_of(sched, event->parent_tid, time_ns);
	struct task child = task_begin(sched, event->tid, name.text, time_ns);
	struct cpu *cpu;

	if (!child.is_taken)
		return;
	if (parent.tid != event->parent_tid && is_thread)
		parent.tid = event->pid;
	cpu = cpu_of(sched, parent.tid);
	bundle_add_birth(&cpu->bundle, time_ns, parent.tid, event->tid, name.text, is_thread);
	cpu_flush_if_full(sched, cpu);
}

static void rename_task(struct sched *sched, uint32_t tid, const char *name, uint64_t time_ns)
{
	struct task task = task_of(sched, tid, time_ns);
	uint32_t number = bundle_name(&sched->names, name);

	if (task.name == number)
		return;
	if (task.is_taken) {
		struct cpu *cpu = cpu_of(sched, tid);

		bundle_add_rename(&cpu->bundle, time_ns, tid,
				  bundle_name_text(&sched->names, task.name),
				  bundle_name_text(&sched->names, number));
		cpu_flush_if_full(sched, cpu);
	}
	task.name = number;
	task_set(sched, tid, task);
}

static void take_exec(struct sched *sched, const struct event_exec *event)
{
	struct perfetto_name name = perfetto_name(event->comm);

	rename_task(sched, event->tid, name.text, event->header.time_ns);
	if (task_of(sched, event->tid, event->header.time_ns).is_taken)
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
	struct cpu *cpu = cpu_at(sched, wait->cpu);
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
	cpu_flush_if_full(sched, cpu);
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

static int compare_gaps(const void *a, const void *b)
{
	const struct event_loss *left = *(const struct event_loss *const *)a;
	const struct event_loss *right = *(const struct event_loss *const *)b;

	return (left->from_ns > right->from_ns) - (left->from_ns < right->from_ns);
}

static void add_gap(struct sched *sched, uint16_t number, const struct event_loss *gap)
{
	struct cpu *cpu = cpu_at(sched, number);

	if (!cpu)
		return;
	array_reserve((void **)&cpu->gaps, &cpu->gap_capacity, cpu->gap_count + 1,
		      sizeof(*cpu->gaps));
	cpu->gaps[cpu->gap_count++] = gap;
}

/* Where nothing at all is known of a CPU. They are told when they are found, which is later. */
static void find_gaps(struct sched *sched)
{
	struct model *model = sched->perfetto->model;
	unsigned int cpus = model_cpu_count(model);

	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);

		if (loss->log != EVENT_LOG_SWITCH || loss->reason != EVENT_LOSS_OVERWRITTEN ||
		    loss->to_ns < loss->from_ns || loss->to_ns < sched->perfetto->selection.from_ns)
			continue;
		if (loss->cpu != EVENT_ANY_CPU)
			add_gap(sched, loss->cpu, loss);
		for (unsigned int cpu = 0; loss->cpu == EVENT_ANY_CPU && cpu < cpus; cpu++)
			add_gap(sched, (uint16_t)cpu, loss);
	}
	for (unsigned int i = 0; i < CPU_LIMIT; i++) {
		struct cpu *cpu = sched->cpus[i];

		if (cpu && cpu->gap_count)
			qsort(cpu->gaps, cpu->gap_count, sizeof(*cpu->gaps), compare_gaps);
	}
}

static void begin(struct sched *sched)
{
	struct perfetto *perfetto = sched->perfetto;
	sched->not_recorded_name = bundle_name(&sched->names, PERFETTO_NOT_RECORDED_NAME);
	for (size_t i = 0; i < perfetto->roster_count; i++) {
		const struct event_thread *thread = perfetto->roster[i];

		if (thread) {
			struct perfetto_name name = perfetto_name(thread->comm);

			task_begin(sched, thread->tid, name.text, perfetto->begin_ns);
		}
	}
	find_gaps(sched);
}

static void finish(struct sched *sched)
{
	uint64_t to_ns = sched->perfetto->selection.to_ns;

	add_blocked_reasons(sched, to_ns);
	for (unsigned int i = 0; i < CPU_LIMIT; i++) {
		struct cpu *cpu = sched->cpus[i];

		if (!cpu)
			continue;
		cpu_pass_gaps(sched, cpu, to_ns);
		cpu_flush(sched, cpu);
		bundle_release(&cpu->bundle);
		free(cpu->gaps);
		free(cpu);
	}
	bundle_names_release(&sched->names);
	map64_release(&sched->tasks);
}

int perfetto_write_sched(struct perfetto *perfetto)
{
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE),
		.from_ns = perfetto->selection.from_ns,
		.to_ns = perfetto->selection.to_ns,
	};
	struct sched sched = {.perfetto = perfetto};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int err;

	err = recording_cursor_new(&cursor, model_recording(perfetto->model), &range);
	if (err)
		return err;
	begin(&sched);
	while ((err = recording_cursor_next(cursor, &event)) == 1 && !perfetto->err) {
		add_blocked_reasons(&sched, event->time_ns);
		take_event(&sched, event);
	}
	finish(&sched);
	recording_cursor_free(cursor);
	return err < 0 ? err : perfetto->err;
}
