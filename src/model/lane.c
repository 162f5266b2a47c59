/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timeline.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void tell(struct timeline *timeline, struct lane *lane)
{
	struct wait *wait = &lane->wait;

	wait->start_ns = later(wait->start_ns, lane->told_ns);
	wait->end_ns = later(wait->end_ns, wait->start_ns);
	wait->wake_ns = earlier(later(wait->wake_ns, wait->start_ns), wait->end_ns);
	lane->told_ns = wait->end_ns;
	lane->hold = HOLD_NOTHING;
	timeline->sink->wait(timeline->sink->context, wait);
	wait->evidence = NULL;
}

void lane_flush(struct timeline *timeline, struct lane *lane)
{
	if (lane->hold == HOLD_WAIT)
		tell(timeline, lane);
	else if (lane->hold == HOLD_UNKNOWN)
		lane->told_ns = later(lane->told_ns, lane->wait.end_ns);
	lane->hold = HOLD_NOTHING;
}

void lane_wait_begin(struct lane *lane, uint64_t time_ns, uint16_t state, uint8_t flags,
		     int16_t syscall)
{
	time_ns = later(time_ns, lane->told_ns);
	lane->wait = (struct wait){
		.id = MODEL_NONE,
		.thread = lane->thread,
		.start_ns = time_ns,
		.wake_ns = state ? MODEL_TIME_UNKNOWN : time_ns,
		.prev_state = state,
		.switch_flags = flags,
		.syscall = syscall,
		.wake_seen = !state,
	};
	lane->state = state ? LANE_BLOCKED : LANE_RUNNABLE;
	lane->since_ns = time_ns;
	lane->start_assumed = false;
	if (lane->early_ns != MODEL_TIME_UNKNOWN && lane->early_ns + EARLY_WAKING_NS < time_ns)
		lane->early_ns = MODEL_TIME_UNKNOWN;
}

/* It slept since FROM_NS for all that is known, and nobody saw it go to sleep. */
static void assume_blocked(struct lane *lane, uint64_t from_ns)
{
	lane_wait_begin(lane, from_ns, STATE_ASSUMED, 0, EVENT_NO_SYSCALL);
	lane->start_assumed = true;
	lane->early_ns = MODEL_TIME_UNKNOWN;
}

static void set_waking(struct lane *lane, uint64_t time_ns, struct thread *waker, uint16_t cpu)
{
	lane->wait.wake_ns = time_ns;
	lane->wait.wake_seen = true;
	lane->wait.waker = waker;
	lane->wait.waker_cpu = cpu;
	lane->wait.waker_is_irq = waker && waker->tid == 0;
	lane->state = LANE_RUNNABLE;
}

/* Woken while runnable: it must have run and slept again in between, where events were lost.
 * Returns true if so; then that time is unknown. */
static bool missed_a_sleep(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	uint64_t doubt_ns = tables_doubt_from(&timeline->model->tables, lane->wait.wake_ns);

	if (doubt_ns >= time_ns)
		return false;
	lane_wait_lost(timeline, lane, doubt_ns);
	return true;
}

void lane_woken(struct timeline *timeline, struct lane *lane, const struct event_waking *event,
		struct thread *waker, uint64_t time_ns)
{
	lane_settle_evidence(timeline, lane);
	switch (lane->state) {
	case LANE_ON_CPU:
		lane->early_ns = time_ns;
		lane->early_waker = waker;
		lane->early_cpu = event->cpu;
		return;
	case LANE_ENDED:
		return;
	case LANE_RUNNABLE:
		if (lane->is_newborn) {
			lane->is_newborn = false;
			set_waking(lane, lane->wait.start_ns, waker, event->cpu);
			return;
		}
		if (!missed_a_sleep(timeline, lane, time_ns))
			return;
		assume_blocked(lane, time_ns);
		break;
	case LANE_UNKNOWN:
		assume_blocked(lane, time_ns);
		break;
	case LANE_UNSEEN:
	case LANE_LEFT:
		assume_blocked(lane, lane->since_ns);
		break;
	case LANE_BLOCKED:
		break;
	}
	set_waking(lane, time_ns, waker, event->cpu);
}

/* The wait is over, or lost, at TIME_NS. Without a wake-up, was there an early one? A resume event
 * may tell of a switch-in before the wake-up that was seen: then that one is early for the wait to
 * come. */
static void decide_waking(struct lane *lane, uint64_t time_ns)
{
	struct wait *wait = &lane->wait;

	if (lane->state == LANE_BLOCKED && lane->early_ns != MODEL_TIME_UNKNOWN)
		set_waking(lane, wait->start_ns, lane->early_waker, lane->early_cpu);
	lane->early_ns = MODEL_TIME_UNKNOWN;
	if (wait->wake_ns <= time_ns)
		return;
	if (lane->state == LANE_RUNNABLE) {
		lane->early_ns = wait->wake_ns;
		lane->early_waker = wait->waker;
		lane->early_cpu = wait->waker_cpu;
	}
	wait->wake_ns = time_ns;
	wait->wake_seen = false;
	wait->waker = NULL;
	wait->waker_is_irq = false;
}

void lane_wait_lost(struct timeline *timeline, struct lane *lane, uint64_t time_ns)
{
	time_ns = later(time_ns, lane->wait.start_ns);
	decide_waking(lane, time_ns);
	lane->wait.end_ns = time_ns;
	lane->wait.is_open = true;
	if (lane->is_open && !lane->wait.wake_seen) {
		lane->wait.evidence = lane->evidence;
		if (lane->start_assumed || lane->wait.prev_state == STATE_ASSUMED)
			lane->wait.prev_state = lane->evidence->prev_state;
		lane->wait.syscall = lane->evidence->syscall;
	}
	lane->is_open = false;
	tell(timeline, lane);
	lane->state = LANE_UNKNOWN;
	lane->since_ns = time_ns;
}

