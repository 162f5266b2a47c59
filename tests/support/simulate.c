/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/simulate.h"

#include "base/memory.h"
#include "support/synth.h"

#define FIRST_TID 100

enum doing {
	ON_CPU,
	RUNNABLE,
	BLOCKED,
	RUNNABLE_SINCE_BEFORE,
	DEAD
};

struct actor {
	struct simulated_thread truth;
	enum doing doing;
	uint64_t since_ns;
	uint64_t off_ns;  /* when it left its CPU */
	uint64_t wake_ns; /* when it was woken; off_ns if it stayed runnable */
	uint16_t state;   /* in which it left */
	uint32_t waker_tid;
};

struct machine {
	const struct simulation_options *options;
	uint64_t random;
	uint64_t now_ns;
	struct actor *actors;
	size_t count, capacity;
	size_t *current; /* per CPU: actor + 1, 0 is idle */
};

static uint64_t draw(struct machine *machine, uint64_t limit)
{
	machine->random ^= machine->random << 13;
	machine->random ^= machine->random >> 7;
	machine->random ^= machine->random << 17;
	return machine->random % limit;
}

static struct actor *actor_on(struct machine *machine, unsigned int cpu)
{
	return machine->current[cpu] ? &machine->actors[machine->current[cpu] - 1] : NULL;
}

static uint32_t tid_on(struct machine *machine, unsigned int cpu)
{
	const struct actor *actor = actor_on(machine, cpu);

	return actor ? actor->truth.tid : 0;
}

static void become(struct machine *machine, struct actor *actor, enum doing doing)
{
	uint64_t ns = machine->now_ns - actor->since_ns;

	switch (actor->doing) {
	case ON_CPU:
		actor->truth.on_cpu_ns += ns;
		break;
	case RUNNABLE:
		actor->truth.runnable_ns += ns;
		break;
	case BLOCKED:
		actor->truth.blocked_ns += ns;
		break;
	case RUNNABLE_SINCE_BEFORE:
		actor->truth.unknown_ns += ns;
		break;
	case DEAD:
		break;
	}
	actor->doing = doing;
	actor->since_ns = machine->now_ns;
}

static size_t add_actor(struct machine *machine, enum doing doing)
{
	array_reserve((void **)&machine->actors, &machine->capacity, machine->count + 1,
		      sizeof(struct actor));
	machine->actors[machine->count] = (struct actor){
		.truth.tid = FIRST_TID + (uint32_t)machine->count,
		.doing = doing,
		.since_ns = machine->now_ns,
		.off_ns = machine->now_ns,
		.wake_ns = machine->now_ns,
	};
	return machine->count++;
}

/* An actor that does this, from a random place on; count if there is none. */
static size_t find(struct machine *machine, enum doing doing)
{
	size_t start = machine->count ? draw(machine, machine->count) : 0;

	for (size_t i = 0; i < machine->count && i < 64; i++) {
		size_t at = (start + i) % machine->count;

		if (machine->actors[at].doing == doing)
			return at;
	}
	return machine->count;
}

/* ---- events ---- */

static struct event_header header(const struct machine *machine, unsigned int kind, size_t size)
{
	return (struct event_header){
		.kind = (uint16_t)kind, .size = (uint16_t)size, .time_ns = machine->now_ns};
}

static void emit(struct machine *machine, unsigned int cpu, const struct event_header *event)
{
	machine->options->emit(machine->options->context, (uint16_t)cpu, event);
}

static void emit_waking(struct machine *machine, unsigned int cpu, const struct actor *wakee,
			uint8_t flags)
{
	struct event_waking event = {
		.header = header(machine, EVENT_WAKING, sizeof(event)),
		.waker_tid = tid_on(machine, cpu),
		.wakee_tid = wakee->truth.tid,
		.cpu = (uint16_t)cpu,
		.flags = flags,
	};

	emit(machine, cpu, &event.header);
}

static void emit_sample(struct machine *machine, unsigned int cpu)
{
	struct event_sample event = {
		.header = header(machine, EVENT_SAMPLE, sizeof(event)),
		.tid = tid_on(machine, cpu),
		.pid = tid_on(machine, cpu),
		.cpu = (uint16_t)cpu,
		.syscall = EVENT_NO_SYSCALL,
		.period_ns = 1000000,
	};

	emit(machine, cpu, &event.header);
}

static void emit_evidence(struct machine *machine, unsigned int cpu, const struct actor *actor)
{
	struct event_wait event = {
		.header = header(machine, EVENT_WAIT, sizeof(event)),
		.blocked_ns = actor->wake_ns - actor->off_ns,
		.runnable_ns = machine->now_ns - actor->wake_ns,
		.tid = actor->truth.tid,
		.pid = actor->truth.tid,
		.prev_state = actor->state,
		.cpu = (uint16_t)cpu,
		.syscall = EVENT_NO_SYSCALL,
		.descriptor = -1,
		.waker_tid = actor->waker_tid,
	};

	emit(machine, cpu, &event.header);
}

/* The current thread of the CPU leaves it in STATE; whoever is runnable comes. */
static void switch_cpu(struct machine *machine, unsigned int cpu, uint16_t state)
{
	struct event_switch event = {
		.header = header(machine, EVENT_SWITCH, sizeof(event)),
		.prev_tid = tid_on(machine, cpu),
		.prev_state = state,
		.cpu = (uint16_t)cpu,
		.next_prio = 120,
		.prev_syscall = EVENT_NO_SYSCALL,
	};
	size_t next = find(machine, draw(machine, 4) ? RUNNABLE : RUNNABLE_SINCE_BEFORE);
	struct actor *prev = actor_on(machine, cpu), *actor;

	if (prev) {
		become(machine, prev, state & 0x80 ? DEAD : state ? BLOCKED : RUNNABLE);
		prev->off_ns = prev->wake_ns = machine->now_ns;
		prev->state = state;
	}
	machine->current[cpu] = next == machine->count ? 0 : next + 1;
	event.next_tid = tid_on(machine, cpu);
	if (event.next_tid == event.prev_tid) /* idle stays idle: no switch */
		return;
	emit(machine, cpu, &event.header);
	actor = actor_on(machine, cpu);
	if (!actor)
		return;
	if (actor->doing == RUNNABLE && draw(machine, 4) == 0)
		emit_evidence(machine, cpu, actor);
	become(machine, actor, ON_CPU);
	actor->truth.switches++;
}

