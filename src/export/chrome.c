/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome's trace event format (JSON), for chrome://tracing, speedscope and ui.perfetto.dev: each
 * thread's runs and its waits with evidence as complete events, its spans as begins and ends,
 * arrows from wakers, stack samples. One event a line.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "export/chrome_stacks.h"
#include "export/describe.h"
#include "export/export.h"
#include "export/json_text.h"
#include "export/selection.h"

struct chrome {
	struct model *model;
	const struct export_options *options;
	struct selection selection;
	struct chrome_stacks stacks;
	FILE *out;
	bool has_items; /* in the list being written: the next one needs a comma before it */
	int err;
	struct buffer line;
};

/* Times are in microseconds; the digits behind the point are the nanoseconds. */
static void add_us(struct chrome *chrome, const char *key, uint64_t ns)
{
	buffer_printf(&chrome->line, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
		      (unsigned int)(ns % 1000));
}

static void add_text(struct chrome *chrome, const char *key, const char *text)
{
	buffer_printf(&chrome->line, ",\"%s\":", key);
	json_text_add(&chrome->line, text);
}

static void add_thread(struct chrome *chrome, const struct thread *thread)
{
	buffer_printf(&chrome->line, ",\"pid\":%u,\"tid\":%u", describe_pid(thread), thread->tid);
}

static struct buffer *item_begin(struct chrome *chrome)
{
	buffer_clear(&chrome->line);
	buffer_add(&chrome->line, chrome->has_items ? ",\n" : "\n", chrome->has_items ? 2 : 1);
	chrome->has_items = true;
	return &chrome->line;
}

static void write_line(struct chrome *chrome)
{
	errno = EIO;
	if (!chrome->err &&
	    fwrite(chrome->line.data, 1, chrome->line.size, chrome->out) != chrome->line.size)
		chrome->err = fail_errno(-errno, "writing the trace");
}

static void write_text(struct chrome *chrome, const char *text)
{
	buffer_clear(&chrome->line);
	buffer_printf(&chrome->line, "%s", text);
	write_line(chrome);
}

/* ---- names ---- */

static void write_name(struct chrome *chrome, const char *what, uint32_t pid, uint32_t tid,
		       const char *name)
{
	buffer_printf(item_begin(chrome),
		      "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":",
		      what, pid, tid);
	json_text_add(&chrome->line, name);
	buffer_printf(&chrome->line, "}}");
	write_line(chrome);
}

static void write_names(struct chrome *chrome)
{
	for (size_t i = 0; i < model_process_count(chrome->model); i++) {
		const struct process *process = model_process(chrome->model, i);

		if (process->pid && process->pid != MODEL_NONE &&
		    selection_takes_pid(&chrome->selection, process->pid))
			write_name(chrome, "process_name", process->pid, process->pid,
				   process->comm);
	}
	for (size_t i = 1; i < model_thread_count(chrome->model); i++) {
		const struct thread *thread = model_thread(chrome->model, i);

		if (selection_takes_thread(&chrome->selection, thread))
			write_name(chrome, "thread_name", describe_pid(thread), thread->tid,
				   thread->comm);
	}
}

/* ---- runs and waits ---- */

static void take_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		     uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct chrome *chrome = context;

	(void)flags;
	if (thread->tid == 0 || !selection_takes_thread(&chrome->selection, thread))
		return;
	buffer_printf(item_begin(chrome), "{\"ph\":\"X\",\"name\":\"running\",\"cat\":\"cpu\"");
	add_thread(chrome, thread);
	add_us(chrome, "ts", from_ns);
	add_us(chrome, "dur", to_ns - from_ns);
	buffer_printf(&chrome->line, ",\"args\":{\"cpu\":%u,\"end_state\":%u%s}}", cpu, end_state,
		      is_cut ? ",\"cut\":true" : "");
	write_line(chrome);
}

