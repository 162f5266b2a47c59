/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/thread_stacks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

struct collector {
	struct thread_stacks *result;
	struct calltree *tree; /* of the result */
	struct model *model;
	const struct export_options *options;
	bool stacks_only;
	bool *has_stack; /* per thread */
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t *kept_blocked_ns; /* per thread: in waits that the model keeps */
	uint64_t *kept_runnable_ns;
	char short_note[64];
	struct map64 known_stacks; /* node and stack: node where the stack ends */
};

static uint64_t overlap_ns(const struct collector *collector, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns < collector->from_ns)
		from_ns = collector->from_ns;
	if (to_ns > collector->to_ns)
		to_ns = collector->to_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static bool is_whole_time(const struct collector *collector)
{
	return collector->from_ns <= model_start_ns(collector->model) &&
	       collector->to_ns >= model_end_ns(collector->model);
}

static bool is_asked_for(const struct collector *collector, const struct thread *thread)
{
	return thread->index != 0 && filter_takes_thread(&collector->options->filter, thread);
}

static bool is_left_out(const struct collector *collector, const struct thread *thread)
{
	return collector->stacks_only && !collector->has_stack[thread->index];
}

static bool takes_thread(const struct collector *collector, const struct thread *thread)
{
	return is_asked_for(collector, thread) && !is_left_out(collector, thread);
}

static uint32_t child(struct collector *collector, uint32_t parent, const char *text,
		      enum frame_kind kind)
{
	return calltree_child(collector->tree, parent,
			      &(struct calltree_frame){.text = text, .kind = kind});
}

