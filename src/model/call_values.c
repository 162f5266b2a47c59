/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/call_values.h"

#include <stdlib.h>
#include <string.h>

#include "model/internal.h"

/* Values that nobody took (their calls were lost) are dropped when so many are kept. */
#define KEPT_MAX (1u << 20)

struct call_values {
	struct model *model;
	bool *takes_name;
	struct recording_cursor *cursor;     /* NULL: none, or no more */
	const struct event_call_value *next; /* at hand */
	struct map64 kept;                   /* key: struct event_call_value *, ours */
	struct event_call_value *taken;      /* good until the next call */
};

static uint64_t key_of(uint32_t tid, uint32_t name, uint64_t start_ns, bool is_result)
{
	return hash_mix(start_ns ^ hash_mix((uint64_t)tid << 33 | (uint64_t)name << 1 | is_result));
}

static int advance(struct call_values *values)
{
	const struct event_header *event = NULL;
	int more = 1;

	while (more > 0 && (!event || event->kind != EVENT_CALL_VALUE))
		more = recording_cursor_next(values->cursor, &event);
	values->next = more > 0 ? (const struct event_call_value *)event : NULL;
	return more < 0 ? more : 0;
}

int call_values_new(struct call_values **ret, struct model *model, const struct filter *filter)
{
	const struct recording_range range = {.streams = STREAM_BIT(STREAM_EVIDENCE),
					      .to_ns = UINT64_MAX};
	struct call_values *values = xcalloc(1, sizeof(*values));
	int err = 0;

	values->model = model;
	values->takes_name = xcalloc(call_name_count(model), sizeof(bool));
	for (size_t i = 0; i < call_name_count(model); i++)
		values->takes_name[i] = call_name_is_taken(filter, call_name_at(model, i));
	if (recording_info(model_recording(model))->event_count[EVENT_CALL_VALUE]) {
		err = recording_cursor_new(&values->cursor, model_recording(model), &range);
		if (!err)
			err = advance(values);
	}
	if (err) {
		call_values_free(values);
		return err;
	}
	*ret = values;
	return 0;
}

static void forget(struct call_values *values)
{
	uint64_t key, value;
	size_t at = 0;

	while (map64_next(&values->kept, &at, &key, &value))
		free((void *)(uintptr_t)value);
	map64_release(&values->kept);
}

void call_values_free(struct call_values *values)
{
	if (!values)
		return;
	recording_cursor_free(values->cursor);
	forget(values);
	free(values->taken);
	free(values->takes_name);
	free(values);
}

static void keep(struct call_values *values, const struct event_call_value *event)
{
	uint32_t name = call_name_of_id(values->model, event->name);
	uint64_t key = key_of(event->tid, name, event->start_ns, event->flags & EVENT_VALUE_RESULT);
	struct event_call_value *copy;
	const uint64_t *old;

	if (!values->takes_name[name])
		return;
	if (values->kept.count >= KEPT_MAX)
		forget(values);
	old = map64_get(&values->kept, key);
	if (old)
		free((void *)(uintptr_t)*old);
	copy = xmalloc(event->header.size);
	memcpy(copy, event, event->header.size);
	map64_put(&values->kept, key, (uintptr_t)copy);
}

int call_values_read(struct call_values *values, uint64_t time_ns)
{
	int err = 0;

	while (!err && values->next && values->next->header.time_ns <= time_ns) {
		keep(values, values->next);
		err = advance(values);
	}
	return err;
}

const char *call_values_take(struct call_values *values, const struct call *call, bool is_result,
			     bool *ret_is_cut)
{
	uint64_t key = key_of(call->tid, call->name, call->start_ns, is_result);
	const uint64_t *kept = values->kept.count ? map64_get(&values->kept, key) : NULL;

	free(values->taken);
	values->taken = NULL;
	if (!kept)
		return NULL;
	values->taken = (struct event_call_value *)(uintptr_t)*kept;
	map64_remove(&values->kept, key);
	if (ret_is_cut)
		*ret_is_cut = values->taken->flags & EVENT_VALUE_CUT;
	return values->taken->text;
}
