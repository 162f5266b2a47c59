/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of calls: from what the user wrote to what the kernel side reads, and from that to text.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_VALUE_H
#define DASHCAM_CAPTURE_FUNCTION_VALUE_H

#include "base/memory.h"
#include "capture/function_pattern.h"
#include "event/log.h"

/* What the kernel side is to read for VALUES. */
void function_value_sources(const struct function_values *values, struct value_sources *ret);

/*
 * Appends what RAW holds, a sound event, as "path=\"/etc/hosts\", flags=2", or the result alone as
 * "-1". Texts and bytes stand between quotes and are escaped as in C; UTF-8 stays in texts. True:
 * something was longer than is shown.
 */
bool function_value_text(const struct function_values *values,
			 const struct event_raw_call_value *raw, struct buffer *text);

/* The event that recordings have, made of RAW. The caller frees it. */
struct event_call_value *function_value_event(const struct function_values *values,
					      const struct event_raw_call_value *raw);

#endif