static void add_wait_args(struct chrome *chrome, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	char text[DESCRIBE_SIZE];

	buffer_printf(&chrome->line,
		      ",\"args\":{\"blocked_ns\":%" PRIu64 ",\"runnable_ns\":%" PRIu64,
		      wait_blocked_ns(wait), wait_runnable_ns(wait));
	add_text(chrome, "state", describe_state(wait));
	add_text(chrome, "waker", describe_waker(wait, text, sizeof(text)));
	if (model_wait_owner(chrome->model, wait))
		add_text(chrome, "owner", model_wait_owner(chrome->model, wait)->comm);
	add_text(chrome, "object", model_object_text(chrome->model, evidence, text, sizeof(text)));
	if (evidence->syscall != EVENT_NO_SYSCALL) {
		buffer_printf(&chrome->line, ",\"syscall\":%d,\"syscall_args\":[",
			      evidence->syscall);
		for (unsigned int i = 0; i < ARRAY_SIZE(evidence->args); i++)
			buffer_printf(&chrome->line, "%s\"0x%" PRIx64 "\"", i > 0 ? "," : "",
				      (uint64_t)evidence->args[i]);
		buffer_add(&chrome->line, "]", 1);
	}
	buffer_add(&chrome->line, "}", 1);
}

/* One end of an arrow: it is drawn from and to the slices that are there at that time. */
static void write_arrow(struct chrome *chrome, const struct wait *wait, const char *phase,
			const struct thread *thread)
{
	buffer_printf(item_begin(chrome),
		      "{\"ph\":\"%s\",\"bp\":\"e\",\"name\":\"wakes\",\"cat\":\"wake\",\"id\":%u",
		      phase, wait->id);
	add_thread(chrome, thread);
	add_us(chrome, "ts", wait->wake_ns);
	buffer_add(&chrome->line, "}", 1);
	write_line(chrome);
}

static void take_wait(void *context, const struct wait *wait)
{
	struct chrome *chrome = context;
	uint32_t stack;
	char title[DESCRIBE_SIZE];

	if (!wait->evidence || !selection_takes_wait(&chrome->selection, wait))
		return;
	stack = chrome_stacks_add(&chrome->stacks, chrome->model, wait->evidence->user_stack,
				  wait->evidence->kernel_stack, true);
	buffer_printf(item_begin(chrome), "{\"ph\":\"X\",\"cat\":\"wait\"");
	add_text(chrome, "name", describe_wait(chrome->model, wait, title, sizeof(title)));
	add_thread(chrome, wait->thread);
	add_us(chrome, "ts", wait->start_ns);
	add_us(chrome, "dur", wait->end_ns - wait->start_ns);
	if (stack)
		buffer_printf(&chrome->line, ",\"sf\":%u", stack);
	add_wait_args(chrome, wait);
	buffer_add(&chrome->line, "}", 1);
	write_line(chrome);
	if (wait->wake_seen && wait->waker && wait->waker->tid && !wait->waker_is_irq &&
	    wait->id != MODEL_NONE && selection_takes_thread(&chrome->selection, wait->waker)) {
		write_arrow(chrome, wait, "s", wait->waker);
		write_arrow(chrome, wait, "f", wait->thread);
	}
}

/* ---- spans ---- */

/* Begin and end of an asynchronous event, whose id is the thread: complete ones on its own row
 * would have to be inside its runs and waits, and spans are around them. */
static void write_span_edge(struct chrome *chrome, const struct span *span, const char *phase,
			    uint64_t time_ns)
{
	buffer_printf(item_begin(chrome), "{\"ph\":\"%s\",\"cat\":\"span\",\"id\":%u", phase,
		      span->thread->index);
	add_text(chrome, "name", span->name);
	add_thread(chrome, span->thread);
	add_us(chrome, "ts", time_ns);
	if (*phase == 'b') {
		buffer_printf(&chrome->line, ",\"args\":{\"depth\":%u", span->depth);
		add_text(chrome, "function", span->function);
		if (span->flags)
			add_text(chrome, "end", describe_span_end(span));
		buffer_add(&chrome->line, "}", 1);
	}
	buffer_add(&chrome->line, "}", 1);
	write_line(chrome);
}

/* Ends the spans that the next one of the thread is not inside of, innermost first. */
static void end_spans(struct chrome *chrome, uint32_t *innermost, uint32_t until)
{
	while (*innermost != until && *innermost != MODEL_NONE) {
		const struct span *span = model_span(chrome->model, *innermost);

		write_span_edge(chrome, span, "e", span->end_ns);
		*innermost = span->parent;
	}
}

