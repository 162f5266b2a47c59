/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/hotspot.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/category.h"
#include "analysis/category_table.h"
#include "analysis/category_words.h"
#include "base/memory.h"

/* The function to name has at least this part of the time below it. */
#define DOMINANT   0.7
/* Stacks told apart; what comes later goes to the ones that are known, or is dropped. */
#define STACKS_MAX 4096

void hotspot_add(struct hotspot *hotspot, uint64_t user, uint64_t kernel, uint64_t weight)
{
	uint64_t key = hash_mix(user) ^ kernel, *known;

	if (!user && !kernel)
		return;
	known = map64_get(&hotspot->numbers, key);
	if (known) {
		hotspot->stacks[*known].weight += weight;
		return;
	}
	if (hotspot->count == STACKS_MAX)
		return;
	map64_put(&hotspot->numbers, key, hotspot->count);
	array_reserve((void **)&hotspot->stacks, &hotspot->capacity, hotspot->count + 1,
		      sizeof(*hotspot->stacks));
	hotspot->stacks[hotspot->count++] =
		(struct hotspot_stack){.user = user, .kernel = kernel, .weight = weight};
}

void hotspot_merge(struct hotspot *hotspot, const struct hotspot *other, double weight)
{
	for (size_t i = 0; i < other->count; i++)
		hotspot_add(hotspot, other->stacks[i].user, other->stacks[i].kernel,
			    (uint64_t)((double)other->stacks[i].weight * weight));
}

void hotspot_release(struct hotspot *hotspot)
{
	free(hotspot->stacks);
	map64_release(&hotspot->numbers);
	memset(hotspot, 0, sizeof(*hotspot));
}

/* ---- functions ---- */

/* A function over all stacks. */
struct function {
	const struct place *place;
	double inside;  /* weight of the stacks it is on */
	double own;     /* of those it is the innermost of */
	double depth;   /* sum of its depths, by weight */
	size_t seen_in; /* number of the last stack it was counted for, from 1 */
};

struct functions {
	struct function *items;
	size_t count;
	size_t capacity;
	struct map64 by_name;
	double weight;
	double broken; /* of it: user stacks that lack callers */
};

static struct function *function_of(struct functions *functions, const struct place *place)
{
	uint64_t key = hash_text(place->function), *known = map64_get(&functions->by_name, key);

	if (known)
		return &functions->items[*known];
	map64_put(&functions->by_name, key, functions->count);
	array_reserve((void **)&functions->items, &functions->capacity, functions->count + 1,
		      sizeof(*functions->items));
	functions->items[functions->count] = (struct function){.place = place};
	return &functions->items[functions->count++];
}

/* Where every thread begins: true of all, so it says nothing. */
static bool is_root(const char *function)
{
	return function_is_one_of(function, "main start_thread _start __libc_start_main* "
					    "__libc_start_call_main clone clone3 thread_start "
					    "Py_BytesMain Py_RunMain pymain_* runtime.goexit");
}

static void count_place(struct functions *functions, const struct place *place, size_t number,
			double depth, double weight, bool is_innermost)
{
	struct function *function = function_of(functions, place);

	if (is_innermost)
		function->own += weight;
	if (function->seen_in == number)
		return;
	function->seen_in = number;
	function->inside += weight;
	function->depth += depth * weight;
}

/* Only the place that stands for the stack counts, where the program has no function of its own on
 * it. */
static void count_plumbing(struct functions *functions, struct model *model,
			   const struct hotspot_stack *weighted, size_t number)
{
	const struct place *place = category_user_place(model, weighted->user);

	if (!place)
		place = category_kernel_place(model, weighted->kernel);
	if (place)
		count_place(functions, place, number, 0, (double)weighted->weight, true);
}

static void count_stack(struct functions *functions, struct model *model,
			const struct hotspot_stack *weighted, size_t number)
{
	const struct stack *stack = model_stack(model, weighted->user);
	bool found = false;

	functions->weight += (double)weighted->weight;
	if (stack && stack->flags & EVENT_STACK_BROKEN)
		functions->broken += (double)weighted->weight;
	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		const struct place *place = stack->places[i];

		if (is_user_plumbing(place))
			continue;
		count_place(functions, place, number, stack->place_count - i,
			    (double)weighted->weight, !found);
		found = true;
	}
	if (!found)
		count_plumbing(functions, model, weighted, number);
}

/* The deepest that dominates; NAMED: has a name. */
static struct function *dominant(const struct functions *functions, bool named)
{
	struct function *best = NULL;

	for (size_t i = 0; i < functions->count; i++) {
		struct function *function = &functions->items[i];

		if (function->inside < DOMINANT * functions->weight ||
		    is_root(function->place->function) || (named && function->place->is_unnamed))
			continue;
		if (!best || function->depth / function->inside > best->depth / best->inside)
			best = function;
	}
	return best;
}

static int compare_own(const void *a, const void *b)
{
	const struct function *left = *(struct function *const *)a,
			      *right = *(struct function *const *)b;

	if (left->own != right->own)
		return left->own < right->own ? 1 : -1;
	return strcmp(left->place->function, right->place->function);
}

static void add_result(struct hotspot_result *result, const struct function *function,
		       double weight, double whole)
{
	if (result->count < HOTSPOT_PLACES_MAX && whole > 0)
		result->places[result->count++] =
			(struct hotspot_place){.place = function->place, .share = weight / whole};
}

static void choose(struct hotspot_result *result, const struct functions *functions)
{
	struct function **order = xcalloc(functions->count + 1, sizeof(*order));
	struct function *first = dominant(functions, true);

	if (!first)
		first = dominant(functions, false);
	for (size_t i = 0; i < functions->count; i++)
		order[i] = &functions->items[i];
	qsort(order, functions->count, sizeof(*order), compare_own);
	if (first)
		add_result(result, first, first->inside, functions->weight);
	for (size_t i = 0; i < functions->count; i++) {
		if (order[i] != first && order[i]->own > 0)
			add_result(result, order[i], order[i]->own, functions->weight);
	}
	free(order);
}

struct hotspot_result hotspot_result(const struct hotspot *hotspot, struct model *model)
{
	struct functions functions = {.count = 0};
	struct hotspot_result result = {.count = 0};

	for (size_t i = 0; i < hotspot->count; i++)
		count_stack(&functions, model, &hotspot->stacks[i], i + 1);
	choose(&result, &functions);
	if (functions.weight > 0)
		result.broken = functions.broken / functions.weight;
	free(functions.items);
	map64_release(&functions.by_name);
	return result;
}
