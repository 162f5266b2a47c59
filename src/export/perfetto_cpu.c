/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto_cpu.h"

/* ---- threads: a struct sched_task is packed into the value of a map64 ---- */

static void task_set(struct sched *sched, uint32_t tid, struct sched_task task)
{
	map64_put(&sched->tasks, tid, task.name | (uint64_t)task.is_taken << 32);
}

struct sched_task sched_task_begin(struct sched *sched, uint32_t tid, const char *comm,
				   uint64_t time_ns)
{
	struct sched_task task = {
		.name = bundle_name(&sched->names, comm),
		.is_taken =
			tid == 0 || selection_takes_tid(&sched->perfetto->selection, tid, time_ns),
	};

	task_set(sched, tid, task);
	return task;
}

struct sched_task sched_task(struct sched *sched, uint32_t tid, uint64_t time_ns)
{
	uint64_t *known = map64_get(&sched->tasks, tid);
	const struct thread *thread;

	if (known)
		return (struct sched_task){.name = (uint32_t)*known, .is_taken = *known >> 32};
	if (tid == 0)
		return sched_task_begin(sched, tid, "swapper", time_ns);
	thread = model_thread_at(sched->perfetto->model, tid, time_ns);
	return sched_task_begin(sched, tid, thread ? thread->comm : "", time_ns);
}

void sched_task_set_name(struct sched *sched, uint32_t tid, struct sched_task task, uint32_t name)
{
	task.name = name;
	task_set(sched, tid, task);
}

void sched_task_end(struct sched *sched, uint32_t tid)
{
	map64_remove(&sched->tasks, tid);
}

struct sched_shown sched_shown(struct sched *sched, uint32_t tid, uint64_t time_ns)
{
	struct sched_task task = sched_task(sched, tid, time_ns);

	if (task.is_taken)
		return (struct sched_shown){tid, task.name};
	return (struct sched_shown){PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};
}

struct bundle_task sched_in_full(struct sched *sched, struct sched_shown shown, uint8_t prio)
{
	return (struct bundle_task){bundle_name_text(&sched->names, shown.name), shown.tid, prio};
}

/* ---- CPUs ---- */

struct sched_cpu *sched_cpu(struct sched *sched, uint16_t number)
{
	if (number >= SCHED_CPU_LIMIT)
		return NULL;
	if (!sched->cpus[number]) {
		sched->cpus[number] = xcalloc(1, sizeof(struct sched_cpu));
		sched->cpus[number]->number = number;
		sched->cpus[number]->last_switch_ns = sched->perfetto->begin_ns;
	}
	return sched->cpus[number];
}

struct sched_cpu *sched_cpu_of(struct sched *sched, uint32_t tid)
{
	struct sched_cpu *any = NULL;

	for (unsigned int i = 0; i < SCHED_CPU_LIMIT; i++) {
		struct sched_cpu *cpu = sched->cpus[i];

		if (cpu && sched_cpu_runs(cpu, tid))
			return cpu;
		if (cpu && !any)
			any = cpu;
	}
	return any ? any : sched_cpu(sched, 0);
}

static void flush(struct sched *sched, struct sched_cpu *cpu)
{
	struct perfetto_sequence *sequence = &sched->perfetto->system;
	struct buffer *packet;

	if (bundle_is_empty(&cpu->bundle))
		return;
	packet = perfetto_packet_begin(sched->perfetto, sequence, cpu->last_switch_ns);
	bundle_encode(&cpu->bundle, cpu->number, &sched->names, 1, packet); /* ftrace_events */
	perfetto_packet_end(sched->perfetto, sequence);
}

void sched_cpu_flush_if_full(struct sched *sched, struct sched_cpu *cpu)
{
	if (bundle_is_full(&cpu->bundle))
		flush(sched, cpu);
}

void sched_cpu_set_running(struct sched_cpu *cpu, uint64_t time_ns, uint32_t tid, uint8_t prio)
{
	cpu->is_running_known = true;
	cpu->running_tid = tid;
	cpu->running_prio = prio;
	cpu->last_switch_ns = time_ns;
}

static void write_hand_over(struct sched *sched, struct sched_cpu *cpu, uint64_t time_ns,
			    enum printed_state prev_state, struct sched_shown next)
{
	struct sched_shown prev = {PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};
	struct bundle_task from, to;

	if (sched_cpu_runs(cpu, next.tid))
		return;
	if (cpu->is_running_known && cpu->running_tid != PERFETTO_NOT_RECORDED_TID)
		prev = sched_shown(sched, cpu->running_tid, time_ns);
	from = sched_in_full(sched, prev, cpu->running_prio);
	to = sched_in_full(sched, next, SCHED_NORMAL_PRIO);
	bundle_add_switch(&cpu->bundle, time_ns, &from, prev_state, &to);
	sched_cpu_set_running(cpu, time_ns, next.tid, SCHED_NORMAL_PRIO);
}

