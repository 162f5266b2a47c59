/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function that is traced, by the id of its name: what is told of it, to whom.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_NAME_H
#define DASHCAM_CAPTURE_FUNCTION_NAME_H

#include "capture/function_choice.h"
#include "capture/function_probes.h"

struct bpf_object;
struct capture_sink;

/* Are there values of its calls to be recorded? */
bool function_name_has_values(const struct function_item *item);

/* Its probes, private or not as the caller knows. */
struct function_probe function_name_probe(const struct function_item *item, uint32_t name);

/* Is it a file that nearly every process maps? To put probes of the C library into all processes of
 * a machine takes many seconds, and slows them all. */
bool function_name_is_of_all(const struct function_item *item);

/* Tells the kernel side which values are wanted, if any. 0, or a negative errno with a sentence. */
int function_name_store(const struct function_item *item, uint32_t name, struct bpf_object *object);

/* Gives its span_name event to the sink's table. */
void function_name_tell(const struct function_item *item, uint32_t name,
			const struct capture_sink *sink);

#endif
