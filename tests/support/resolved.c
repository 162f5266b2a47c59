/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/resolved.h"

#include <string.h>

#include "event/schema.h"

static const void *get(const struct map64 *map, uint64_t key)
{
	uint64_t *value = map64_get(map, key);

	return value ? (const void *)(uintptr_t)*value : NULL;
}

void resolved_take(void *context, const struct event_header *event)
{
	struct resolved *resolved = context;
	const void *copy = arena_copy(&resolved->arena, event, event->size);
	const struct event_frame *frame = copy;

	if (!event_is_sound(event, event->size))
		abort();
	switch (event->kind) {
	case EVENT_STACK:
		map64_put(&resolved->stacks, ((const struct event_stack *)copy)->id,
			  (uintptr_t)copy);
		break;
	case EVENT_MODULE:
		map64_put(&resolved->modules, ((const struct event_module *)copy)->module,
			  (uintptr_t)copy);
		break;
	case EVENT_MAPPING:
		resolved->mapping_events++;
		break;
	case EVENT_FRAME:
		resolved->frame_events++;
		resolved->inlined += frame->flags & EVENT_FRAME_INLINED;
		resolved->with_line += frame->line > 0;
		if (frame->depth == 0)
			map64_put(&resolved->frames, frame->frame, (uintptr_t)copy);
		break;
	default:
		break;
	}
}

const struct event_stack *resolved_stack(const struct resolved *resolved, uint64_t id)
{
	return get(&resolved->stacks, id);
}

const struct event_frame *resolved_frame(const struct resolved *resolved, uint64_t frame)
{
	return get(&resolved->frames, frame);
}

char *resolved_text(const struct resolved *resolved, uint64_t id)
{
	const struct event_stack *stack = resolved_stack(resolved, id);
	struct buffer text = {.data = NULL};

	buffer_add(&text, "", 0);
	for (uint32_t i = 0; stack && i < stack->frame_count; i++) {
		const struct event_frame *frame = resolved_frame(resolved, stack->frames[i]);
		const struct event_module *module =
			get(&resolved->modules, EVENT_FRAME_MODULE(stack->frames[i]));
		const char *path = module ? strrchr(module->path, '/') : NULL;

		if (i > 0)
			buffer_printf(&text, " < ");
		if (frame && !(frame->flags & EVENT_FRAME_UNNAMED))
			buffer_printf(&text, "%s", frame->text);
		else
			buffer_printf(&text, "%s+0x%llx",
				      path     ? path + 1
				      : module ? module->path
					       : "?",
				      EVENT_FRAME_OFFSET(stack->frames[i]));
	}
	if (stack && stack->flags & EVENT_STACK_TRUNCATED)
		buffer_printf(&text, " < (truncated)");
	if (stack && stack->flags & EVENT_STACK_BROKEN)
		buffer_printf(&text, " < (broken)");
	return text.data;
}

void resolved_release(struct resolved *resolved)
{
	map64_release(&resolved->frames);
	map64_release(&resolved->stacks);
	map64_release(&resolved->modules);
	arena_release(&resolved->arena);
}
