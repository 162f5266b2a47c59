/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/facts.h"

#include <unistd.h>

#include "base/memory.h"
#include "capture/fact.h"

static void tell_buffer(const struct capture_sink *sink, const char *name, struct buffer *text)
{
	if (text->size)
		fact_tell(sink, name, text->data);
	buffer_clear(text);
}

void facts_tell_targets(const struct capture_sink *sink, const struct session *session,
			const struct session_values *values)
{
	struct buffer text = {0};

	buffer_printf(&text, "%d", (int)getpid());
	tell_buffer(sink, "recorder_pid", &text);
	for (size_t i = 0; i < values->pids.count; i++)
		buffer_printf(&text, "%s ", values->pids.items[i]);
	if (session->target.pid > 0)
		buffer_printf(&text, "%d", (int)session->target.pid);
	tell_buffer(sink, "target_pids", &text);
	for (size_t i = 0; i < values->comms.count; i++)
		buffer_printf(&text, "%s\t", values->comms.items[i]);
	tell_buffer(sink, "target_comms", &text);
	if (session->target.pid > 0)
		fact_tell(sink, "target_children", "1");
	buffer_release(&text);
}
