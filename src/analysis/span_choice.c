/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/span_choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/call.h"

/* So many are explained at most: the slowest of the slow ones, and some of the normal ones. */
#define SLOW_MAX   20000
#define NORMAL_MAX 100000

static int compare_lengths(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left == right ? 0 : left < right ? -1 : 1;
}

static int compare_slices(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;

	if (left->thread != right->thread)
		return left->thread->index < right->thread->index ? -1 : 1;
	if (left->from_ns != right->from_ns)
		return left->from_ns < right->from_ns ? -1 : 1;
	return left->to_ns == right->to_ns ? 0 : left->to_ns > right->to_ns ? -1 : 1;
}

/* Calls of the name, in no order. */
struct calls {
	struct slice *items;
	size_t count, capacity;
};

static uint64_t length_of(const struct slice *slice)
{
	return slice->to_ns - slice->from_ns;
}

/* Calls from inside another one of the same name belong to it. The slices are in order. */
static void drop_inner(struct calls *calls)
{
	size_t kept = 0;

	for (size_t i = 0; i < calls->count; i++) {
		const struct slice *last = kept ? &calls->items[kept - 1] : NULL;

		if (!last || last->thread != calls->items[i].thread ||
		    last->to_ns < calls->items[i].to_ns)
			calls->items[kept++] = calls->items[i];
	}
	calls->count = kept;
}

static void measure(struct explain_spans *spans, const struct calls *calls)
{
	size_t count = calls->count;
	uint64_t *lengths_ns = xcalloc(count, sizeof(*lengths_ns));

	for (size_t i = 0; i < count; i++)
		lengths_ns[i] = length_of(&calls->items[i]);
	qsort(lengths_ns, count, sizeof(*lengths_ns), compare_lengths);
	spans->count = count;
	spans->median_ns = lengths_ns[count / 2];
	spans->p90_ns = lengths_ns[count * 9 / 10];
	spans->p99_ns = lengths_ns[count * 99 / 100];
	spans->max_ns = lengths_ns[count - 1];
	spans->slow_from_ns =
		2 * spans->median_ns > spans->p90_ns ? 2 * spans->median_ns : spans->p90_ns;
	if (spans->slow_from_ns > spans->max_ns)
		spans->slow_from_ns = 0;
	if (count > SLOW_MAX && spans->slow_from_ns < lengths_ns[count - SLOW_MAX])
		spans->slow_from_ns = lengths_ns[count - SLOW_MAX];
	free(lengths_ns);
}

/* "malloc" is "malloc@libc.so.6", too. */
static bool is_called(const struct call_name *name, const char *wanted)
{
	const char *at = strrchr(name->name, '@');
	size_t length = strlen(wanted);

	return !strcmp(name->name, wanted) ||
	       (at && (size_t)(at - name->name) == length && !strncmp(name->name, wanted, length));
}

static int no_such_span(const struct model *model, const char *name)
{
	if (call_name_count(model) < 2)
		return fail(-ENOENT,
			    "the recording has no spans: name them when recording, with record "
			    "--span NAME=BINARY:FUNCTION, or trace functions with record -F");
	return fail(-ENOENT,
		    "no span '%s' in that time; '%s' is one ('dashcam report spans' lists them)",
		    name, call_name_at(model, 1)->name);
}

/* The calls of NAME that the filter lets through, whatever names it has. */
static int find_calls(struct calls *ret, struct model *model, const char *name,
		      const struct filter *filter)
{
	struct filter others = *filter;
	struct call_reader *reader;
	const struct call *call;
	int more;

	others.function_count = others.no_function_count = 0;
	more = call_reader_new(&reader, model, &others, false);
	if (more)
		return more;
	while ((more = call_reader_next(reader, &call)) > 0) {
		if (!call->thread || !is_called(call_name_at(model, call->name), name))
			continue;
		array_reserve((void **)&ret->items, &ret->capacity, ret->count + 1,
			      sizeof(*ret->items));
		ret->items[ret->count++] =
			(struct slice){call->thread, call->start_ns, call->end_ns};
	}
	call_reader_free(reader);
	return more;
}

/* Of the normal ones every so many, if there are very many. The calls are in order. */
static void divide(struct span_choice *ret, const struct calls *calls)
{
	size_t step = calls->count / NORMAL_MAX + 1, seen = 0;

	ret->slow = xcalloc(calls->count, sizeof(*ret->slow));
	ret->normal = xcalloc(calls->count / step + 1, sizeof(*ret->normal));
	for (size_t i = 0; i < calls->count; i++) {
		if (length_of(&calls->items[i]) >= ret->spans.slow_from_ns)
			ret->slow[ret->slow_count++] = calls->items[i];
		else if (seen++ % step == 0)
			ret->normal[ret->normal_count++] = calls->items[i];
	}
	ret->spans.slow_count = ret->slow_count;
	ret->spans.normal_count = ret->normal_count;
}

int span_choice_make(struct span_choice *ret, struct model *model, const char *name,
		     const struct filter *filter)
{
	struct calls calls = {.count = 0};
	int err;

	memset(ret, 0, sizeof(*ret));
	err = find_calls(&calls, model, name, filter);
	if (!err && !calls.count)
		err = no_such_span(model, name);
	if (!err) {
		qsort(calls.items, calls.count, sizeof(*calls.items), compare_slices);
		drop_inner(&calls);
		measure(&ret->spans, &calls);
		divide(ret, &calls);
	}
	free(calls.items);
	return err;
}

void span_choice_release(struct span_choice *choice)
{
	free(choice->slow);
	free(choice->normal);
	memset(choice, 0, sizeof(*choice));
}
