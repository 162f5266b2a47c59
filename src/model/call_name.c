/* SPDX-License-Identifier: BSD-2-Clause */
/* What calls and spans are called: definitions by id, those with the same texts made one. */
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "event/schema.h"
#include "model/call.h"
#include "model/internal.h"

/* Ids up to here are looked up in an array: the kernel side counts them from 1. */
#define DENSE_IDS (1u << 20)

static uint32_t add_name(struct model *model, const char *name, const char *where, uint32_t flags)
{
	struct call_names *names = &model->names;

	array_reserve((void **)&names->items, &names->capacity, names->count + 1,
		      sizeof(*names->items));
	names->items[names->count] = (struct call_name){
		.index = (uint32_t)names->count, .name = name, .where = where, .flags = flags};
	return (uint32_t)names->count++;
}

static uint64_t hash_of(const char *name, const char *where)
{
	return hash_mix(hash_text(name) ^ hash_mix(hash_text(where)));
}

/* The name with these texts. Others with the same hash go to the next number. */
static uint32_t find_or_add(struct model *model, struct map64 *by_text,
			    const struct event_span_name *event)
{
	const char *where = event_tail_text(&event->header, event->text, 1);
	uint64_t hash = hash_of(event->text, where);
	const uint64_t *known;

	for (; (known = map64_get(by_text, hash)); hash++) {
		struct call_name *name = &model->names.items[*known];

		if (!strcmp(name->name, event->text) && !strcmp(name->where, where)) {
			name->flags |= event->flags;
			return name->index;
		}
	}
	return (uint32_t)*map64_put(by_text, hash,
				    add_name(model, event->text, where, event->flags));
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* The ids of all definitions, sorted. The caller frees. */
static uint64_t *sorted_ids(const struct map64 *definitions)
{
	uint64_t *ids = xcalloc(definitions->count + 1, sizeof(*ids));
	uint64_t event;
	size_t at = 0, count = 0;

	while (map64_next(definitions, &at, &ids[count], &event))
		count++;
	qsort(ids, count, sizeof(*ids), compare_ids);
	return ids;
}

static void add_counted(struct call_counted *to, const struct event_call_count *event)
{
	to->calls += event->calls;
	to->total_ns += event->total_ns;
	to->self_ns += event->self_ns;
	to->hidden_ns += event->hidden_ns;
	if (event->max_ns > to->max_ns)
		to->max_ns = event->max_ns;
	if (event->since_ns && (!to->since_ns || event->since_ns < to->since_ns))
		to->since_ns = event->since_ns;
}

static void add_counts(struct model *model)
{
	uint64_t id, event;
	size_t at = 0;

	while (map64_next(&model->tables.call_counts, &at, &id, &event))
		add_counted(&model->names.items[call_name_of_id(model, (uint32_t)id)].counted,
			    (const struct event_call_count *)(uintptr_t)event);
}

void call_names_seal(struct model *model)
{
	const struct map64 *definitions = &model->tables.span_names;
	struct call_names *names = &model->names;
	_cleanup_free_ uint64_t *ids = sorted_ids(definitions);
	struct map64 by_text = {0};

	add_name(model, "?", "", 0);
	while (names->dense_count < definitions->count && ids[names->dense_count] < DENSE_IDS)
		names->dense_count++;
	if (names->dense_count)
		names->dense_count = ids[names->dense_count - 1] + 1;
	names->dense = xcalloc(names->dense_count + 1, sizeof(*names->dense));
	for (size_t i = 0; i < definitions->count; i++) {
		const uint64_t *event = map64_get(definitions, ids[i]);
		uint32_t index = find_or_add(model, &by_text,
					     (const struct event_span_name *)(uintptr_t)*event);

		if (ids[i] < names->dense_count)
			names->dense[ids[i]] = index;
		else
			map64_put(&names->others, ids[i], index);
	}
	map64_release(&by_text);
	add_counts(model);
}

void call_names_release(struct call_names *names)
{
	free(names->items);
	free(names->dense);
	map64_release(&names->others);
}

uint32_t call_name_of_id(const struct model *model, uint32_t id)
{
	const struct call_names *names = &model->names;
	const uint64_t *known;

	if (id < names->dense_count)
		return names->dense[id];
	known = map64_get(&names->others, id);
	return known ? (uint32_t)*known : 0;
}

size_t call_name_count(const struct model *model)
{
	return model->names.count;
}

const struct call_name *call_name_at(const struct model *model, size_t i)
{
	return &model->names.items[i];
}

/* ---- choosing by name ---- */

static bool is_regex(const char *pattern)
{
	size_t length = strlen(pattern);

	return length > 2 && pattern[0] == '/' && pattern[length - 1] == '/';
}

static bool compile(regex_t *ret, const char *pattern)
{
	_cleanup_free_ char *text = xstrdup(pattern + 1);

	text[strlen(text) - 1] = '\0';
	return !regcomp(ret, text, REG_EXTENDED | REG_NOSUB);
}

bool call_pattern_is_sound(const char *pattern)
{
	regex_t regex;

	if (!is_regex(pattern))
		return true;
	if (!compile(&regex, pattern))
		return false;
	regfree(&regex);
	return true;
}

static bool regex_matches(const char *pattern, const char *name)
{
	regex_t regex;
	bool matches;

	if (!compile(&regex, pattern))
		return false;
	matches = !regexec(&regex, name, 0, NULL, 0);
	regfree(&regex);
	return matches;
}

bool call_name_matches(const char *name, const char *pattern)
{
	const char *at = strrchr(name, '@');
	_cleanup_free_ char *bare = NULL;

	if (is_regex(pattern))
		return regex_matches(pattern, name);
	if (!fnmatch(pattern, name, 0))
		return true;
	if (!at || strchr(pattern, '@'))
		return false;
	bare = xasprintf("%.*s", (int)(at - name), name);
	return !fnmatch(pattern, bare, 0);
}

static bool matches_one(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (call_name_matches(name, patterns[i]))
			return true;
	}
	return false;
}

bool call_name_is_taken(const struct filter *filter, const struct call_name *name)
{
	return (!filter->function_count ||
		matches_one(filter->functions, filter->function_count, name->name)) &&
	       !matches_one(filter->no_functions, filter->no_function_count, name->name);
}
