/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/describe.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

uint32_t describe_pid(const struct thread *thread)
{
	bool is_known = thread->process && thread->process->pid != MODEL_NONE;

	return is_known ? thread->process->pid : thread->tid;
}

const char *describe_blocked_function(struct model *model, const struct event_wait *evidence)
{
	const struct stack *stack = model_stack(model, evidence->kernel_stack);
	uint32_t skip = stack ? model_stack_skip(stack) : 0;

	return stack && skip < stack->place_count ? stack->places[skip]->function : NULL;
}

const char *describe_state(const struct wait *wait)
{
	if (wait->prev_state == 0) {
		if (wait->switch_flags & EVENT_SWITCH_THROTTLED)
			return "throttled";
		return wait->switch_flags & EVENT_SWITCH_YIELD ? "yielded" : "preempted";
	}
	if (wait->prev_state & 0x4)
		return "stopped";
	if (wait->prev_state & 0x8)
		return "traced";
	return wait->prev_state & 0x2 ? "uninterruptible sleep" : "sleeping";
}

char *describe_wait(struct model *model, const struct wait *wait, char *text, size_t size)
{
	const struct event_wait *evidence = wait->evidence;
	const char *way = wait->prev_state ? "blocked" : describe_state(wait);
	const char *syscall = NULL, *function = NULL;
	char object[DESCRIBE_SIZE] = "";
	bool is_blocked = wait->prev_state != 0;

	if (evidence) {
		if (evidence->syscall != EVENT_NO_SYSCALL)
			syscall = model_syscall_name(evidence->syscall);
		if (evidence->object)
			model_object_text(model, evidence, object, sizeof(object));
		function = describe_blocked_function(model, evidence);
	}
	if (syscall && is_blocked)
		snprintf(text, size, "%s%s%s", syscall, object[0] ? " " : "", object);
	else if (syscall)
		snprintf(text, size, "%s in %s", way, syscall);
	else if (function && is_blocked)
		snprintf(text, size, "%s in %s", way, function);
	else
		snprintf(text, size, "%s", way);
	return text;
}

char *describe_waker(const struct wait *wait, char *text, size_t size)
{
	const struct thread *waker = wait->waker;
	bool is_thread = waker && waker->tid != 0;

	if (wait->waker_is_irq && is_thread)
		snprintf(text, size, "an interrupt while %s %u ran", waker->comm, waker->tid);
	else if (wait->waker_is_irq || (waker && waker->tid == 0))
		snprintf(text, size, "an interrupt");
	else if (is_thread)
		snprintf(text, size, "%s %u", waker->comm, waker->tid);
	else
		snprintf(text, size, "%s", "");
	return text;
}

void describe_stack(const struct stack *stack, struct buffer *out)
{
	for (uint32_t i = stack ? stack->place_count : 0; i > 0; i--) {
		const char *function = stack->places[i - 1]->function;

		if (out->size)
			buffer_add(out, ";", 1);
		buffer_add(out, function, strlen(function));
	}
}

const char *describe_call_end(const struct call *call, const struct call_name *name)
{
	if (call->flags & EVENT_SPAN_EXEC)
		return "its process began another program";
	if (call->flags & EVENT_SPAN_OPEN)
		return "had not returned";
	if (!(call->flags & EVENT_SPAN_BROKEN))
		return "";
	return name->flags & EVENT_NAME_ENTRY_ONLY ? "inferred: no probe on its return"
						   : "left by longjmp or an exception";
}

const char *describe_call_place(const struct call_name *name)
{
	if (name->flags & EVENT_NAME_CHEAP)
		return "cheap";
	return name->flags & EVENT_NAME_COSTLY ? "costly" : "";
}
