/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "event/schema.h"
#include "model/internal.h"

/* A place as its event gave it, until all are known. */
struct place_row {
	uint64_t frame;
	uint32_t order; /* of the events */
	uint16_t depth;
	struct place *place;
};

struct module {
	const char *name;
	const char *path;
	bool is_kernel;
};

/* The places of one frame: rows FIRST to FIRST + COUNT - 1. */
#define RANGE(first, count) ((uint64_t)(first) << 16 | (count))
#define RANGE_FIRST(range)  ((range) >> 16)
#define RANGE_COUNT(range)  ((uint32_t)((range)&0xffff))

struct stack_table {
	struct model *model;
	struct map64 modules; /* number: struct module * */
	struct place_row *rows;
	size_t row_count, row_capacity;
	struct map64 places_of_frame; /* RANGE of rows */
	struct stack **stacks; /* each content once, by index; places are made on first use */
	size_t stack_count, stack_capacity;
	struct map64 stack_of_id;      /* index */
	struct map64 stack_of_content; /* hash of the frames: index */
	struct map64 interrupts;       /* index: is it one */
};

struct stack_table *stack_table_new(struct model *model)
{
	struct stack_table *table = xcalloc(1, sizeof(*table));

	table->model = model;
	return table;
}

void stack_table_free(struct stack_table *table)
{
	if (!table)
		return;
	map64_release(&table->modules);
	map64_release(&table->places_of_frame);
	map64_release(&table->stack_of_id);
	map64_release(&table->stack_of_content);
	map64_release(&table->interrupts);
	free(table->rows);
	free(table->stacks);
	free(table);
}

/* ---- definitions ---- */

static bool has_content(const struct stack *stack, const struct event_stack *event)
{
	return stack->place_count == event->frame_count &&
	       stack->flags == event->flags &&
	       !memcmp(stack->frames, event->frames, event->frame_count * sizeof(uint64_t));
}

/* The stack with the frames of the event, made if it is new. Until its first use, it has the frames
 * as they were written and no places. */
static uint32_t find_content(struct stack_table *table, const struct event_stack *event)
{
	struct arena *arena = &table->model->arena;
	uint64_t hash = hash_bytes(event->frames, event->frame_count * sizeof(uint64_t)) +
			event->flags;
	const uint64_t *known;
	struct stack *stack;

	/* other frames with the same hash go to the next number */
	for (; (known = map64_get(&table->stack_of_content, hash)); hash++) {
		if (has_content(table->stacks[*known], event))
			return (uint32_t)*known;
	}
	stack = arena_alloc(arena, sizeof(*stack));
	stack->index = (uint32_t)table->stack_count;
	stack->id = event->id;
	stack->flags = event->flags;
	stack->place_count = event->frame_count;
	stack->frames = arena_copy(arena, event->frames, event->frame_count * sizeof(uint64_t));
	map64_put(&table->stack_of_content, hash, stack->index);
	array_reserve((void **)&table->stacks, &table->stack_capacity, table->stack_count + 1,
		      sizeof(struct stack *));
	table->stacks[table->stack_count++] = stack;
	return stack->index;
}

void stack_table_add_stack(struct stack_table *table, const struct event_stack *event)
{
	const uint64_t *known = map64_get(&table->stack_of_id, event->id);

	/* Defined again: only one that could not be unwound before is replaced. */
	if (event->id == 0 || (known && !(table->stacks[*known]->flags & EVENT_STACK_SKIPPED)))
		return;
	map64_put(&table->stack_of_id, event->id, find_content(table, event));
}

void stack_table_add_module(struct stack_table *table, const struct event_module *event)
{
	struct model *model = table->model;
	struct module *module = arena_alloc(&model->arena, sizeof(*module));
	const char *slash = strrchr(event->path, '/');

	module->is_kernel = event->kind == EVENT_MODULE_VMLINUX;
	module->path = model_text(model, event->path);
	module->name = module->is_kernel                 ? "kernel"
		       : slash                           ? model_text(model, slash + 1)
		       : *module->path                   ? module->path
		       : event->kind == EVENT_MODULE_JIT ? "[jit]"
							 : "";
	map64_put(&table->modules, event->module, (uintptr_t)module);
}

