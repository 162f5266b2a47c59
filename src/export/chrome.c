/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome's trace event format (JSON), for chrome://tracing, speedscope and ui.perfetto.dev: each
 * thread's runs and its waits with evidence as complete events, its spans as begins and ends,
 * arrows from wakers, stack samples. One event a line.
 *
 * Where functions were traced, their calls are the complete events of the thread's row, and its
 * runs and waits are begins and ends: on one row each would have to be inside the other.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "export/chrome.h"
#include "export/describe.h"
#include "export/json_text.h"

/* Times are in microseconds; the digits behind the point are the nanoseconds. */
void chrome_add_us(struct chrome *chrome, const char *key, uint64_t ns)
{
	buffer_printf(&chrome->line, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
		      (unsigned int)(ns % 1000));
}

void chrome_add_text(struct chrome *chrome, const char *key, const char *text)
{
	buffer_printf(&chrome->line, ",\"%s\":", key);
	json_text_add(&chrome->line, text);
}

void chrome_add_thread(struct chrome *chrome, const struct thread *thread)
{
	buffer_printf(&chrome->line, ",\"pid\":%u,\"tid\":%u", describe_pid(thread), thread->tid);
}

struct buffer *chrome_item_begin(struct chrome *chrome)
{
	buffer_clear(&chrome->line);
	buffer_add(&chrome->line, chrome->has_items ? ",\n" : "\n", chrome->has_items ? 2 : 1);
	chrome->has_items = true;
	return &chrome->line;
}

void chrome_write_line(struct chrome *chrome)
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
	chrome_write_line(chrome);
}

/* ---- names ---- */

static void write_name(struct chrome *chrome, const char *what, uint32_t pid, uint32_t tid,
		       const char *name)
{
	buffer_printf(chrome_item_begin(chrome),
		      "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":",
		      what, pid, tid);
	json_text_add(&chrome->line, name);
	buffer_printf(&chrome->line, "}}");
	chrome_write_line(chrome);
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

/* A slice on the thread's row; the caller adds to it and ends it. */
static void slice_begin(struct chrome *chrome, const char *category, const char *name,
			const struct thread *thread, uint64_t from_ns, uint64_t to_ns)
{
	buffer_printf(chrome_item_begin(chrome), "{\"ph\":\"%s\",\"cat\":\"%s\"",
		      chrome->has_calls ? "b" : "X", category);
	if (chrome->has_calls)
		buffer_printf(&chrome->line, ",\"id\":%u", thread->index);
	chrome_add_text(chrome, "name", name);
	chrome_add_thread(chrome, thread);
	chrome_add_us(chrome, "ts", from_ns);
	if (!chrome->has_calls)
		chrome_add_us(chrome, "dur", to_ns - from_ns);
}

static void slice_end(struct chrome *chrome, const char *category, const char *name,
		      const struct thread *thread, uint64_t to_ns)
{
	if (!chrome->has_calls)
		return;
	buffer_printf(chrome_item_begin(chrome), "{\"ph\":\"e\",\"cat\":\"%s\",\"id\":%u", category,
		      thread->index);
	chrome_add_text(chrome, "name", name);
	chrome_add_thread(chrome, thread);
	chrome_add_us(chrome, "ts", to_ns);
	buffer_add(&chrome->line, "}", 1);
	chrome_write_line(chrome);
}

static void take_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		     uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct chrome *chrome = context;

	(void)flags;
	if (thread->tid == 0 || !selection_takes_thread(&chrome->selection, thread))
		return;
	slice_begin(chrome, "cpu", "running", thread, from_ns, to_ns);
	buffer_printf(&chrome->line, ",\"args\":{\"cpu\":%u,\"end_state\":%u%s}}", cpu, end_state,
		      is_cut ? ",\"cut\":true" : "");
	chrome_write_line(chrome);
	slice_end(chrome, "cpu", "running", thread, to_ns);
}

static void add_wait_args(struct chrome *chrome, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	char text[DESCRIBE_SIZE];

	buffer_printf(&chrome->line,
		      ",\"args\":{\"blocked_ns\":%" PRIu64 ",\"runnable_ns\":%" PRIu64,
		      wait_blocked_ns(wait), wait_runnable_ns(wait));
	chrome_add_text(chrome, "state", describe_state(wait));
	chrome_add_text(chrome, "waker", describe_waker(wait, text, sizeof(text)));
	if (model_wait_owner(chrome->model, wait))
		chrome_add_text(chrome, "owner", model_wait_owner(chrome->model, wait)->comm);
	chrome_add_text(chrome, "object",
			model_object_text(chrome->model, evidence, text, sizeof(text)));
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
	buffer_printf(chrome_item_begin(chrome),
		      "{\"ph\":\"%s\",\"bp\":\"e\",\"name\":\"wakes\",\"cat\":\"wake\",\"id\":%u",
		      phase, wait->id);
	chrome_add_thread(chrome, thread);
	chrome_add_us(chrome, "ts", wait->wake_ns);
	buffer_add(&chrome->line, "}", 1);
	chrome_write_line(chrome);
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
	slice_begin(chrome, "wait", describe_wait(chrome->model, wait, title, sizeof(title)),
		    wait->thread, wait->start_ns, wait->end_ns);
	if (stack)
		buffer_printf(&chrome->line, ",\"sf\":%u", stack);
	add_wait_args(chrome, wait);
	buffer_add(&chrome->line, "}", 1);
	chrome_write_line(chrome);
	slice_end(chrome, "wait", title, wait->thread, wait->end_ns);
	if (wait->wake_seen && wait->waker && wait->waker->tid && !wait->waker_is_irq &&
	    wait->id != MODEL_NONE && selection_takes_thread(&chrome->selection, wait->waker)) {
		write_arrow(chrome, wait, "s", wait->waker);
		write_arrow(chrome, wait, "f", wait->thread);
	}
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
		buffer_printf(chrome_item_begin(chrome), "{\"name\":\"cpu\",\"cpu\":%u,\"tid\":%u",
			      sample->event->cpu, sample->thread->tid);
		chrome_add_us(chrome, "ts", sample->time_ns);
		chrome_add_us(chrome, "weight", sample->event->period_ns);
		buffer_printf(&chrome->line, ",\"sf\":%u}", stack);
		chrome_write_line(chrome);
	}
}

static void write_frames(struct chrome *chrome)
{
	for (uint32_t id = 1; id <= chrome->stacks.count; id++) {
		const struct chrome_frame *frame = &chrome->stacks.frames[id - 1];

		buffer_printf(chrome_item_begin(chrome), "\"%u\":{\"category\":", id);
		json_text_add(&chrome->line, frame->place->module);
		chrome_add_text(chrome, "name", frame->place->function);
		if (frame->parent)
			buffer_printf(&chrome->line, ",\"parent\":\"%u\"", frame->parent);
		buffer_add(&chrome->line, "}", 1);
		chrome_write_line(chrome);
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
	chrome_write_line(chrome);
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
	err = chrome_write_calls(chrome);
	if (err)
		return err;
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

	chrome.has_calls = recording_info(model_recording(model))->event_count[EVENT_CALL] > 0;
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
