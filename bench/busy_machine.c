/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a recording of a machine that is busier than the one at hand:
 *
 *	busy_machine FILE [threads=N] [switches=N] [disk=N] [irqs=N] [spans=N]
 *
 * The threads take turns on a few CPUs. Each waits in its own way, for locks, pipes, events or the
 * disk, and is woken by one on another CPU. DISK more requests are written behind, many at a time;
 * interrupts take their part of runs; the first threads are inside of spans named "request".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/units.h"
#include "model/model.h"
#include "support/synth.h"

#define CPUS         4
#define FIRST_TID    1000
#define PROCESS      50 /* threads of each */
#define RUN_NS       20000
#define MIN_WAIT_NS  NS_PER_MS
#define SAMPLE_NS    (10 * NS_PER_MS)
#define SPANNED      16 /* threads with spans */
#define WRITER_TID   900
#define WRITE_BEHIND (20 * NS_PER_MS)
#define DISK         (254u << 20)
#define SYSCALL_NONE EVENT_NO_SYSCALL

static const char tables[] =
	"meta min_wait_ns 1000000\n"
	"thread 900 900 kworker/u8:0 flags=1\n"
	"stack k-futex kernel schedule futex_wait_queue futex_wait do_futex do_syscall_64\n"
	"stack k-epoll kernel schedule ep_poll do_epoll_wait do_syscall_64\n"
	"stack k-pipe kernel schedule pipe_read vfs_read do_syscall_64\n"
	"stack k-disk kernel io_schedule folio_wait_bit_common filemap_read vfs_read do_syscall_64\n"
	"stack by-pipe kernel ep_poll_callback pipe_write vfs_write\n"
	"stack u-lock user libc.so.6!pthread_mutex_lock work main\n"
	"stack u-work user compute work main\n"
	"event span_name name=1 text='request|app:serve'\n";

/* How a thread waits. */
static const struct {
	const char *syscall, *kernel, *user, *waker;
	uint16_t state;
} ways[] = {
	{"futex", "k-futex", "u-lock", "by-none", 1},
	{"epoll_wait", "k-epoll", "u-work", "by-pipe", 1},
	{"read", "k-pipe", "u-work", "by-pipe", 1},
	{"pread64", "k-disk", "u-work", "by-none", 2},
};

struct wanted {
	uint64_t threads, switches, disk, irqs, spans;
};

struct member {
	uint32_t tid, pid;
	uint64_t left_ns; /* its CPU */
	uint64_t span_ns; /* its span began */
};

struct processor {
	uint64_t time_ns, run_ns, sample_ns;
	uint64_t current; /* thread + 1; 0: idle */
	uint64_t turn;
};

struct machine {
	struct wanted wanted;
	struct synth *synth;
	struct member *members;
	struct processor cpus[CPUS];
	uint64_t seed;
	uint64_t switches, disk, irqs, spans; /* so far */
};

static uint64_t any(struct machine *machine, uint64_t below)
{
	return hash_mix(++machine->seed) % below;
}