static const struct module *find_module(const struct stack_table *table, uint32_t number)
{
	static const struct module unknown = {.name = "", .path = ""};
	static const struct module kernel = {.name = "kernel", .path = "", .is_kernel = true};
	const uint64_t *known = map64_get(&table->modules, number);

	if (known)
		return (const struct module *)(uintptr_t)*known;
	return number == EVENT_MODULE_KERNEL ? &kernel : &unknown;
}

/* ---- places ---- */

/* What stands for a function where no symbol covers the address. */
static const char *unnamed_text(struct stack_table *table, uint64_t frame,
				const struct module *module)
{
	char text[512];

	if (EVENT_FRAME_MODULE(frame) == EVENT_MODULE_UNKNOWN || !*module->name)
		snprintf(text, sizeof(text), "0x%llx", EVENT_FRAME_OFFSET(frame));
	else
		snprintf(text, sizeof(text), "%s+0x%llx", module->name, EVENT_FRAME_OFFSET(frame));
	return model_text(table->model, text);
}

static void add_place(struct stack_table *table, uint64_t frame, uint16_t depth,
		      struct place *place)
{
	array_reserve((void **)&table->rows, &table->row_capacity, table->row_count + 1,
		      sizeof(*table->rows));
	table->rows[table->row_count] = (struct place_row){
		.frame = frame,
		.order = (uint32_t)table->row_count,
		.depth = depth,
		.place = place,
	};
	table->row_count++;
}

void stack_table_add_frame(struct stack_table *table, const struct event_frame *event)
{
	struct model *model = table->model;
	struct place *place = arena_alloc(&model->arena, sizeof(*place));

	place->is_unnamed = (event->flags & EVENT_FRAME_UNNAMED) || !*event->text;
	place->is_inlined = event->flags & EVENT_FRAME_INLINED;
	place->function = place->is_unnamed ? NULL : model_text(model, event->text);
	place->file = model_text(model, event_tail_text(&event->header, event->text, 1));
	place->line = event->line;
	place->offset = event->offset;
	add_place(table, event->frame, event->depth, place);
}

/* By frame and depth; of several for one place a named one, the newest, comes first. */
static int compare_rows(const void *a, const void *b)
{
	const struct place_row *left = a, *right = b;

	if (left->frame != right->frame)
		return left->frame < right->frame ? -1 : 1;
	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	if (left->place->is_unnamed != right->place->is_unnamed)
		return left->place->is_unnamed ? 1 : -1;
	return left->order > right->order ? -1 : 1;
}

/* A module may be defined after its frames, so this waits until all is read. */
static void complete_place(struct stack_table *table, uint64_t frame, struct place *place)
{
	const struct module *module = find_module(table, EVENT_FRAME_MODULE(frame));

	place->module = module->name;
	place->module_path = module->path;
	place->is_kernel = module->is_kernel;
	if (!place->function)
		place->function = unnamed_text(table, frame, module);
}

void stack_table_seal(struct stack_table *table)
{
	size_t kept = 0;

	if (table->row_count)
		qsort(table->rows, table->row_count, sizeof(*table->rows), compare_rows);
	for (size_t i = 0; i < table->row_count; i++) {
		const struct place_row row = table->rows[i];
		const struct place_row *last = kept ? &table->rows[kept - 1] : NULL;
		uint64_t *range;

		if (last && last->frame == row.frame && last->depth == row.depth)
			continue;
		complete_place(table, row.frame, row.place);
		if (last && last->frame == row.frame) {
			range = map64_get(&table->places_of_frame, row.frame);
			if (RANGE_COUNT(*range) == 0xffff)
				continue;
			++*range;
		} else {
			map64_put(&table->places_of_frame, row.frame, RANGE(kept, 1));
		}
		table->rows[kept++] = row;
	}
	table->row_count = kept;
}

