/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What limits a report: the lines below it.
 */
#ifndef DASHCAM_VIEW_LIMITS_H
#define DASHCAM_VIEW_LIMITS_H

#include <stdio.h>

#include "query/query.h"
#include "query/views.h"

void limits_print(struct query *query, const struct view *view, FILE *out);

#endif