static uint32_t thread_node(struct collector *collector, const struct thread *thread)
{
	const char *name = thread->comm;

	if (!collector->options->by_thread && thread->process)
		name = thread->process->comm;
	return child(collector, CALLTREE_ROOT, name && name[0] ? name : "[no name]", FRAME_THREAD);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static uint32_t place_node(struct collector *collector, uint32_t parent, const struct place *place)
{
	const char *function = place->function[0] ? place->function : "[unknown]";
	_cleanup_free_ char *with_line = NULL;
	struct calltree_frame frame = {
		.text = function,
		.kind = place->is_kernel    ? FRAME_KERNEL
			: place->is_inlined ? FRAME_INLINED
					    : FRAME_USER,
		.module = place->module[0] ? place->module : NULL,
		.file = place->file[0] ? place->file : NULL,
		.line = place->file[0] ? place->line : 0,
	};

	if (collector->options->with_lines && frame.file) {
		with_line = xasprintf("%s (%s:%u)", function, base_name(frame.file), frame.line);
		frame.text = with_line;
	}
	return calltree_child(collector->tree, parent, &frame);
}

/* Says why a stack is shorter than it was, where its outermost frames would be; NULL if it is
 * whole. */
static const char *incomplete_note(const struct stack *stack)
{
	if (stack->flags & EVENT_STACK_SKIPPED)
		return "[stack dropped]";
	if (stack->flags & EVENT_STACK_BROKEN)
		return "[broken stack]";
	if (stack->flags & EVENT_STACK_TRUNCATED)
		return "[truncated]";
	return NULL;
}

/* The node where the stack ends that begins at PARENT, without its SKIP innermost places. */
static uint32_t stack_node(struct collector *collector, uint32_t parent, const struct stack *stack,
			   uint32_t skip)
{
	uint64_t key = (uint64_t)parent << 32 | stack->index << 1 | (skip > 0);
	const uint64_t *known = map64_get(&collector->known_stacks, key);
	const char *note = incomplete_note(stack);
	uint32_t node = parent;

	if (known)
		return (uint32_t)*known;
	if (note)
		node = child(collector, node, note, FRAME_NOTE);
	for (uint32_t i = stack->place_count; i > skip; i--)
		node = place_node(collector, node, stack->places[i - 1]);
	map64_put(&collector->known_stacks, key, node);
	return node;
}

/* What a wait or a sample knows of its stacks. */
struct stack_pair {
	uint64_t kernel;
	uint64_t user;
	bool has_user_side;      /* false: a kernel thread */
	bool is_user_unreadable; /* paged out when it was to be copied */
	bool is_wait;
};

static uint32_t user_stack_node(struct collector *collector, uint32_t node,
				const struct stack_pair *stacks, bool *ret_is_incomplete)
{
	const struct stack *user = model_stack(collector->model, stacks->user);

	if (user) {
		*ret_is_incomplete = incomplete_note(user) != NULL;
		return stack_node(collector, node, user, 0);
	}
	if (!stacks->has_user_side)
		return node;
	*ret_is_incomplete = true;
	if (stacks->is_user_unreadable)
		return child(collector, node, "[user stack not readable]", FRAME_NOTE);
	return child(collector, node, "[no user stack]", FRAME_NOTE);
}

static uint32_t stacks_node(struct collector *collector, const struct thread *thread,
			    const struct stack_pair *stacks, bool *ret_is_incomplete)
{
	const struct stack *kernel = model_stack(collector->model, stacks->kernel);
	uint32_t node = thread_node(collector, thread);

	*ret_is_incomplete = false;
	node = user_stack_node(collector, node, stacks, ret_is_incomplete);
	if (!kernel)
		return node;
	*ret_is_incomplete |= incomplete_note(kernel) != NULL;
	return stack_node(collector, node, kernel, stacks->is_wait ? model_stack_skip(kernel) : 0);
}

static void add(struct collector *collector, uint32_t node, enum thread_time column, uint64_t ns)
{
	if (ns)
		calltree_add(collector->tree, node, column, ns);
}

static bool has_stacks(const struct event_wait *evidence)
{
	return evidence && (evidence->kernel_stack || evidence->user_stack);
}

static void add_wait(struct collector *collector, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	uint64_t blocked_ns = overlap_ns(collector, wait->start_ns, wait->wake_ns);
	uint64_t runnable_ns = overlap_ns(collector, wait->wake_ns, wait->end_ns);
	bool is_incomplete = false;
	uint32_t node;

	if (blocked_ns + runnable_ns == 0)
		return;
	if (has_stacks(evidence)) {
		node = stacks_node(
			collector, wait->thread,
			&(struct stack_pair){
				.kernel = evidence->kernel_stack,
				.user = evidence->user_stack,
				.has_user_side = !(evidence->flags & EVENT_WAIT_KERNEL_THREAD) &&
						 !wait->thread->is_kernel,
				.is_user_unreadable = evidence->flags & EVENT_WAIT_NO_USER_COPY,
				.is_wait = true,
			},
			&is_incomplete);
		collector->result->incomplete_ns += is_incomplete ? blocked_ns + runnable_ns : 0;
	} else {
		node = child(collector, thread_node(collector, wait->thread),
			     wait->is_open ? "[waiting when the recording ended: no stack]"
					   : "[no stack]",
			     FRAME_NOTE);
		collector->result->no_stack_ns += blocked_ns + runnable_ns;
	}
	add(collector, node, TIME_BLOCKED, blocked_ns);
	add(collector, node, TIME_RUN_QUEUE, runnable_ns);
}

static void add_short_waits(struct collector *collector, const struct thread *thread,
			    uint64_t blocked_ns, uint64_t runnable_ns)
{
	uint32_t node;

	if (blocked_ns + runnable_ns == 0)
		return;
	node = child(collector, thread_node(collector, thread), collector->short_note, FRAME_NOTE);
	add(collector, node, TIME_BLOCKED, blocked_ns);
	add(collector, node, TIME_RUN_QUEUE, runnable_ns);
	collector->result->short_ns += blocked_ns + runnable_ns;
}

static void add_kept_waits(struct collector *collector)
{
	for (size_t i = 0; i < model_wait_count(collector->model); i++) {
		const struct wait *wait = model_wait(collector->model, i);

		if (!takes_thread(collector, wait->thread))
			continue;
		collector->kept_blocked_ns[wait->thread->index] += wait_blocked_ns(wait);
		collector->kept_runnable_ns[wait->thread->index] += wait_runnable_ns(wait);
		add_wait(collector, wait);
	}
}

/* Of the whole recording, the waits that were not kept are what is left of the thread's totals. */
static void add_short_waits_of_all(struct collector *collector)
{
	for (size_t i = 0; i < model_thread_count(collector->model); i++) {
		const struct thread *thread = model_thread(collector->model, i);
		uint64_t blocked_ns = collector->kept_blocked_ns[i];
		uint64_t runnable_ns = collector->kept_runnable_ns[i];

		if (!takes_thread(collector, thread))
			continue;
		add_short_waits(
			collector, thread,
			thread->blocked_ns > blocked_ns ? thread->blocked_ns - blocked_ns : 0,
			thread->runnable_ns > runnable_ns ? thread->runnable_ns - runnable_ns : 0);
	}
}

static void on_short_wait(void *context, const struct wait *wait)
{
	struct collector *collector = context;

	if (wait->id == MODEL_NONE && takes_thread(collector, wait->thread))
		add_short_waits(collector, wait->thread,
				overlap_ns(collector, wait->start_ns, wait->wake_ns),
				overlap_ns(collector, wait->wake_ns, wait->end_ns));
}

static int add_short_waits_of_range(struct collector *collector)
{
	const struct model_listener listener = {.context = collector, .wait = on_short_wait};

	return model_replay(collector->model, collector->from_ns, collector->to_ns, &listener);
}

static int add_waits(struct collector *collector)
{
	size_t threads = model_thread_count(collector->model);
	int err = 0;

	collector->kept_blocked_ns = xcalloc(threads + 1, sizeof(uint64_t));
	collector->kept_runnable_ns = xcalloc(threads + 1, sizeof(uint64_t));
	add_kept_waits(collector);
	if (is_whole_time(collector))
		add_short_waits_of_all(collector);
	else
		err = add_short_waits_of_range(collector);
	free(collector->kept_blocked_ns);
	free(collector->kept_runnable_ns);
	return err;
}

static void add_sample(struct collector *collector, const struct sample *sample)
{
	const struct event_sample *event = sample->event;
	bool is_incomplete;
	uint32_t node =
		stacks_node(collector, sample->thread,
			    &(struct stack_pair){
				    .kernel = event->kernel_stack,
				    .user = event->user_stack,
				    .has_user_side = !(event->flags & EVENT_SAMPLE_KERNEL_THREAD) &&
						     !sample->thread->is_kernel,
				    .is_user_unreadable = event->flags & EVENT_SAMPLE_NO_USER_COPY,
			    },
			    &is_incomplete);

	add(collector, node, TIME_ON_CPU, event->period_ns);
	collector->result->incomplete_ns += is_incomplete ? event->period_ns : 0;
	collector->result->samples++;
}

static void add_samples(struct collector *collector)
{
	for (size_t i = 0; i < model_sample_count(collector->model); i++) {
		const struct sample *sample = model_sample(collector->model, i);

		if (takes_thread(collector, sample->thread) &&
		    sample->time_ns >= collector->from_ns && sample->time_ns < collector->to_ns)
			add_sample(collector, sample);
	}
}

/* Which threads the recording has stacks of. */
static void find_stacks(struct collector *collector)
{
	struct model *model = collector->model;
	bool has_any = false;

	collector->has_stack = xcalloc(model_thread_count(model) + 1, sizeof(bool));
	for (size_t i = 0; i < model_wait_count(model); i++)
		if (has_stacks(model_wait(model, i)->evidence))
			collector->has_stack[model_wait(model, i)->thread->index] = true;
	for (size_t i = 0; i < model_sample_count(model); i++)
		collector->has_stack[model_sample(model, i)->thread->index] = true;
	for (size_t i = 0; i < model_thread_count(model); i++)
		has_any |=
			collector->has_stack[i] && is_asked_for(collector, model_thread(model, i));
	collector->stacks_only &= has_any;
}

static void sum_threads(struct collector *collector)
{
	struct thread_stacks *result = collector->result;
	bool is_whole = is_whole_time(collector);

	for (size_t i = 0; i < model_thread_count(collector->model); i++) {
		const struct thread *thread = model_thread(collector->model, i);

		if (!is_asked_for(collector, thread))
			continue;
		result->threads++;
		if (is_left_out(collector, thread)) {
			result->left_out++;
			if (is_whole)
				result->left_out_ns += thread->blocked_ns + thread->runnable_ns;
		} else if (is_whole) {
			result->on_cpu_ns += thread->on_cpu_ns;
			result->unknown_ns += thread->unknown_ns;
		}
	}
	if (!is_whole)
		result->on_cpu_ns = MODEL_TIME_UNKNOWN;
}

/* "1 ms", "1.5 ms", "250 us". */
char *thread_stacks_limit_text(char text[UNITS_TEXT_SIZE], uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {NS_PER_US, "us"}, {1, "ns"}};
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && ns < units[i].ns)
		i++;
	snprintf(text, UNITS_TEXT_SIZE, "%g %s", (double)ns / (double)units[i].ns, units[i].name);
	return text;
}

