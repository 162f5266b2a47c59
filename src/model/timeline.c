/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timeline.h"

#define PROGRESS_EVENTS 65536

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct cpu *cpu_at(struct timeline *timeline, uint16_t number)
{
	if (number >= timeline->cpu_count) {
		array_reserve((void **)&timeline->cpus, &timeline->cpu_capacity, number + 1u,
			      sizeof(*timeline->cpus));
		while (timeline->cpu_count <= number)
			timeline->cpus[timeline->cpu_count++] =
				(struct cpu){.known_ns = timeline->model->start_ns};
	}
	return &timeline->cpus[number];
}

static uint16_t number_of(const struct timeline *timeline, const struct cpu *cpu)
{
	return (uint16_t)(cpu - timeline->cpus);
}

/* ---- who is on a CPU ---- */

/* The current thread's run ends at TO_NS; the CPU is nobody's then. */
static void tell_run(struct timeline *timeline, struct cpu *cpu, uint64_t to_ns,
		     const struct event_switch *end)
{
	struct lane *lane = cpu->current;
	struct run run = {
		.thread = lane->thread,
		.cpu = number_of(timeline, cpu),
		.start_seen = cpu->since_seen,
		.from_ns = cpu->since_ns,
	};

	if (lane != timeline->idle) {
		lane_flush(timeline, lane);
		run.from_ns = later(run.from_ns, lane->told_ns);
	}
	run.to_ns = later(to_ns, run.from_ns);
	if (end) {
		run.end_seen = true;
		run.end_state = end->prev_state;
		run.flags = end->flags;
	}
	lane->told_ns = run.to_ns;
	cpu->known_ns = run.to_ns;
	cpu->current = NULL;
	timeline->sink->run(timeline->sink->context, &run);
}

/* What the current thread did after TO_NS is not known. */
static void lose_current(struct timeline *timeline, struct cpu *cpu, uint64_t to_ns)
{
	struct lane *lane = cpu->current;

	tell_run(timeline, cpu, to_ns, NULL);
	if (lane == timeline->idle)
		return;
	lane->state = LANE_UNKNOWN;
	lane->since_ns = lane->told_ns;
	lane->early_ns = MODEL_TIME_UNKNOWN;
}

/* Another is there at TIME_NS: the current thread left unseen, and was off the CPU by then. */
static void displace_current(struct timeline *timeline, struct cpu *cpu, uint64_t time_ns)
{
	struct lane *lane = cpu->current;

	lose_current(timeline, cpu, cpu->proof_ns);
	if (lane == timeline->idle)
		return;
	lane->state = LANE_LEFT;
	lane->since_ns = later(time_ns, lane->told_ns);
}

void timeline_evict(struct timeline *timeline, struct lane *lane)
{
	struct cpu *cpu = &timeline->cpus[lane->cpu];

	lose_current(timeline, cpu, cpu->proof_ns);
}

static void set_current(struct cpu *cpu, struct lane *lane, uint64_t time_ns, bool is_seen)
{
	cpu->current = lane;
	cpu->since_ns = later(time_ns, cpu->known_ns);
	cpu->proof_ns = cpu->since_ns;
	cpu->since_seen = is_seen;
	cpu->is_seen = true;
}

/* A switch-in that was seen. */
static void enter(struct timeline *timeline, struct cpu *cpu, struct lane *lane, uint64_t time_ns)
{
	if (lane != timeline->idle) {
		if (lane->state == LANE_ON_CPU)
			timeline_evict(timeline, lane);
		time_ns = later(time_ns, cpu->known_ns);
		lane_wait_end(timeline, lane, time_ns, number_of(timeline, cpu));
		time_ns = lane->since_ns;
	}
	set_current(cpu, lane, time_ns, true);
}

/* The lane is on the CPU at TIME_NS, though no switch-in told so. Since when? */
static uint64_t unseen_entry(struct timeline *timeline, struct cpu *cpu, struct lane *lane,
			     uint64_t time_ns, uint64_t known_ns, bool from_start)
{
	if (lane == timeline->idle)
		return from_start ? timeline->model->start_ns : time_ns;
	if (lane->has_evidence) {
		lane_settle_evidence(timeline, lane);
		if (lane->evidence->cpu == number_of(timeline, cpu) &&
		    lane->since_ns >= cpu->lost_ns)
			return lane->since_ns;
	} else if (lane->state == LANE_UNSEEN && from_start) {
		return lane->since_ns;
	} else if (lane_is_waiting(lane)) {
		lane_wait_lost(timeline, lane, lane_certain_until(timeline, lane, known_ns));
	}
	return time_ns;
}