/* ---- what can happen ---- */

static void wake_one(struct machine *machine, unsigned int cpu)
{
	size_t found = find(machine, BLOCKED);
	struct actor *actor = &machine->actors[found];

	if (found == machine->count)
		return;
	emit_waking(machine, cpu, actor, 0);
	become(machine, actor, RUNNABLE);
	actor->wake_ns = machine->now_ns;
	actor->waker_tid = tid_on(machine, cpu);
}

/* The thread on CPU had decided to sleep; another CPU wakes it before it is off. */
static void sleep_and_wake_early(struct machine *machine, unsigned int cpu)
{
	unsigned int other = (cpu + 1) % machine->options->cpus;
	struct actor *actor = actor_on(machine, cpu);

	if (!actor || other == cpu)
		return;
	emit_waking(machine, other, actor, 0);
	machine->now_ns += 1;
	switch_cpu(machine, cpu, 1);
	if (actor->doing == BLOCKED)
		become(machine, actor, RUNNABLE);
}

static void give_birth(struct machine *machine, unsigned int cpu)
{
	struct actor *actor;
	size_t added;
	struct event_fork event = {
		.header = header(machine, EVENT_FORK, sizeof(event)),
		.parent_tid = tid_on(machine, cpu),
		.parent_pid = tid_on(machine, cpu),
		.comm = "child",
	};

	if (!machine->current[cpu])
		return;
	added = add_actor(machine, RUNNABLE);
	actor = &machine->actors[added];
	event.tid = event.pid = actor->truth.tid;
	emit(machine, cpu, &event.header);
	machine->now_ns += 1;
	emit_waking(machine, cpu, actor, EVENT_WAKING_NEW);
}

static void end_one(struct machine *machine, unsigned int cpu)
{
	struct event_exit event = {
		.header = header(machine, EVENT_EXIT, sizeof(event)),
		.tid = tid_on(machine, cpu),
		.pid = tid_on(machine, cpu),
		.process_ended = 1,
	};

	if (!machine->current[cpu])
		return;
	emit(machine, cpu, &event.header);
	machine->now_ns += 1 + draw(machine, 3000);
	switch_cpu(machine, cpu, 0x80);
}

static void step(struct machine *machine)
{
	unsigned int cpu = (unsigned int)draw(machine, machine->options->cpus);
	uint64_t what = draw(machine, 100);

	machine->now_ns += 1 + draw(machine, 20000);
	if (what < 35)
		switch_cpu(machine, cpu,
			   machine->current[cpu] ? (uint16_t)(1 + draw(machine, 2)) : 0);
	else if (what < 50)
		switch_cpu(machine, cpu, 0);
	else if (what < 85)
		wake_one(machine, cpu);
	else if (what < 92)
		emit_sample(machine, cpu);
	else if (what < 95)
		sleep_and_wake_early(machine, cpu);
	else if (machine->options->no_births)
		switch_cpu(machine, cpu, 0);
	else if (what < 98)
		give_birth(machine, cpu);
	else if (what < 99)
		end_one(machine, cpu);
}

static void begin(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->options->threads; i++) {
		struct event_thread event = {
			.header = header(machine, EVENT_THREAD, sizeof(event) + 8),
			.comm = "thread",
		};
		char space[sizeof(event) + 8] __attribute__((aligned(8))) = {0};
		enum doing doing = i < machine->options->cpus ? ON_CPU
				   : draw(machine, 3)         ? BLOCKED
							      : RUNNABLE_SINCE_BEFORE;
		size_t added = add_actor(machine, doing);

		if (doing == ON_CPU)
			machine->current[i] = added + 1;
		event.tid = event.pid = machine->actors[added].truth.tid;
		*(struct event_thread *)space = event;
		emit(machine, 0, (struct event_header *)space);
	}
	/* so that each CPU's history begins at the start */
	for (unsigned int cpu = 0; cpu < machine->options->cpus; cpu++)
		emit_sample(machine, cpu);
}

void simulate(const struct simulation_options *options, struct simulated_thread **ret_threads,
	      size_t *ret_count)
{
	struct machine machine = {
		.options = options, .random = options->seed, .now_ns = SYNTH_ORIGIN_NS};
	struct simulated_thread *threads;

	machine.current = xcalloc(options->cpus, sizeof(*machine.current));
	begin(&machine);
	for (uint64_t i = 0; i < options->steps; i++)
		step(&machine);
	machine.now_ns += 1;
	emit_sample(&machine, 0);
	threads = xcalloc(machine.count, sizeof(*threads));
	for (size_t i = 0; i < machine.count; i++) {
		bool never_ran = machine.actors[i].doing == RUNNABLE_SINCE_BEFORE;

		become(&machine, &machine.actors[i], DEAD);
		threads[i] = machine.actors[i].truth;
		if (never_ran) { /* no event names it: it looks asleep */
			threads[i].blocked_ns = threads[i].unknown_ns;
			threads[i].unknown_ns = 0;
		}
	}
	*ret_threads = threads;
	*ret_count = machine.count;
	free(machine.actors);
	free(machine.current);
}