int thread_stacks_collect(struct thread_stacks *ret, struct model *model,
			  const struct export_options *options, bool stacks_only)
{
	char min_wait[UNITS_TEXT_SIZE];
	struct collector collector = {
		.result = ret,
		.tree = &ret->tree,
		.model = model,
		.options = options,
		.stacks_only = stacks_only,
		.from_ns = options->filter.from_ns,
		.to_ns = options->filter.to_ns,
	};
	int err = 0;

	*ret = (struct thread_stacks){0};
	calltree_init(&ret->tree);
	if (options->side == EXPORT_ON_CPU && !model_sample_period_ns(model))
		return fail(
			-ENODATA,
			"the recording has no CPU samples (dashcam record --rate HZ takes them)");

	snprintf(collector.short_note, sizeof(collector.short_note),
		 "[waits shorter than %s: no stack]",
		 thread_stacks_limit_text(min_wait, model_min_wait_ns(model)));
	find_stacks(&collector);
	sum_threads(&collector);
	if (options->side != EXPORT_ON_CPU)
		err = add_waits(&collector);
	if (options->side != EXPORT_OFF_CPU)
		add_samples(&collector);
	free(collector.has_stack);
	map64_release(&collector.known_stacks);
	calltree_finish(&ret->tree);
	return err;
}

void thread_stacks_release(struct thread_stacks *stacks)
{
	calltree_release(&stacks->tree);
}