/* An event at TIME_NS shows the lane on the CPU, where another was or nothing was known. */
static void establish(struct timeline *timeline, struct cpu *cpu, struct lane *lane,
		      uint64_t time_ns)
{
	uint64_t known_ns = cpu->current ? cpu->proof_ns : cpu->known_ns;
	bool from_start = !cpu->is_seen;

	if (cpu->current)
		displace_current(timeline, cpu, time_ns);
	if (lane != timeline->idle && lane->state == LANE_ON_CPU)
		timeline_evict(timeline, lane);
	set_current(cpu, lane, unseen_entry(timeline, cpu, lane, time_ns, known_ns, from_start),
		    false);
	if (lane == timeline->idle)
		return;
	lane->state = LANE_ON_CPU;
	lane->cpu = number_of(timeline, cpu);
	lane->since_ns = cpu->since_ns;
	lane->is_newborn = false;
}

/* Something else than a switch shows the lane on the CPU. In a gap that says nothing of the time
 * after. */
static void see(struct timeline *timeline, uint16_t number, struct lane *lane, uint64_t time_ns)
{
	struct cpu *cpu = cpu_at(timeline, number);

	if (cpu->current == lane)
		cpu->proof_ns = later(cpu->proof_ns, time_ns);
	else if (!cpu->current && lane->state != LANE_ENDED && time_ns >= cpu->lost_ns &&
		 (lane == timeline->idle || lane->since_ns <= time_ns))
		establish(timeline, cpu, lane, time_ns);
}

bool timeline_split_run(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	struct cpu *cpu = &timeline->cpus[lane->cpu];

	if (cpu->proof_ns >= time_ns)
		return false;
	tell_run(timeline, cpu, time_ns, NULL);
	return true;
}

void timeline_enter_again(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	struct cpu *cpu = cpu_at(timeline, lane->cpu);

	if (cpu->current)
		displace_current(timeline, cpu, time_ns);
	if (time_ns >= cpu->lost_ns)
		set_current(cpu, lane, time_ns, true);
	else
		lane->state = LANE_UNKNOWN;
}

/* ---- events ---- */

static void on_switch(struct timeline *timeline, const struct event_switch *event, uint64_t time_ns)
{
	struct cpu *cpu = cpu_at(timeline, event->cpu);
	struct lane *prev = identity_lane_leaving(timeline, cpu->current, event->prev_tid, time_ns);
	struct lane *next;

	if (cpu->current != prev)
		establish(timeline, cpu, prev, time_ns);
	tell_run(timeline, cpu, time_ns, event);
	if (prev != timeline->idle) {
		if (event->prev_state & STATE_DEAD_MASK)
			identity_end(timeline, prev, time_ns);
		else
			lane_wait_begin(prev, time_ns, event->prev_state, event->flags,
					event->prev_syscall);
	}
	next = identity_lane(timeline, event->next_tid, time_ns);
	enter(timeline, cpu, next, time_ns);
}

static void on_waking(struct timeline *timeline, const struct event_waking *event, uint64_t time_ns)
{
	struct lane *waker = identity_lane(timeline, event->waker_tid, time_ns);
	struct lane *wakee;

	see(timeline, event->cpu, waker, time_ns);
	if (event->wakee_tid == 0)
		return;
	wakee = identity_lane_woken(timeline, event->wakee_tid, event->flags & EVENT_WAKING_NEW,
				    time_ns);
	lane_woken(timeline, wakee, event, waker->thread, time_ns);
	timeline->sink->waking(timeline->sink->context, event, waker->thread, wakee->thread);
}

/* It left its CPU at TIME_NS, which was found out later; it may have been woken since. */
static void leave_unseen(struct timeline *timeline, struct cpu *cpu, uint64_t time_ns)
{
	struct lane *lane = cpu->current;
	uint64_t early_ns = lane->early_ns;

	tell_run(timeline, cpu, time_ns, NULL);
	if (lane == timeline->idle)
		return;
	lane->state = LANE_LEFT;
	lane->since_ns = lane->told_ns;
	if (early_ns != MODEL_TIME_UNKNOWN && early_ns > time_ns) {
		struct event_waking waking = {.cpu = lane->early_cpu};

		lane_woken(timeline, lane, &waking, lane->early_waker, early_ns);
	}
	lane->early_ns = MODEL_TIME_UNKNOWN;
}

