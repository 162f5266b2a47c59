/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns copied stacks and addresses into frames. See resolver_state.h. */
#include <string.h>

#include "symbol/resolver_state.h"
#include "symbol/unwind.h"

/* The code at a program's entry point is about this long: of the C library's dynamic loader 78
 * bytes. */
#define START_CODE_BYTES 96

/* Where one function of a stack is. */
struct location {
	struct mapping *mapping; /* NULL: nowhere that is known */
	struct module *module;
	uint64_t address; /* the module's own */
};

struct walker {
	struct resolver *resolver;
	struct process *process;
	struct unwind_state state;
	struct walk *walk;
	bool is_exact; /* the program counter is where the function was, not where a call returns to
			*/
};

static bool locate(const struct walker *walker, uint64_t pc, struct location *ret)
{
	ret->module = NULL;
	ret->address = pc;
	ret->mapping = processes_find(&walker->resolver->processes, walker->process, pc);
	if (!ret->mapping)
		return false;
	ret->module = modules_of(walker->resolver->modules, walker->process, ret->mapping);
	ret->address = module_address(ret->module, ret->mapping, pc);
	return true;
}

/* Adds a frame; false if there is no room. */
static bool add(struct walker *walker, const struct location *location)
{
	struct walk *walk = walker->walk;

	if (walk->count == EVENT_FRAMES_MAX) {
		walk->flags |= EVENT_STACK_TRUNCATED;
		return false;
	}
	walk->frames[walk->count++] =
		resolver_frame(walker->resolver, walker->process, location->mapping,
			       location->module, location->address);
	return true;
}

/* The hand-written code that a process begins with often says nothing about unwinding: it has no
 * caller. */
static bool is_process_start(const struct location *location)
{
	return location->module && location->module->entry &&
	       location->address - location->module->entry < START_CODE_BYTES;
}

/* A guessed caller must at least lie in code, behind a call where that can be seen. */
static bool is_plausible_caller(const struct walker *walker, const struct unwind_state *state)
{
	struct location location;

	if (!locate(walker, state->regs[unwind_native.program_counter], &location))
		return false;
	return location.module->kind == EVENT_MODULE_JIT || location.module->is_unreadable ||
	       module_is_call_site(walker->resolver->modules, location.module, location.address);
}

/*
 * Code without call frame information: compiled at run time, or written by hand. Where the function
 * was interrupted it may have no frame yet (or never): its return address is on top. Else it may
 * have a frame pointer; compilers of run-time code usually do.
 */
static enum unwind_result guess(struct walker *walker, bool is_jit)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		struct unwind_state state = walker->state;
		bool by_pointer = (attempt == 0) == is_jit;
		enum unwind_result result;

		if (!by_pointer && !walker->is_exact)
			continue; /* it has called another: what is on top is its own */
		result = by_pointer ? unwind_step_pointer(&state) : unwind_step_top(&state);
		if (result == UNWIND_END && by_pointer)
			return result;
		if (result == UNWIND_STEPPED && is_plausible_caller(walker, &state)) {
			walker->state = state;
			return UNWIND_STEPPED;
		}
	}
	return UNWIND_LOST;
}

/* Adds the frame of the current function and moves on to its caller. */
static enum unwind_result step(struct walker *walker)
{
	uint64_t pc = walker->state.regs[unwind_native.program_counter];
	enum unwind_result result = UNWIND_LOST;
	const struct unwind_row *row = NULL;
	struct location location;
	bool is_signal = false;

	if (!locate(walker, pc - !walker->is_exact, &location)) {
		/* A function may well be nowhere (a call of a bad pointer), but not a caller. */
		if (!walker->is_exact)
			return UNWIND_LOST;
	} else {
		row = module_row(walker->resolver->modules, location.module, location.address);
		is_signal = row->flags & UNWIND_ROW_SIGNAL;
		/* The kernel did not call from there: it made the handler return to this very
		 * place. */
		if (is_signal && !walker->is_exact)
			location.address++;
	}
	if (!add(walker, &location))
		return UNWIND_END;
	if (row && !(row->flags & UNWIND_ROW_NONE))
		result = unwind_step(&walker->state, row);
	else if (is_process_start(&location))
		return UNWIND_END;
	if (result == UNWIND_LOST)
		result =
			guess(walker, location.module && location.module->kind == EVENT_MODULE_JIT);
	walker->is_exact = is_signal;
	return result;
}

void walk_copy(struct resolver *resolver, const struct event_raw_user_stack *raw, struct walk *ret)
{
	struct walker walker = {
		.resolver = resolver,
		.process = processes_get(&resolver->processes, raw->pid),
		.state =
			{
				.known = (UINT64_C(1) << unwind_native.regs) - 1,
				.copy = raw->copy,
				.copy_start = raw->regs[unwind_native.stack_pointer],
				.copy_bytes = raw->copy_bytes,
			},
		.walk = ret,
		.is_exact = true,
	};
	enum unwind_result result;

	memcpy(walker.state.regs, raw->regs, unwind_native.regs * sizeof(raw->regs[0]));
	do
		result = step(&walker);
	while (result == UNWIND_STEPPED);
	if (result == UNWIND_BEYOND)
		ret->flags |= EVENT_STACK_TRUNCATED;
	else if (result == UNWIND_LOST)
		ret->flags |= EVENT_STACK_BROKEN;
}

void walk_addresses(struct resolver *resolver, const struct event_raw_user_frames *raw,
		    struct walk *ret)
{
	struct walker walker = {
		.resolver = resolver,
		.process = processes_get(&resolver->processes, raw->pid),
		.walk = ret,
	};

	for (uint32_t i = 0; i < raw->frame_count; i++) {
		struct location location;

		if (!locate(&walker, raw->addresses[i] - (i > 0), &location) && i > 0) {
			ret->flags |= EVENT_STACK_BROKEN;
			return;
		}
		if (!add(&walker, &location))
			return;
	}
}