static uint64_t places_of(struct stack_table *table, uint64_t frame)
{
	const uint64_t *known = map64_get(&table->places_of_frame, frame);
	struct place *place;

	if (known)
		return *known;
	place = arena_alloc(&table->model->arena, sizeof(*place));
	place->is_unnamed = true;
	place->file = "";
	complete_place(table, frame, place);
	add_place(table, frame, 0, place);
	return *map64_put(&table->places_of_frame, frame, RANGE(table->row_count - 1, 1));
}

/* The scheduler is at most so deep below the recorder's own frames. */
#define SKIP_SEARCH_MAX 32

/*
 * A stack taken in a thread that resumes begins with the recorder's hook and how it was called, then the
 * scheduler; one taken from outside begins with the scheduler; one of a waker has the hook only, and
 * then the waking itself, behind which a scheduler may come that belongs to the story.
 */
static uint32_t count_skipped(const struct stack *stack)
{
	uint32_t hook = 0, scheduler, end;

	if (stack->flags & EVENT_STACK_USER || stack->place_count == 0)
		return 0;
	while (hook < stack->place_count && function_is_recorder(stack->places[hook]->function))
		hook++;
	scheduler = hook;
	while (hook > 0 && scheduler < stack->place_count && scheduler < SKIP_SEARCH_MAX &&
	       !function_is_waking(stack->places[scheduler]->function) &&
	       !function_is_scheduler(stack->places[scheduler]->function))
		scheduler++;
	end = scheduler;
	while (end < stack->place_count && function_is_scheduler(stack->places[end]->function))
		end++;
	if (end == scheduler)
		end = hook;
	/* a stack never becomes empty */
	return end < stack->place_count ? end : stack->place_count - 1;
}

/* First use: gives the stack its places. */
static void expand(struct stack_table *table, struct stack *stack)
{
	struct arena *arena = &table->model->arena;
	uint32_t frame_count = stack->place_count, count = 0;
	const struct place **places;
	uint64_t *frames;

	for (uint32_t i = 0; i < frame_count; i++)
		count += RANGE_COUNT(places_of(table, stack->frames[i]));
	places = arena_alloc(arena, (count + 1) * sizeof(*places));
	frames = arena_alloc(arena, (count + 1) * sizeof(*frames));
	count = 0;
	for (uint32_t i = 0; i < frame_count; i++) {
		uint64_t range = places_of(table, stack->frames[i]);

		for (uint32_t n = 0; n < RANGE_COUNT(range); n++) {
			places[count] = table->rows[RANGE_FIRST(range) + n].place;
			frames[count++] = stack->frames[i];
		}
	}
	stack->places = places;
	stack->frames = frames;
	stack->place_count = count;
	stack->skip = count_skipped(stack);
}

static const struct stack *used(struct stack_table *table, size_t index)
{
	struct stack *stack = table->stacks[index];

	if (!stack->places)
		expand(table, stack);
	return stack;
}

const struct stack *model_stack(struct model *model, uint64_t id)
{
	const uint64_t *index = map64_get(&model->stacks->stack_of_id, id);

	return index ? used(model->stacks, *index) : NULL;
}

size_t model_stack_count(const struct model *model)
{
	return model->stacks->stack_count;
}

const struct stack *model_stack_at(struct model *model, size_t i)
{
	return used(model->stacks, i);
}

/* ---- what stacks say ---- */

static bool is_interrupt(const struct stack *stack)
{
	bool is_soft = false, is_let_in = false;

	for (uint32_t i = 0; i < stack->place_count; i++) {
		const char *function = stack->places[i]->function;

		if (function_is_interrupt(function))
			return true;
		is_soft = is_soft || function_is_soft_interrupt(function);
		is_let_in = is_let_in || function_lets_soft_interrupts_in(function);
	}
	return is_soft && !is_let_in;
}

bool model_stack_is_interrupt(struct model *model, uint64_t id)
{
	struct map64 *interrupts = &model->stacks->interrupts;
	const struct stack *stack = model_stack(model, id);
	const uint64_t *known;

	if (!stack)
		return false;
	known = map64_get(interrupts, stack->index);
	if (!known)
		known = map64_put(interrupts, stack->index, is_interrupt(stack));
	return *known;
}
