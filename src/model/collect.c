/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timeline.h"

/* The first pass: what it is told, and whom it tells how far it is. */
struct collector {
	struct model *model;
	const struct model_options *options;
	struct model_listener listener; /* the caller's */
	uint64_t events;                /* in the recording */
};

static void on_run(void *context, const struct run *run)
{
	const struct model_listener *listener = &((struct collector *)context)->listener;
	struct thread *thread = run->thread;
	bool is_cut = !run->start_seen || !run->end_seen;

	thread->on_cpu_ns += run->to_ns - run->from_ns;
	thread->switches += run->start_seen;
	thread->preemptions += run->end_seen && run->end_state == 0 && thread->tid != 0;
	if (listener->run && !(is_cut && run->from_ns == run->to_ns))
		listener->run(listener->context, thread, run->cpu, run->from_ns, run->to_ns,
			      run->end_state, run->flags, is_cut);
}

static void keep(struct model *model, const struct wait *wait)
{
	struct wait *kept;

	array_reserve((void **)&model->waits, &model->wait_capacity, model->wait_count + 1,
		      sizeof(*model->waits));
	kept = &model->waits[model->wait_count];
	*kept = *wait;
	kept->id = (uint32_t)model->wait_count++;
	if (!wait->evidence)
		return;
	kept->evidence = arena_copy(&model->arena, wait->evidence, sizeof(*wait->evidence));
	if (wait->evidence->flags & EVENT_WAIT_KERNEL_THREAD)
		wait->thread->is_kernel = true;
}

static void on_wait(void *context, const struct wait *wait)
{
	struct collector *collector = context;
	struct model *model = collector->model;
	struct thread *thread = wait->thread;
	uint64_t blocked_ns = wait_blocked_ns(wait), runnable_ns = wait_runnable_ns(wait);

	thread->blocked_ns += blocked_ns;
	thread->runnable_ns += runnable_ns;
	if (!wait->is_open && blocked_ns + runnable_ns > thread->longest_wait_ns)
		thread->longest_wait_ns = blocked_ns + runnable_ns;
	if (!wait->is_open && runnable_ns > thread->longest_runnable_ns)
		thread->longest_runnable_ns = runnable_ns;
	if (wait->evidence || blocked_ns + runnable_ns >= model->keep_ns)
		keep(model, wait);
	if (collector->listener.wait)
		collector->listener.wait(collector->listener.context, wait);
}

static void on_waking(void *context, const struct event_waking *event, struct thread *waker,
		      struct thread *wakee)
{
	const struct model_listener *listener = &((struct collector *)context)->listener;

	if (listener->waking)
		listener->waking(listener->context, event, waker, wakee);
}

static void on_sample(void *context, const struct sample *sample)
{
	const struct model_listener *listener = &((struct collector *)context)->listener;
	struct model *model = ((struct collector *)context)->model;
	struct sample *kept;

	array_reserve((void **)&model->samples, &model->sample_capacity, model->sample_count + 1,
		      sizeof(*model->samples));
	kept = &model->samples[model->sample_count++];
	*kept = *sample;
	kept->event = arena_copy(&model->arena, sample->event, sizeof(*sample->event));
	sample->thread->samples++;
	if (sample->event->flags & EVENT_SAMPLE_KERNEL_THREAD)
		sample->thread->is_kernel = true;
	if (!model->sample_period_ns)
		model->sample_period_ns = sample->event->period_ns;
	if (listener->sample)
		listener->sample(listener->context, sample);
}

static void on_span(void *context, const struct event_span *event, struct thread *thread)
{
	(void)thread;
	spans_add(((struct collector *)context)->model, event);
}

static void on_event(void *context, const struct event_header *event)
{
	const struct model_listener *listener = &((struct collector *)context)->listener;

	if (listener->event)
		listener->event(listener->context, event);
}

static void on_progress(void *context, uint64_t events)
{
	const struct collector *collector = context;

	if (collector->options->progress && events < collector->events)
		collector->options->progress(collector->options->context,
					     (double)events / (double)collector->events);
}

static int compare_waits(const void *a, const void *b)
{
	const struct wait *left = a, *right = b;

	if (left->end_ns != right->end_ns)
		return left->end_ns < right->end_ns ? -1 : 1;
	return left->id < right->id ? -1 : 1; /* as they were told */
}

/* Numbers the waits by their ends, and looks at who woke them, now that stacks have names. */
static void seal_waits(struct model *model)
{
	if (model->wait_count)
		qsort(model->waits, model->wait_count, sizeof(*model->waits), compare_waits);
	for (size_t i = 0; i < model->wait_count; i++) {
		struct wait *wait = &model->waits[i];

		wait->id = (uint32_t)i;
		if (wait->evidence && !wait->waker_is_irq)
			wait->waker_is_irq =
				model_stack_is_interrupt(model, wait->evidence->waker_kernel_stack);
	}
}

const struct wait *collect_find_wait(const struct model *model, const struct wait *wait)
{
	size_t low = 0, high = model->wait_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model->waits[middle].end_ns < wait->end_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < model->wait_count && model->waits[low].end_ns == wait->end_ns; low++) {
		if (model->waits[low].thread == wait->thread &&
		    model->waits[low].start_ns == wait->start_ns)
			return &model->waits[low];
	}
	return NULL;
}

int collect(struct model *model, const struct model_options *options)
{
	const struct recording_info *info = recording_info(model->recording);
	struct collector collector = {.model = model, .options = options};
	struct timeline_sink sink = {
		.context = &collector,
		.run = on_run,
		.wait = on_wait,
		.waking = on_waking,
		.sample = on_sample,
		.span = on_span,
		.event = on_event,
		.progress = on_progress,
	};
	int err;

	if (options->listener)
		collector.listener = *options->listener;
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++)
		collector.events += info->event_count[kind];
	err = timeline_read(model, &sink, true);
	if (err)
		return err;
	roster_seal(model);
	targets_mark(model);
	seal_waits(model);
	for (size_t i = 0; i < model->roster.thread_count; i++) {
		struct thread *thread = model->roster.threads[i];

		/* the idle task is on several CPUs at once */
		if (thread->tid != 0)
			thread->unknown_ns = thread->end_ns - thread->start_ns - thread->on_cpu_ns -
					     thread->runnable_ns - thread->blocked_ns;
	}
	return 0;
}
