/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is printed of a recording's facts, as text and as JSON.
 */
#ifndef DASHCAM_CMD_INFO_PRINT_H
#define DASHCAM_CMD_INFO_PRINT_H

#include <stdio.h>

#include "cmd/info_facts.h"

struct info_report {
	const char *path;
	const struct recording_info *info;
	const struct info_facts *facts;
	uint64_t events; /* of all kinds */
};

void info_print_text(FILE *out, const struct info_report *report);

/* All of it as one object on one line. */
void info_print_json(FILE *out, const struct info_report *report);

/* Words for the numbers in events; "unknown" for others. */
const char *info_hook_status(uint32_t status);
const char *info_log_name(uint16_t log);

/* When the recording begins as time of day in ns; 0 if it does not say. */
uint64_t info_realtime_start_ns(const struct info_report *report);

#endif
