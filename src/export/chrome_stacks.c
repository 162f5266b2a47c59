/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/chrome_stacks.h"

#include "base/memory.h"

static uint32_t add_frame(struct chrome_stacks *stacks, uint32_t parent, const struct place *place)
{
	uint64_t key[] = {parent, (uintptr_t)place};
	uint64_t hash = hash_bytes(key, sizeof(key));
	uint64_t *known = map64_get(&stacks->ids, hash);

	if (known)
		return (uint32_t)*known;
	array_reserve((void **)&stacks->frames, &stacks->capacity, stacks->count + 1,
		      sizeof(*stacks->frames));
	stacks->frames[stacks->count++] = (struct chrome_frame){place, parent};
	map64_put(&stacks->ids, hash, stacks->count);
	return (uint32_t)stacks->count;
}

static uint32_t add_stack(struct chrome_stacks *stacks, uint32_t parent, const struct stack *stack,
			  uint32_t skip)
{
	for (uint32_t i = stack ? stack->place_count : 0; i > skip; i--)
		parent = add_frame(stacks, parent, stack->places[i - 1]);
	return parent;
}

uint32_t chrome_stacks_add(struct chrome_stacks *stacks, struct model *model, uint64_t user_stack,
			   uint64_t kernel_stack, bool skip_scheduler)
{
	const struct stack *kernel = model_stack(model, kernel_stack);
	uint32_t id = add_stack(stacks, 0, model_stack(model, user_stack), 0);

	return add_stack(stacks, id, kernel,
			 kernel && skip_scheduler ? model_stack_skip(kernel) : 0);
}

void chrome_stacks_release(struct chrome_stacks *stacks)
{
	free(stacks->frames);
	map64_release(&stacks->ids);
	*stacks = (struct chrome_stacks){0};
}
