/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans: functions that the user named with --span, each with a name of its own.
 */
#ifndef DASHCAM_CAPTURE_SPAN_H
#define DASHCAM_CAPTURE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "symbol/resolver.h"

struct capture_options;

#define SPANS_MAX 64

/* One --span. The texts are owned. */
struct span_probe {
	char *name;
	char *binary;
	char *function;
	char *where; /* BINARY:FUNCTION */
	struct resolver_function place;
};

/* Zero-initialised is empty. */
struct spans {
	struct span_probe *items;
	size_t count;
};

/* Reads "NAME=BINARY:FUNCTION" into the texts of *RET. 0, or -EINVAL with a sentence. */
int span_parse(const char *text, struct span_probe *ret);

/* Finds all functions of OPTIONS. Fails with a sentence that names the span: one that cannot be
 * found, or where a probe on its return may end the program. REPAIRS_RETURNS: return addresses are
 * put back before exceptions are thrown. */
int spans_find(struct spans *spans, const struct capture_options *options, bool repairs_returns,
	       struct resolver *resolver);

void spans_release(struct spans *spans);

#endif