void sched_cpu_hand_over(struct sched *sched, struct sched_cpu *cpu, uint64_t since_ns,
			 uint64_t time_ns, struct sched_shown next)
{
	if (since_ns >= time_ns)
		since_ns = time_ns - 1;
	if (since_ns < cpu->last_switch_ns)
		since_ns = cpu->last_switch_ns;
	write_hand_over(sched, cpu, since_ns, PRINTED_SLEEPING, next);
}

void sched_cpu_pass_gaps(struct sched *sched, struct sched_cpu *cpu, uint64_t time_ns)
{
	while (cpu->next_gap < cpu->gap_count && cpu->gaps[cpu->next_gap]->from_ns < time_ns) {
		const struct event_loss *gap = cpu->gaps[cpu->next_gap++];
		struct sched_shown nobody = {PERFETTO_NOT_RECORDED_TID, sched->not_recorded_name};

		flush(sched, cpu);
		cpu->bundle.has_lost_events = true;
		if (cpu->is_running_known && !cpu->is_in_gap)
			write_hand_over(sched, cpu, gap->from_ns, PRINTED_UNKNOWN, nobody);
		cpu->is_in_gap = true;
		if (gap->to_ns > cpu->gap_end_ns)
			cpu->gap_end_ns = gap->to_ns;
	}
}

void sched_cpu_saw_running(struct sched *sched, struct sched_cpu *cpu, uint64_t time_ns,
			   struct sched_shown running)
{
	if (!cpu->is_in_gap)
		return;
	if (cpu->is_running_known)
		sched_cpu_hand_over(sched, cpu, cpu->gap_end_ns, time_ns, running);
	cpu->is_in_gap = false;
}

/* ---- begin and end ---- */

static int compare_gaps(const void *a, const void *b)
{
	const struct event_loss *left = *(const struct event_loss *const *)a;
	const struct event_loss *right = *(const struct event_loss *const *)b;

	return (left->from_ns > right->from_ns) - (left->from_ns < right->from_ns);
}

static void add_gap(struct sched *sched, uint16_t number, const struct event_loss *gap)
{
	struct sched_cpu *cpu = sched_cpu(sched, number);

	if (!cpu)
		return;
	array_reserve((void **)&cpu->gaps, &cpu->gap_capacity, cpu->gap_count + 1,
		      sizeof(*cpu->gaps));
	cpu->gaps[cpu->gap_count++] = gap;
}

/* Where nothing at all is known of a CPU. Losses are told when they are found, which is later. */
static bool is_gap(const struct sched *sched, const struct event_loss *loss)
{
	return loss->log == EVENT_LOG_SWITCH && loss->reason == EVENT_LOSS_OVERWRITTEN &&
	       loss->from_ns <= loss->to_ns && loss->to_ns >= sched->perfetto->selection.from_ns;
}

static void find_gaps(struct sched *sched)
{
	struct model *model = sched->perfetto->model;
	unsigned int cpus = model_cpu_count(model);

	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);

		if (!is_gap(sched, loss))
			continue;
		if (loss->cpu != EVENT_ANY_CPU)
			add_gap(sched, loss->cpu, loss);
		for (unsigned int cpu = 0; loss->cpu == EVENT_ANY_CPU && cpu < cpus; cpu++)
			add_gap(sched, (uint16_t)cpu, loss);
	}
	for (unsigned int i = 0; i < SCHED_CPU_LIMIT; i++) {
		struct sched_cpu *cpu = sched->cpus[i];

		if (cpu && cpu->gap_count)
			qsort(cpu->gaps, cpu->gap_count, sizeof(*cpu->gaps), compare_gaps);
	}
}

void sched_begin(struct sched *sched, struct perfetto *perfetto)
{
	*sched = (struct sched){.perfetto = perfetto};
	sched->not_recorded_name = bundle_name(&sched->names, PERFETTO_NOT_RECORDED_NAME);
	for (size_t i = 0; i < perfetto->roster_count; i++) {
		const struct event_thread *thread = perfetto->roster[i];

		if (thread) {
			struct perfetto_name name = perfetto_name(thread->comm);

			sched_task_begin(sched, thread->tid, name.text, perfetto->begin_ns);
		}
	}
	find_gaps(sched);
}

void sched_finish(struct sched *sched)
{
	for (unsigned int i = 0; i < SCHED_CPU_LIMIT; i++) {
		struct sched_cpu *cpu = sched->cpus[i];

		if (!cpu)
			continue;
		sched_cpu_pass_gaps(sched, cpu, sched->perfetto->selection.to_ns);
		flush(sched, cpu);
		bundle_release(&cpu->bundle);
		free(cpu->gaps);
		free(cpu);
	}
	bundle_names_release(&sched->names);
	map64_release(&sched->tasks);
}