/* Viewers pair begins and ends in the order they stand in. */
static void write_spans(struct chrome *chrome)
{
	size_t threads = model_thread_count(chrome->model);
	uint32_t *innermost = xmalloc((threads + 1) * sizeof(*innermost));

	for (size_t i = 0; i < threads; i++)
		innermost[i] = MODEL_NONE;
	for (size_t i = 0; i < model_span_count(chrome->model); i++) {
		const struct span *span = model_span(chrome->model, i);
		uint32_t *around = &innermost[span->thread->index];

		if (!selection_takes_span(&chrome->selection, span))
			continue;
		end_spans(chrome, around, span->parent);
		write_span_edge(chrome, span, "b", span->start_ns);
		*around = span->id;
	}
	for (size_t i = 0; i < threads; i++)
		end_spans(chrome, &innermost[i], MODEL_NONE);
	free(innermost);
}

/* ---- stacks ---- */

static void write_samples(struct chrome *chrome)
{
	for (size_t i = 0; i < model_sample_count(chrome->model); i++) {
		const struct sample *sample = model_sample(chrome->model, i);
		uint32_t stack;

		if (!selection_takes_time(&chrome->selection, sample->time_ns) ||
		    !selection_takes_thread(&chrome->selection, sample->thread))
			continue;
		stack = chrome_stacks_add(&chrome->stacks, chrome->model, sample->event->user_stack,
					  sample->event->kernel_stack, false);
		if (!stack)
			continue;
		buffer_printf(item_begin(chrome), "{\"name\":\"cpu\",\"cpu\":%u,\"tid\":%u",
			      sample->event->cpu, sample->thread->tid);
		add_us(chrome, "ts", sample->time_ns);
		add_us(chrome, "weight", sample->event->period_ns);
		buffer_printf(&chrome->line, ",\"sf\":%u}", stack);
		write_line(chrome);
	}
}

static void write_frames(struct chrome *chrome)
{
	for (uint32_t id = 1; id <= chrome->stacks.count; id++) {
		const struct chrome_frame *frame = &chrome->stacks.frames[id - 1];

		buffer_printf(item_begin(chrome), "\"%u\":{\"category\":", id);
		json_text_add(&chrome->line, frame->place->module);
		add_text(chrome, "name", frame->place->function);
		if (frame->parent)
			buffer_printf(&chrome->line, ",\"parent\":\"%u\"", frame->parent);
		buffer_add(&chrome->line, "}", 1);
		write_line(chrome);
	}
}

/* ---- the whole ---- */

static void write_facts(struct chrome *chrome)
{
	buffer_clear(&chrome->line);
	buffer_printf(&chrome->line,
		      "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost_events\":%" PRIu64,
		      model_lost_events(chrome->model));
	for (size_t i = 0; i < model_meta_count(chrome->model); i++) {
		const char *name, *value;

		model_meta_at(chrome->model, i, &name, &value);
		buffer_add(&chrome->line, ",", 1);
		json_text_add(&chrome->line, name);
		buffer_add(&chrome->line, ":", 1);
		json_text_add(&chrome->line, value);
	}
	buffer_printf(&chrome->line, "},\n\"traceEvents\":[");
	write_line(chrome);
}

static int write_trace(struct chrome *chrome)
{
	const struct model_listener listener = {
		.context = chrome, .run = take_run, .wait = take_wait};
	int err;

	write_facts(chrome);
	write_names(chrome);
	err = model_replay(chrome->model, chrome->selection.from_ns, chrome->selection.to_ns,
			   &listener);
	if (err)
		return err;
	write_spans(chrome);
	write_text(chrome, "\n],\n\"samples\":[");
	chrome->has_items = false;
	write_samples(chrome);
	write_text(chrome, "\n],\n\"stackFrames\":{");
	chrome->has_items = false;
	write_frames(chrome);
	write_text(chrome, "\n}}\n");
	return chrome->err;
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	struct chrome chrome = {.model = model, .options = options, .out = out};
	int err;

	selection_init(&chrome.selection, model, &options->filter);
	err = write_trace(&chrome);
	selection_release(&chrome.selection);
	chrome_stacks_release(&chrome.stacks);
	buffer_release(&chrome.line);
	return err;
}

const struct export export_chrome = {
	.name = "chrome",
	.summary = "trace event JSON for chrome://tracing, speedscope, ui.perfetto.dev",
	.suffix = ".trace.json",
	.run = run,
};
