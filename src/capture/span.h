/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans: functions that the user named, with a probe on the entry and one on the return of each.
 */
#ifndef DASHCAM_CAPTURE_SPAN_H
#define DASHCAM_CAPTURE_SPAN_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "symbol/resolver.h"

struct bpf_link;
struct bpf_object;
struct capture_options;
struct drain;

#define SPANS_MAX 64

/* One --span. The texts are owned. */
struct span_probe {
	char *name;
	char *binary;
	char *function;
	struct resolver_function place;
};

/* Zero-initialised is empty. */
struct spans {
	struct span_probe *items;
	size_t count;
	uint32_t *pids; /* probes are put into these processes only; none: into all */
	size_t pid_count;
	struct bpf_link **links; /* returns first, so that no entry is without its return */
	size_t link_count;
};

/* Reads "NAME=BINARY:FUNCTION" into the texts of *RET. 0, or -EINVAL with a sentence. */
int span_parse(const char *text, struct span_probe *ret);

/* Finds all functions of OPTIONS. Fails with a sentence that names the span: one that cannot be
 * found, or where a probe on its return may end the program. */
int spans_find(struct spans *spans, const struct capture_options *options,
	       struct resolver *resolver);

/* Puts the probes in place. Fails with a sentence. */
int spans_attach(struct spans *spans, struct bpf_object *object);
void spans_detach(struct spans *spans);

/* Gives a span_name event for each to the table of the drain's sink. */
void spans_tell_names(const struct spans *spans, const struct drain *drain);

/* Once all is detached: gives what threads still have open in the map OPEN_SPANS_FD to the drain.
 */
void spans_tell_open(const struct spans *spans, struct drain *drain, int open_spans_fd);

void spans_release(struct spans *spans);

#endif