static void on_resume(struct timeline *timeline, const struct event_resume *event, uint64_t time_ns)
{
	struct cpu *cpu = cpu_at(timeline, event->cpu);
	struct lane *lane = identity_lane(timeline, event->tid, time_ns);
	uint64_t from_ns = time_ns > event->ran_ns ? time_ns - event->ran_ns : 0;

	/* the kernel could not tell since when: then the switch-out that follows says it all */
	if (event->ran_ns == 0)
		return;
	if (cpu->current == lane) {
		if (!cpu->since_seen && from_ns < cpu->since_ns)
			cpu->since_ns = later(from_ns, cpu->known_ns);
		cpu->since_seen = true;
		return;
	}
	if (cpu->current) {
		from_ns = later(from_ns, cpu->proof_ns);
		leave_unseen(timeline, cpu, from_ns);
	}
	enter(timeline, cpu, lane, from_ns);
}

static void on_sample(struct timeline *timeline, const struct event_sample *event, uint64_t time_ns)
{
	struct lane *lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);
	struct sample sample = {.time_ns = time_ns, .thread = lane->thread, .event = event};

	see(timeline, event->cpu, lane, time_ns);
	timeline->sink->sample(timeline->sink->context, &sample);
}

static void on_span(struct timeline *timeline, const struct event_span *event, uint64_t time_ns)
{
	struct lane *lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);

	timeline->sink->span(timeline->sink->context, event, lane->thread);
}

static void on_wait(struct timeline *timeline, const struct event_wait *event, uint64_t time_ns)
{
	struct lane *lane = identity_lane_of(timeline, event->tid, event->pid, time_ns);

	if (lane == timeline->idle)
		return;
	if (event->flags & EVENT_WAIT_OPEN)
		lane_open_evidence(timeline, lane, event);
	else
		lane_evidence(timeline, lane, event);
}

/* ---- gaps ---- */

static void lose_cpu(struct timeline *timeline, uint16_t number, const struct span_of_time *gap)
{
	struct cpu *cpu = cpu_at(timeline, number);

	if (cpu->current)
		lose_current(timeline, cpu, gap->from_ns);
	cpu->lost_ns = later(cpu->lost_ns, gap->to_ns);
	cpu->is_seen = true;
}

/* Gaps that begin before TIME_NS. */
static void apply_gaps(struct timeline *timeline, uint64_t time_ns)
{
	const struct tables *tables = &timeline->model->tables;

	while (timeline->gap_at < tables->gap_count &&
	       tables->gaps[timeline->gap_at].from_ns < time_ns) {
		const struct span_of_time *gap = &tables->gaps[timeline->gap_at++];
		unsigned int limit = timeline->cpu_count > timeline->model->cpu_count
					     ? timeline->cpu_count
					     : timeline->model->cpu_count;

		if (gap->cpu != EVENT_ANY_CPU)
			lose_cpu(timeline, gap->cpu, gap);
		for (unsigned int i = 0; gap->cpu == EVENT_ANY_CPU && i < limit; i++)
			lose_cpu(timeline, (uint16_t)i, gap);
	}
}

/* ---- reading ---- */

static void on_event(struct timeline *timeline, const struct event_header *event)
{
	uint64_t time_ns = later(event->time_ns, timeline->model->start_ns);

	timeline->now_ns = later(timeline->now_ns, time_ns);
	apply_gaps(timeline, time_ns);
	timeline->sink->event(timeline->sink->context, event);
	switch (event->kind) {
	case EVENT_SWITCH:
		on_switch(timeline, (const struct event_switch *)event, time_ns);
		break;
	case EVENT_WAKING:
		on_waking(timeline, (const struct event_waking *)event, time_ns);
		break;
	case EVENT_RESUME:
		on_resume(timeline, (const struct event_resume *)event, time_ns);
		break;
	case EVENT_WAIT:
		on_wait(timeline, (const struct event_wait *)event, time_ns);
		break;
	case EVENT_SAMPLE:
		on_sample(timeline, (const struct event_sample *)event, time_ns);
		break;
	case EVENT_SPAN:
		on_span(timeline, (const struct event_span *)event, time_ns);
		break;
	case EVENT_FORK:
		identity_fork(timeline, (const struct event_fork *)event, time_ns);
		break;
	case EVENT_EXEC:
		identity_exec(timeline, (const struct event_exec *)event, time_ns);
		break;
	case EVENT_EXIT:
		identity_exit(timeline, (const struct event_exit *)event, time_ns);
		break;
	case EVENT_RENAME:
		identity_rename(timeline, (const struct event_rename *)event, time_ns);
		break;
	default:
		break;
	}
}

