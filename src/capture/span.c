/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/span.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/capture.h"

#define NAME_SIZE_MAX 64

int span_parse(const char *text, struct span_probe *ret)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;

	if (!colon || equals == text || colon == equals + 1 || !colon[1])
		return fail(-EINVAL, "a span is NAME=BINARY:FUNCTION, such as "
				     "query=/usr/sbin/server:run_query");
	if (equals - text > NAME_SIZE_MAX)
		return fail(-EINVAL, "a span's name has at most %d characters", NAME_SIZE_MAX);
	*ret = (struct span_probe){
		.name = xasprintf("%.*s", (int)(equals - text), text),
		.binary = xasprintf("%.*s", (int)(colon - equals - 1), equals + 1),
		.function = xstrdup(colon + 1),
		.where = xstrdup(equals + 1),
	};
	return 0;
}

/* A return probe changes the return address of each call. Who walks the stack gets it back before,
 * where that can be done; who switches stacks does not. */
static int check_safety(const struct span_probe *span, bool repairs_returns)
{
	const char *why = span->place.moves_stacks
				  ? "the program switches or moves stacks by itself"
				  : "exceptions or panics may go through it";

	if (!span->place.moves_stacks && (repairs_returns || !span->place.may_unwind))
		return 0;
	return fail(-EPERM,
		    "%s, and the probe on its return would end the program then: trace it with -F, "
		    "or take the risk with --span-anyway",
		    why);
}

static int find(struct span_probe *span, const struct capture_options *options,
		bool repairs_returns, struct resolver *resolver)
{
	const struct resolver_query query = {
		.binary = span->binary,
		.function = span->function,
		.pids = options->pids,
		.pid_count = options->follow_children ? 0 : options->pid_count,
	};
	int err = resolver_find_function(resolver, &query, &span->place);

	if (!err && !options->spans_anyway)
		err = check_safety(span, repairs_returns);
	return err;
}

int spans_find(struct spans *spans, const struct capture_options *options, bool repairs_returns,
	       struct resolver *resolver)
{
	int err = 0;

	if (options->span_count > SPANS_MAX)
		return fail(-E2BIG, "at most %d spans", SPANS_MAX);
	spans->items = xcalloc(options->span_count + 1, sizeof(*spans->items));
	for (size_t i = 0; i < options->span_count && !err; i++) {
		err = span_parse(options->spans[i], &spans->items[i]);
		if (!err) {
			spans->count++;
			err = find(&spans->items[i], options, repairs_returns, resolver);
		}
		if (err)
			return fail(err, "--span '%s'", options->spans[i]);
	}
	return 0;
}

void spans_release(struct spans *spans)
{
	for (size_t i = 0; i < spans->count; i++) {
		free(spans->items[i].name);
		free(spans->items[i].binary);
		free(spans->items[i].function);
		free(spans->items[i].where);
		free(spans->items[i].place.path);
	}
	free(spans->items);
}