uint64_t lane_certain_until(const struct timeline *timeline, const struct lane *lane,
			    uint64_t cpu_known_ns)
{
	const struct wait *wait = &lane->wait;
	uint64_t own_ns = lane->state == LANE_RUNNABLE ? wait->wake_ns : wait->start_ns;
	uint64_t doubt_ns = tables_doubt_from(&timeline->model->tables, wait->start_ns);

	return later(own_ns, earlier(cpu_known_ns, doubt_ns));
}

/* What the kernel measured for the wait itself, where the events did not tell. */
static void join(struct timeline *timeline, struct lane *lane, const struct event_wait *event)
{
	struct wait *wait = &lane->wait;
	bool waking_known = !(event->flags & EVENT_WAIT_WAKER_LATE);
	uint64_t end_ns = wait->end_ns;
	uint64_t runnable_ns = waking_known ? earlier(event->runnable_ns, end_ns) : 0;
	uint64_t blocked_ns = earlier(event->blocked_ns, end_ns - runnable_ns);

	if (lane->hold == HOLD_UNKNOWN)
		*wait = (struct wait){.id = MODEL_NONE,
				      .thread = lane->thread,
				      .end_ns = end_ns,
				      .cpu = event->cpu};
	if (lane->hold == HOLD_UNKNOWN || lane->start_assumed) {
		wait->start_ns = end_ns - runnable_ns - blocked_ns;
		wait->prev_state = event->prev_state;
		wait->syscall = event->prev_state ? event->syscall : EVENT_NO_SYSCALL;
	}
	if (!wait->wake_seen) {
		wait->wake_ns = waking_known ? end_ns - runnable_ns : end_ns;
		wait->wake_seen = waking_known;
	}
	if (waking_known && !wait->waker && wait->prev_state) {
		struct lane *waker = event->waker_tid
					     ? identity_lane_of(timeline, event->waker_tid,
								event->waker_pid, wait->wake_ns)
					     : timeline->idle;

		wait->waker = waker->thread;
	}
	wait->waker_is_irq =
		(wait->waker && wait->waker->tid == 0) || (event->flags & EVENT_WAIT_WAKER_IRQ);
	wait->evidence = event;
	lane->hold = HOLD_WAIT;
	lane_flush(timeline, lane);
}

void lane_wait_end(struct timeline *timeline, struct lane *lane, uint64_t time_ns, uint16_t cpu)
{
	if (lane->has_evidence && lane->evidence->header.time_ns + EVIDENCE_SLACK_NS < time_ns)
		lane_settle_evidence(timeline, lane);
	time_ns = later(time_ns, lane->since_ns);
	lane->is_open = false;
	if (lane_is_waiting(lane)) {
		decide_waking(lane, time_ns);
		lane->hold = HOLD_WAIT;
	} else {
		lane->wait = (struct wait){.start_ns = lane->since_ns};
		lane->early_ns = MODEL_TIME_UNKNOWN;
		lane->hold = HOLD_UNKNOWN;
	}
	lane->wait.end_ns = time_ns;
	lane->wait.cpu = cpu;
	lane->state = LANE_ON_CPU;
	lane->is_newborn = false;
	lane->since_ns = time_ns;
	lane->cpu = cpu;
	if (lane->has_evidence) {
		lane->has_evidence = false;
		join(timeline, lane, lane->evidence);
	}
}

void lane_settle_evidence(struct timeline *timeline, struct lane *lane)
{
	if (!lane->has_evidence)
		return;
	lane->has_evidence = false;
	lane_wait_end(timeline, lane, lane->evidence->header.time_ns, lane->evidence->cpu);
	join(timeline, lane, lane->evidence);
	lane->state = LANE_UNKNOWN;
}

static bool is_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= EVIDENCE_SLACK_NS;
}

void lane_open_evidence(struct timeline *timeline, struct lane *lane,
			const struct event_wait *event)
{
	if (lane->state != LANE_BLOCKED && lane->state != LANE_UNSEEN)
		return;
	lane_settle_evidence(timeline, lane);
	if (!lane->evidence)
		lane->evidence = arena_alloc(&timeline->arena, sizeof(*lane->evidence));
	*lane->evidence = *event;
	lane->is_open = true;
}

void lane_evidence(struct timeline *timeline, struct lane *lane, const struct event_wait *event)
{
	uint64_t time_ns = event->header.time_ns;
	uint64_t waited_ns = event->blocked_ns + event->runnable_ns;

	if (lane->state == LANE_ENDED)
		return;
	if (lane->hold != HOLD_NOTHING && is_near(lane->wait.end_ns, time_ns)) {
		join(timeline, lane, event);
	} else if (lane->state != LANE_ON_CPU) {
		lane_settle_evidence(timeline, lane);
		if (!lane->evidence)
			lane->evidence = arena_alloc(&timeline->arena, sizeof(*lane->evidence));
		*lane->evidence = *event;
		lane->has_evidence = true;
	} else if (waited_ns < time_ns && timeline_split_run(timeline, lane, time_ns - waited_ns)) {
		/* both switches of this wait were lost: it had left its CPU and come back */
		lane_wait_begin(lane, time_ns - waited_ns, event->prev_state, 0,
				event->prev_state ? event->syscall : EVENT_NO_SYSCALL);
		lane_wait_end(timeline, lane, time_ns, event->cpu);
		join(timeline, lane, event);
		timeline_enter_again(timeline, lane, time_ns);
	}
}