/* The recording ends: what is under way is told as far as it came. */
static void finish_lane(struct timeline *timeline, struct lane *lane, uint64_t end_ns)
{
	lane_settle_evidence(timeline, lane);
	lane_flush(timeline, lane);
	/* Every switch is recorded: one that never appeared in any slept all the time. */
	if (lane->state == LANE_UNSEEN && lane->exit_ns == MODEL_TIME_UNKNOWN &&
	    timeline->model->tables.doubt_count == 0)
		lane_wait_begin(lane, lane->since_ns, STATE_ASSUMED, 0, EVENT_NO_SYSCALL);
	if (lane_is_waiting(lane))
		lane_wait_lost(timeline, lane, end_ns);
	else if (lane->exit_ns != MODEL_TIME_UNKNOWN && lane->told_ns < end_ns &&
		 lane->state != LANE_ENDED)
		end_ns = later(lane->exit_ns, lane->told_ns);
	if (lane->exit_ns != MODEL_TIME_UNKNOWN && lane->state != LANE_ENDED)
		identity_end(timeline, lane, end_ns);
}

static void finish(struct timeline *timeline)
{
	struct model *model = timeline->model;
	uint64_t end_ns;

	if (timeline->is_first)
		model->end_ns = later(model->end_ns, timeline->now_ns);
	end_ns = model->end_ns;
	apply_gaps(timeline, end_ns);
	identity_add_unmet(timeline);
	for (unsigned int i = 0; i < timeline->cpu_count; i++) {
		if (timeline->cpus[i].current)
			tell_run(timeline, &timeline->cpus[i], end_ns, NULL);
	}
	for (size_t i = 0; i < timeline->lane_count; i++) {
		if (timeline->lanes[i] != timeline->idle)
			finish_lane(timeline, timeline->lanes[i], end_ns);
	}
	if (timeline->is_first && timeline->cpu_count > model->cpu_count)
		model->cpu_count = timeline->cpu_count;
}

int timeline_open(struct timeline *timeline, struct model *model, const struct timeline_sink *sink,
		  bool is_first)
{
	struct recording_range range = {
		.streams = STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_EVIDENCE),
		.to_ns = is_first ? UINT64_MAX : model->end_ns,
	};

	*timeline = (struct timeline){.model = model, .sink = sink, .is_first = is_first};
	identity_init(timeline);
	return recording_cursor_new(&timeline->cursor, model->recording, &range);
}

int timeline_step(struct timeline *timeline)
{
	const struct event_header *event;
	int more = timeline->err;

	if (!more && !timeline->is_finished)
		more = recording_cursor_next(timeline->cursor, &event);
	if (more < 0)
		return more;
	if (more == 0) {
		if (!timeline->is_finished)
			finish(timeline);
		timeline->is_finished = true;
		return 0;
	}
	on_event(timeline, event);
	if (++timeline->events % PROGRESS_EVENTS == 0 && timeline->sink->progress)
		timeline->sink->progress(timeline->sink->context, timeline->events);
	return 1;
}

void timeline_close(struct timeline *timeline)
{
	recording_cursor_free(timeline->cursor);
	arena_release(&timeline->arena);
	map64_release(&timeline->lane_of_tid);
	free(timeline->lanes);
	free(timeline->cpus);
	free(timeline->row_used);
}

int timeline_read(struct model *model, const struct timeline_sink *sink, bool is_first)
{
	struct timeline timeline;
	int err = timeline_open(&timeline, model, sink, is_first);
	int more = 1;

	while (!err && more > 0)
		more = timeline_step(&timeline);
	timeline_close(&timeline);
	return err ? err : more;
}
