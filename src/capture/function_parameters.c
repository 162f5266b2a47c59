/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_parameters.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static enum function_value_type type_of(const struct resolver_parameter *parameter)
{
	switch (parameter->type) {
	case RESOLVER_PARAMETER_SIGNED:
		return FUNCTION_VALUE_SIGNED;
	case RESOLVER_PARAMETER_UNSIGNED:
		return FUNCTION_VALUE_UNSIGNED;
	case RESOLVER_PARAMETER_TEXT:
		return FUNCTION_VALUE_TEXT;
	default:
		return FUNCTION_VALUE_POINTER;
	}
}

static bool has_value_at(const struct function_values *values, uint32_t position)
{
	for (uint32_t i = 0; i < values->count; i++) {
		if (values->items[i].position == position)
			return true;
	}
	return false;
}

/* Adds what was found to what the user has said, which wins. */
static void add(struct function_values *values, const struct resolver_parameter *parameter)
{
	struct function_value *value = &values->items[values->count];

	if (values->count >= EVENT_VALUES_MAX || has_value_at(values, parameter->position))
		return;
	*value = (struct function_value){
		.type = type_of(parameter),
		.size_bytes = parameter->type == RESOLVER_PARAMETER_TEXT ? EVENT_VALUE_BYTES_MAX
									 : parameter->size_bytes,
		.position = parameter->position,
	};
	if (parameter->name[0])
		memcpy(value->name, parameter->name, sizeof(value->name));
	else
		snprintf(value->name, sizeof(value->name), "arg%u", parameter->position);
	values->count++;
}

/* Copies that a compiler made of a function for some of its callers are called in other ways. */
static bool is_clone(const char *symbol)
{
	return strstr(symbol, ".isra.") || strstr(symbol, ".constprop.") ||
	       strstr(symbol, ".part.");
}

static bool fill(struct function_choice *choice, struct function_item *item,
		 struct resolver *resolver, struct resolver_listing *listing,
		 const struct resolver_listed *function)
{
	struct resolver_parameter found[RESOLVER_PARAMETERS_MAX];
	struct function_values *values =
		arena_copy(&choice->arena, item->values, sizeof(*item->values));
	size_t count = is_clone(function->symbol)
			       ? 0
			       : resolver_parameters(resolver, listing, function, found);

	for (size_t i = 0; i < count; i++)
		add(values, &found[i]);
	item->values = values;
	return count > 0;
}

void function_parameters_fill(struct function_choice *choice, size_t from,
			      struct resolver *resolver, struct resolver_listing *listing)
{
	size_t at = 0, missing = 0;
	const char *first_missing = NULL;

	for (size_t i = from; i < choice->count; i++) {
		struct function_item *item = &choice->items[i];

		if (!item->values || !item->values->from_debug_information)
			continue;
		while (at < listing->count && listing->items[at].entry_offset != item->entry_offset)
			at++;
		if (at == listing->count)
			return;
		if (fill(choice, item, resolver, listing, &listing->items[at]))
			continue;
		missing++;
		if (!first_missing)
			first_missing = item->name;
	}
	if (missing == 1)
		warn("no debug information says the arguments of %s", first_missing);
	else if (missing)
		warn("no debug information says the arguments of %s and %zu other%s", first_missing,
		     missing - 1, missing == 2 ? "" : "s");
}
