/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/resolver.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "event/schema.h"
#include "symbol/resolver_state.h"

#define MODULE_ID_MAX 0xffff

void resolver_emit(struct resolver *resolver, struct event_header *event)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	event->time_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	if (resolver->options.sink)
		resolver->options.sink(resolver->options.context, event);
}

static void emit_module(struct resolver *resolver, const struct event_module *fixed,
			const char *path)
{
	size_t path_size = strlen(path) + 1;
	size_t size = event_align(sizeof(*fixed) + path_size);
	_cleanup_free_ struct event_module *event = xcalloc(1, size);

	*event = *fixed;
	event->header.kind = EVENT_MODULE;
	event->header.size = (uint16_t)size;
	memcpy(event->path, path, path_size);
	resolver_emit(resolver, &event->header);
}

int resolver_new(struct resolver **ret, const struct resolver_options *options)
{
	const struct event_module kernel = {
		.module = EVENT_MODULE_KERNEL,
		.kind = EVENT_MODULE_VMLINUX,
	};
	struct resolver *resolver;
	struct helper *helper;
	int err = helper_new(&helper, options->no_sandbox);

	if (err)
		return err;
	resolver = xcalloc(1, sizeof(*resolver));
	resolver->options = *options;
	resolver->helper = helper;
	resolver->processes.helper = helper;
	resolver->modules = modules_new(helper, options->source_lines);
	resolver->next_module = EVENT_MODULE_KERNEL + 1;
	emit_module(resolver, &kernel, "[kernel]");
	*ret = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	modules_free(resolver->modules);
	processes_release(&resolver->processes);
	helper_free(resolver->helper);
	map64_release(&resolver->stacks);
	map64_release(&resolver->frames);
	symbols_release(&resolver->kernel);
	free(resolver->waiting);
	free(resolver);
}

void resolver_map(struct resolver *resolver, const struct resolver_mapping *mapping)
{
	processes_map(&resolver->processes, mapping);
}

void resolver_fork(struct resolver *resolver, uint32_t parent_pid, uint32_t pid)
{
	processes_fork(&resolver->processes, parent_pid, pid);
}

void resolver_exec(struct resolver *resolver, uint32_t pid)
{
	processes_exec(&resolver->processes, pid);
}

void resolver_exit(struct resolver *resolver, uint32_t pid)
{
	processes_exit(&resolver->processes, pid);
}

void resolver_mapped_files(struct resolver *resolver, uint32_t pid,
			   void (*take)(void *context, const struct resolver_mapped *file),
			   void *context)
{
	const struct process *process = processes_read(&resolver->processes, pid);

	for (size_t i = 0; i < process->count; i++) {
		const struct mapping *mapping = &process->maps[i];
		const struct resolver_mapped file = {.path = mapping->path->text,
						     .inode = mapping->inode,
						     .device = mapping->device};

		if (mapping->inode)
			take(context, &file);
	}
}

/* Gives the module its id, once, and tells the sink. */
static void publish_module(struct resolver *resolver, struct module *module)
{
	struct event_module event = {
		.kind = module->kind,
		.inode = module->place.inode,
		.device = module->place.device,
		.pid = module->kind == EVENT_MODULE_JIT ? module->place.pid : 0,
		.build_id_size = module->build_id_size,
	};

	module->has_id = true;
	if (resolver->next_module > MODULE_ID_MAX) {
		if (resolver->next_module++ == MODULE_ID_MAX + 1)
			warn("more than %u files with code: functions of further ones have no names",
			     MODULE_ID_MAX);
		return;
	}
	module->id = resolver->next_module++;
	event.module = module->id;
	memcpy(event.build_id, module->build_id, module->build_id_size);
	emit_module(resolver, &event, module->place.path);
}

static void publish_mapping(struct resolver *resolver, uint32_t pid, const struct mapping *mapping,
			    const struct module *module)
{
	struct event_mapping event = {
		.header = {.kind = EVENT_MAPPING, .size = sizeof(event)},
		.pid = pid,
		.module = module->id,
		.start = mapping->start,
		.end = mapping->end,
		.file_offset = mapping->file_offset,
	};

	resolver_emit(resolver, &event.header);
}

