/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/span_choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static bool takes(const struct filter *filter, const struct span *span, const char *name)
{
	return !strcmp(span->name, name) && filter_takes_thread(filter, span->thread) &&
	       span->end_ns >= filter->from_ns && span->start_ns <= filter->to_ns;
}

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
	return left->from_ns == right->from_ns ? 0 : left->from_ns < right->from_ns ? -1 : 1;
}

static void measure(struct explain_spans *spans, uint64_t *lengths_ns, size_t count)
{
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
}

static int no_such_span(const struct model *model, const char *name)
{
	if (!model_span_count(model))
		return fail(
			-ENOENT,
			"the recording has no spans: name them when recording, with record --span "
			"NAME=BINARY:FUNCTION");
	return fail(-ENOENT,
		    "no span '%s' in that time; '%s' is one ('dashcam report spans' lists them)",
		    name, model_span(model, 0)->name);
}

int span_choice_make(struct span_choice *ret, struct model *model, const char *name,
		     const struct filter *filter)
{
	size_t all = model_span_count(model), count = 0;
	uint64_t *lengths_ns = xcalloc(all + 1, sizeof(*lengths_ns));

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < all; i++) {
		const struct span *span = model_span(model, i);

		if (takes(filter, span, name))
			lengths_ns[count++] = span->end_ns - span->start_ns;
	}
	if (count)
		measure(&ret->spans, lengths_ns, count);
	free(lengths_ns);
	if (!count)
		return no_such_span(model, name);
	ret->slow = xcalloc(count, sizeof(*ret->slow));
	ret->normal = xcalloc(count, sizeof(*ret->normal));
	for (size_t i = 0; i < all; i++) {
		const struct span *span = model_span(model, i);
		struct slice slice = {span->thread, span->start_ns, span->end_ns};

		if (!takes(filter, span, name))
			continue;
		if (span->end_ns - span->start_ns >= ret->spans.slow_from_ns)
			ret->slow[ret->slow_count++] = slice;
		else
			ret->normal[ret->normal_count++] = slice;
	}
	ret->spans.slow_count = ret->slow_count;
	qsort(ret->slow, ret->slow_count, sizeof(*ret->slow), compare_slices);
	qsort(ret->normal, ret->normal_count, sizeof(*ret->normal), compare_slices);
	return 0;
}

void span_choice_release(struct span_choice *choice)
{
	free(choice->slow);
	free(choice->normal);
	memset(choice, 0, sizeof(*choice));
}
