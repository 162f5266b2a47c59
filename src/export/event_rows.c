/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/event_rows.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "event/schema.h"
#include "export/selection.h"

int event_rows_kind(const struct export_options *options, unsigned int *ret_kind)
{
	*ret_kind = EVENT_NONE;
	if (!options->event_kind)
		return 0;
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		if (schema && !strcmp(schema->name, options->event_kind)) {
			*ret_kind = kind;
			return 0;
		}
	}
	return fail(-EINVAL, "there is no kind of event called '%s'; `dashcam info` lists them",
		    options->event_kind);
}

/* STREAM_TABLE is read in a pass of its own: its events have no time by which to merge them. */
static int read_streams(struct model *model, const struct selection *selection,
			unsigned int streams, unsigned int kind,
			int (*take)(void *context, const struct event_header *event), void *context)
{
	struct recording_range range = {
		.streams = streams,
		.from_ns = selection->from_ns,
		.to_ns = selection->to_ns,
	};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int err;

	err = recording_cursor_new(&cursor, model_recording(model), &range);
	if (err)
		return err;
	while ((err = recording_cursor_next(cursor, &event)) == 1) {
		if ((kind && event->kind != kind) || !selection_takes_event(selection, event))
			continue;
		err = take(context, event);
		if (err)
			break;
	}
	recording_cursor_free(cursor);
	return err;
}

int event_rows_read(struct model *model, const struct export_options *options, unsigned int kind,
		    int (*take)(void *context, const struct event_header *event), void *context)
{
	struct selection selection;
	int err;

	selection_init(&selection, model, &options->filter);
	err = read_streams(model, &selection, STREAM_BIT(STREAM_TABLE), kind, take, context);
	if (!err)
		err = read_streams(model, &selection,
				   STREAM_TIMED, kind,
				   take, context);
	selection_release(&selection);
	return err;
}
