/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left to be told of traced functions when their probes are gone: calls that threads are
 * still inside of, and what the kernel side counted instead of writing.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_REST_H
#define DASHCAM_CAPTURE_FUNCTION_REST_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;
struct drain;

struct function_rest {
	struct bpf_object *object; /* loaded */
	struct drain *drain;
	size_t name_count; /* names have the ids from 1 to this */
	bool hides_calls;
};

/* Gives span and call_count events to the drain. */
void function_rest_tell(const struct function_rest *rest);

#endif
