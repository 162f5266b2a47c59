/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/fact.h"

#include <string.h>

#include "base/memory.h"
#include "event/schema.h"

void fact_tell(const struct capture_sink *sink, const char *name, const char *value)
{
	size_t name_bytes = strlen(name) + 1, value_bytes = strnlen(value, FACT_MAX_BYTES);
	size_t size = event_align(sizeof(struct event_meta) + name_bytes + value_bytes + 1);
	struct event_meta *event = xcalloc(1, size);

	memcpy(event->text, name, name_bytes);
	memcpy(event->text + name_bytes, value, value_bytes);
	event->header.kind = EVENT_META;
	event->header.time_ns = capture_now_ns();
	event->header.size = (uint16_t)size;
	sink->table(sink->context, &event->header);
	free(event);
}