#define EVENT(type, KIND, at)                                                                      \
	{                                                                                          \
		.header = {.kind = EVENT_##KIND, .size = sizeof(struct type), .time_ns = (at) }    \
	}

static int number_of(const char *syscall)
{
	for (int i = 0; i < 512; i++) {
		const char *name = model_syscall_name(i);

		if (name && !strcmp(name, syscall))
			return i;
	}
	return SYSCALL_NONE;
}

static void emit_disk(struct machine *machine, uint16_t cpu, uint32_t tid, uint32_t pid,
		      uint64_t from_ns, uint64_t to_ns)
{
	struct event_disk event = EVENT(event_disk, DISK, to_ns);

	event.queued_ns = from_ns;
	event.issued_ns = from_ns + (to_ns - from_ns) / 4;
	event.size_bytes = 4096;
	event.device = DISK;
	event.tid = tid;
	event.pid = pid;
	event.operation = tid == WRITER_TID;
	event.depth = (uint16_t)(1 + any(machine, 64));
	event.cpu = cpu;
	synth_event(machine->synth, cpu, &event.header);
	machine->disk++;
}

/* The evidence of a wait that ends at NOW_NS. */
static void emit_wait(struct machine *machine, uint16_t cpu, const struct member *member,
		      const struct member *waker, uint64_t wake_ns, uint64_t now_ns)
{
	size_t way = member->tid % ARRAY_SIZE(ways);
	struct event_wait event = EVENT(event_wait, WAIT, now_ns);

	event.blocked_ns = wake_ns - member->left_ns;
	event.runnable_ns = now_ns - wake_ns;
	event.tid = member->tid;
	event.pid = member->pid;
	event.prev_state = ways[way].state;
	event.cpu = cpu;
	event.syscall = (int16_t)number_of(ways[way].syscall);
	event.kernel_stack = synth_id(ways[way].kernel);
	event.user_stack = synth_id(ways[way].user);
	event.waker_kernel_stack =
		strcmp(ways[way].waker, "by-none") ? synth_id(ways[way].waker) : 0;
	event.waker_user_stack = synth_id("u-work");
	event.waker_tid = waker->tid;
	event.waker_pid = waker->pid;
	event.descriptor = -1;
	if (way == 0) {
		event.args[1] = 128;
		event.args[2] = 2;
		event.futex_address = 0x1000;
		event.futex_owner_tid = waker->tid;
	}
	synth_event(machine->synth, cpu, &event.header);
}

/* What happened in the run that ends. */
static void emit_run(struct machine *machine, uint16_t number)
{
	struct processor *cpu = &machine->cpus[number];
	const struct member *member = &machine->members[cpu->current - 1];
	struct event_sample sample = EVENT(event_sample, SAMPLE, cpu->time_ns);
	struct event_irq irq = EVENT(event_irq, IRQ, cpu->time_ns);

	if (cpu->time_ns - cpu->sample_ns > SAMPLE_NS) {
		cpu->sample_ns = cpu->time_ns;
		sample.tid = member->tid;
		sample.pid = member->pid;
		sample.cpu = number;
		sample.syscall = SYSCALL_NONE;
		sample.period_ns = SAMPLE_NS;
		sample.user_stack = synth_id("u-work");
		synth_event(machine->synth, number, &sample.header);
	}
	if (machine->irqs * machine->wanted.switches >= machine->wanted.irqs * machine->switches)
		return;
	irq.from_ns = cpu->run_ns;
	irq.tid = member->tid;
	irq.cpu = number;
	irq.soft_count[3] = 1;
	irq.soft_ns[3] = (cpu->time_ns - cpu->run_ns) / 4;
	synth_event(machine->synth, number, &irq.header);
	machine->irqs++;
}

static void emit_span(struct machine *machine, uint16_t cpu, struct member *member, uint64_t now_ns)
{
	struct event_span span = EVENT(event_span, SPAN, now_ns);

	if (member->span_ns && now_ns > member->span_ns) {
		span.start_ns = member->span_ns;
		span.tid = member->tid;
		span.pid = member->pid;
		span.name = 1;
		synth_event(machine->synth, cpu, &span.header);
		machine->spans++;
	}
	member->span_ns = now_ns + 1;
}

/* The thread at hand leaves, one that waited gets the CPU. */
static void step(struct machine *machine, uint16_t number)
{
	struct processor *cpu = &machine->cpus[number];
	const struct wanted *wanted = &machine->wanted;
	uint64_t per_cpu = wanted->threads / CPUS;
	uint64_t next = (cpu->turn++ + any(machine, 3)) % per_cpu * CPUS + number;
	struct member *to = &machine->members[next], *waker;
	const struct processor *other = &machine->cpus[(number + 1) % CPUS];
	struct event_switch change = EVENT(event_switch, SWITCH, 0);
	struct event_waking waking = EVENT(event_waking, WAKING, 0);

	if (cpu->current == next + 1 || !other->current)
		next = (next + CPUS) % (per_cpu * CPUS), to = &machine->members[next];
	waker = &machine->members[other->current ? other->current - 1
						 : (next + 1) % wanted->threads];
	waking.header.time_ns = cpu->time_ns + RUN_NS / 2 + any(machine, RUN_NS / 4);
	waking.waker_tid = waker->tid;
	waking.wakee_tid = to->tid;
	waking.cpu = (uint16_t)((number + 1) % CPUS);
	waking.target_cpu = number;
	waking.wakee_prio = 120;
	cpu->time_ns += RUN_NS + any(machine, RUN_NS);
	if (other->current)
		synth_event(machine->synth, number, &waking.header);
	change.header.time_ns = cpu->time_ns;
	change.cpu = number;
	change.next_tid = to->tid;
	change.next_prio = 120;
	change.prev_syscall = SYSCALL_NONE;
	if (cpu->current) {
		struct member *from = &machine->members[cpu->current - 1];

		emit_run(machine, number);
		change.prev_tid = from->tid;
		change.prev_state = ways[from->tid % ARRAY_SIZE(ways)].state;
		change.prev_syscall =
			(int16_t)number_of(ways[from->tid % ARRAY_SIZE(ways)].syscall);
		from->left_ns = cpu->time_ns;
	}
	synth_event(machine->synth, number, &change.header);
	machine->switches++;
	if (to->left_ns && other->current && to->left_ns < waking.header.time_ns) {
		if (to->tid % ARRAY_SIZE(ways) == 3)
			emit_disk(machine, number, to->tid, to->pid, to->left_ns,
				  waking.header.time_ns);
		if (cpu->time_ns - to->left_ns >= MIN_WAIT_NS)
			emit_wait(machine, number, to, waker, waking.header.time_ns, cpu->time_ns);
	}
	if (next < SPANNED && machine->spans < wanted->spans)
		emit_span(machine, number, to, cpu->time_ns);
	while (machine->disk * wanted->switches < wanted->disk * machine->switches)
		emit_disk(machine, number, WRITER_TID, WRITER_TID, cpu->time_ns - WRITE_BEHIND,
			  cpu->time_ns);
	cpu->current = next + 1;
	cpu->run_ns = cpu->time_ns;
}

static void make(struct machine *machine)
{
	for (uint64_t i = 0; i < machine->wanted.threads; i++) {
		uint32_t tid = FIRST_TID + (uint32_t)i, pid = tid - (uint32_t)(i % PROCESS);

		machine->members[i] = (struct member){.tid = tid, .pid = pid};
		synth_printf(machine->synth, "thread %u %u busy-%u\n", tid, pid, tid % 4);
	}
	for (unsigned int i = 0; i < CPUS; i++)
		machine->cpus[i].time_ns = SYNTH_ORIGIN_NS + NS_PER_S + any(machine, RUN_NS);
	while (machine->switches < machine->wanted.switches) {
		uint16_t first = 0;

		for (uint16_t i = 1; i < CPUS; i++) {
			if (machine->cpus[i].time_ns < machine->cpus[first].time_ns)
				first = i;
		}
		step(machine, first);
	}
}

static void read_word(struct wanted *wanted, const char *word)
{
	struct {
		const char *name;
		uint64_t *number;
	} words[] = {
		{"threads=", &wanted->threads}, {"switches=", &wanted->switches},
		{"disk=", &wanted->disk},       {"irqs=", &wanted->irqs},
		{"spans=", &wanted->spans},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strncmp(word, words[i].name, strlen(words[i].name)))
			*words[i].number = strtoull(word + strlen(words[i].name), NULL, 10);
	}
}

int main(int argc, char **argv)
{
	struct machine machine = {.wanted = {.threads = 64, .switches = 1000000}};
	int err;

	for (int i = 2; i < argc; i++)
		read_word(&machine.wanted, argv[i]);
	if (argc < 2 || machine.wanted.threads < 4 * CPUS) {
		fprintf(stderr,
			"busy_machine FILE [threads=N] [switches=N] [disk=N] [irqs=N] [spans=N]\n");
		return 2;
	}
	machine.members = xcalloc(machine.wanted.threads, sizeof(*machine.members));
	machine.synth = synth_new();
	synth_text(machine.synth, tables);
	make(&machine);
	err = synth_to_file(machine.synth, argv[1]);
	synth_free(machine.synth);
	free(machine.members);
	return err != 0;
}
