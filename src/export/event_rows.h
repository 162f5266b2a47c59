/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the formats with a row per event share: reading the events that the options ask for.
 */
#ifndef DASHCAM_EXPORT_EVENT_ROWS_H
#define DASHCAM_EXPORT_EVENT_ROWS_H

#include "export/export.h"

/* The kind that OPTIONS name; 0 if they name none. Returns 0, or -EINVAL with a sentence. */
int event_rows_kind(const struct export_options *options, unsigned int *ret_kind);

/* Calls TAKE for each event of KIND (0: of every kind) that the filter lets through, in the order
 * of time, until it fails. Definitions come first. */
int event_rows_read(struct model *model, const struct export_options *options, unsigned int kind,
		    int (*take)(void *context, const struct event_header *event), void *context);

#endif
