/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack samples: what CPUs were doing at ticks of the sampling clock, and what threads that waited
 * were waiting in, each weighted with its time. Each is a source of its own on a sequence of its
 * own.
 */
#include "export/perfetto.h"

#include "export/describe.h"

enum sample_unit {
	UNIT_NANOSECONDS = 1
}; /* StackSample.Unit */
enum sample_mode {
	MODE_USER = 1,
	MODE_KERNEL = 2
}; /* StackSample.Mode */
enum cpu_mode {
	CPU_MODE_KERNEL = 1,
	CPU_MODE_USER = 2
}; /* Profiling.CpuMode */
enum {
	PERF_COUNTER_CPU_CLOCK = 1
}; /* PerfEvents.Counter */

/* TracePacketDefaults of a source: what its weights count. */
static void declare_source(struct perfetto_sequence *sequence, const char *source,
			   const char *counter)
{
	struct buffer *defaults = &sequence->defaults;
	size_t sample = proto_open(defaults, 100); /* stack_sample_defaults */
	size_t descriptor;

	proto_text(defaults, 1, source);
	descriptor = proto_open(defaults, 2); /* primary_descriptor */
	proto_text(defaults, 2, counter);     /* name */
	proto_uint(defaults, 3, UNIT_NANOSECONDS);
	proto_close(defaults, descriptor);
	proto_close(defaults, sample);
}

static void declare_perf_source(struct perfetto *perfetto)
{
	struct buffer *defaults = &perfetto->on_cpu.defaults;
	uint64_t period_ns = model_sample_period_ns(perfetto->model);
	size_t sample = proto_open(defaults, 12); /* perf_sample_defaults */
	size_t timebase = proto_open(defaults, 1);

	if (period_ns)
		proto_uint(defaults, 2, 1000000000 / period_ns); /* frequency */
	proto_uint(defaults, 4, PERF_COUNTER_CPU_CLOCK);         /* counter */
	proto_text(defaults, 10, "dashcam.oncpu");
	proto_close(defaults, timebase);
	proto_close(defaults, sample);
}

static void add_task(struct buffer *packet, const struct thread *thread)
{
	size_t task = proto_open(packet, 1); /* task_context */

	proto_uint(packet, 2, describe_pid(thread));
	proto_uint(packet, 3, thread->tid);
	proto_close(packet, task);
}

static void write_on_cpu(struct perfetto *perfetto, const struct sample *sample)
{
	const struct event_sample *event = sample->event;
	struct perfetto_sequence *sequence = &perfetto->on_cpu;
	uint64_t callstack = perfetto_intern_callstack(perfetto, sequence, event->user_stack,
						       event->kernel_stack, false);
	struct buffer *packet = perfetto_packet_begin(perfetto, sequence, sample->time_ns);
	size_t stack = proto_open(packet, 135); /* stack_sample */
	size_t context;

	add_task(packet, sample->thread);
	context = proto_open(packet, 3); /* execution_context */
	proto_uint(packet, 2, event->cpu);
	proto_uint(packet, 3, event->flags & EVENT_SAMPLE_KERNEL ? MODE_KERNEL : MODE_USER);
	proto_close(packet, context);
	if (callstack)
		proto_uint(packet, 6, callstack); /* callstack_iid */
	proto_uint(packet, 11, event->period_ns); /* primary_weight */
	proto_close(packet, stack);
	perfetto_packet_end(perfetto, sequence);
}

/* The form of readers before v58. Its counts have no weights: each sample counts as one. */
static void write_perf_sample(struct perfetto *perfetto, const struct sample *sample)
{
	const struct event_sample *event = sample->event;
	const struct thread *thread = sample->thread;
	struct perfetto_sequence *sequence = &perfetto->on_cpu;
	uint64_t callstack = perfetto_intern_callstack(perfetto, sequence, event->user_stack,
						       event->kernel_stack, false);
	struct buffer *packet = perfetto_packet_begin(perfetto, sequence, sample->time_ns);
	size_t perf = proto_open(packet, 66); /* perf_sample */

	proto_uint(packet, 1, event->cpu);
	proto_uint(packet, 2, describe_pid(thread));
	proto_uint(packet, 3, thread->tid);
	if (callstack)
		proto_uint(packet, 4, callstack); /* callstack_iid */
	proto_uint(packet, 5, event->flags & EVENT_SAMPLE_KERNEL ? CPU_MODE_KERNEL : CPU_MODE_USER);
	proto_close(packet, perf);
	perfetto_packet_end(perfetto, sequence);
}

void perfetto_write_on_cpu_samples(struct perfetto *perfetto)
{
	struct model *model = perfetto->model;
	bool is_old = perfetto->options->old_samples;

	if (is_old)
		declare_perf_source(perfetto);
	else
		declare_source(&perfetto->on_cpu, "dashcam.oncpu", "CPU time");
	for (size_t i = 0; i < model_sample_count(model) && !perfetto->err; i++) {
		const struct sample *sample = model_sample(model, i);

		if (!selection_takes_time(&perfetto->selection, sample->time_ns) ||
		    !selection_takes_thread(&perfetto->selection, sample->thread))
			continue;
		if (is_old)
			write_perf_sample(perfetto, sample);
		else
			write_on_cpu(perfetto, sample);
	}
}

static void write_off_cpu(struct perfetto *perfetto, const struct wait *wait)
{
	struct perfetto_sequence *sequence = &perfetto->off_cpu;
	uint64_t callstack = perfetto_intern_callstack(
		perfetto, sequence, wait->evidence->user_stack, wait->evidence->kernel_stack, true);
	struct buffer *packet = perfetto_packet_begin(perfetto, sequence, wait->end_ns);
	size_t stack = proto_open(packet, 135); /* stack_sample */

	add_task(packet, wait->thread);
	if (callstack)
		proto_uint(packet, 6, callstack);              /* callstack_iid */
	proto_uint(packet, 11, wait->end_ns - wait->start_ns); /* primary_weight */
	proto_close(packet, stack);
	perfetto_packet_end(perfetto, sequence);
}

void perfetto_write_off_cpu_samples(struct perfetto *perfetto)
{
	struct model *model = perfetto->model;

	declare_source(&perfetto->off_cpu, "dashcam.offcpu", "off-CPU time");
	for (size_t i = 0; i < model_wait_count(model) && !perfetto->err; i++) {
		const struct wait *wait = model_wait(model, i);

		if (wait->evidence && selection_takes_wait(&perfetto->selection, wait))
			write_off_cpu(perfetto, wait);
	}
}