void resolver_note_frame(struct resolver *resolver, uint64_t frame, struct module *module)
{
	struct new_frame new = {.frame = frame, .module = module};

	if (map64_get(&resolver->frames, frame))
		return;
	map64_put(&resolver->frames, frame, 1);
	array_reserve((void **)&resolver->waiting, &resolver->waiting_capacity,
		      resolver->waiting_count + 1, sizeof(*resolver->waiting));
	resolver->waiting[resolver->waiting_count++] = new;
}

uint64_t resolver_frame(struct resolver *resolver, const struct process *process,
			struct mapping *mapping, struct module *module, uint64_t offset)
{
	uint64_t frame;

	if (module && !module->has_id)
		publish_module(resolver, module);
	if (module && mapping && !mapping->is_told) {
		mapping->is_told = true;
		publish_mapping(resolver, process->pid, mapping, module);
	}
	frame = EVENT_FRAME(module ? module->id : EVENT_MODULE_UNKNOWN, offset);
	resolver_note_frame(resolver, frame, module && module->id ? module : NULL);
	return frame;
}

/* True if the stack's id is new; it is known from now on. */
static bool is_new_stack(struct resolver *resolver, uint64_t id)
{
	if (map64_get(&resolver->stacks, id))
		return false;
	map64_put(&resolver->stacks, id, 1);
	return true;
}

static void emit_stack(struct resolver *resolver, uint64_t id, uint32_t pid,
		       const struct walk *walk)
{
	size_t size = sizeof(struct event_stack) + walk->count * sizeof(walk->frames[0]);
	_cleanup_free_ struct event_stack *event = xcalloc(1, size);

	event->header.kind = EVENT_STACK;
	event->header.size = (uint16_t)size;
	event->id = id;
	event->pid = pid;
	event->flags = walk->flags;
	event->frame_count = walk->count;
	memcpy(event->frames, walk->frames, walk->count * sizeof(walk->frames[0]));
	if (walk->flags & EVENT_STACK_USER) {
		resolver->statistics.stacks++;
		resolver->statistics.truncated += (walk->flags & EVENT_STACK_TRUNCATED) != 0;
		resolver->statistics.broken += (walk->flags & EVENT_STACK_BROKEN) != 0;
	}
	resolver_emit(resolver, &event->header);
}

void resolver_user_stack(struct resolver *resolver, const struct event_raw_user_stack *raw)
{
	struct walk walk = {.flags = EVENT_STACK_USER};

	if (!event_is_sound(&raw->header, raw->header.size) || !is_new_stack(resolver, raw->id))
		return;
	walk_copy(resolver, raw, &walk);
	emit_stack(resolver, raw->id, raw->pid, &walk);
}

void resolver_user_frames(struct resolver *resolver, const struct event_raw_user_frames *raw)
{
	struct walk walk = {.flags = EVENT_STACK_USER | EVENT_STACK_POINTERS};

	if (!event_is_sound(&raw->header, raw->header.size) || !is_new_stack(resolver, raw->id))
		return;
	walk_addresses(resolver, raw, &walk);
	emit_stack(resolver, raw->id, raw->pid, &walk);
}

void resolver_kernel_stack(struct resolver *resolver, const struct event_raw_kernel_stack *raw)
{
	struct walk walk = {.flags = 0};

	if (!event_is_sound(&raw->header, raw->header.size) || !is_new_stack(resolver, raw->id))
		return;
	for (uint32_t i = 0; i < raw->frame_count; i++) {
		/* The innermost is where it was; the others are where a call returns to. */
		uint64_t address = raw->addresses[i] - (i > 0);

		if (walk.count == EVENT_FRAMES_MAX) {
			walk.flags |= EVENT_STACK_TRUNCATED;
			break;
		}
		walk.frames[walk.count] =
			EVENT_FRAME(EVENT_MODULE_KERNEL, address - EVENT_KERNEL_BASE);
		resolver_note_frame(resolver, walk.frames[walk.count++], NULL);
	}
	emit_stack(resolver, raw->id, 0, &walk);
}

void resolver_statistics(const struct resolver *resolver, struct resolver_statistics *ret)
{
	*ret = resolver->statistics;
	ret->child_restarts = helper_restarts(resolver->helper);
}
