/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about a recording, as META events among its tables: name and value.
 */
#ifndef DASHCAM_CAPTURE_FACT_H
#define DASHCAM_CAPTURE_FACT_H

#include "capture/capture.h"

/* Passes the fact to the sink's table. A value is cut to FACT_MAX_BYTES. */
#define FACT_MAX_BYTES 32000
void fact_tell(const struct capture_sink *sink, const char *name, const char *value);

#endif
