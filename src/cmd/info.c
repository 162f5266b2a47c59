/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam info: what a recording is and what is in it.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/info_print.h"

struct info_values {
	bool json;
	bool check;
};

static const struct option_row info_rows[] = {
	OPTION("json", 'j', OPTION_FLAG, struct info_values, json, NULL,
	       "all of it as one JSON object"),
	OPTION("check", 0, OPTION_FLAG, struct info_values, check, NULL,
	       "read the logs of switches and calls too, and fail if anything in the file is damaged"),
	OPTIONS_END,
};

static int judge(const struct info_report *report)
{
	if (report->info->is_torn)
		return fail(-EBADMSG, "%s is torn: %s", report->path, report->info->damage);
	if (report->facts->damaged)
		return fail(-EBADMSG, "%s: %" PRIu64 " chunks or events are damaged", report->path,
			    report->facts->damaged);
	return 0;
}

static int info_run(void *values, int operand_count, char **operands)
{
	const struct info_values *options = values;
	unsigned int streams = STREAM_BIT(STREAM_TABLE) | STREAM_BIT(STREAM_EVIDENCE);
	struct info_facts facts = {.fact_count = 0};
	struct info_report report = {.path = operands[0], .facts = &facts};
	struct recording *recording;
	int err = recording_open(&recording, report.path);

	(void)operand_count;
	if (err)
		return err;
	if (options->check)
		streams |= STREAM_BIT(STREAM_SWITCH) | STREAM_BIT(STREAM_CALL);
	report.info = recording_info(recording);
	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++)
		report.events += report.info->event_count[kind];
	err = info_facts_read(&facts, recording, streams);
	if (!err && options->json)
		info_print_json(stdout, &report);
	else if (!err)
		info_print_text(stdout, &report);
	if (!err && options->check)
		err = judge(&report);
	info_facts_release(&facts);
	recording_close(recording);
	return err ? err : 0;
}

const struct command command_info = {
	.name = "info",
	.summary = "say what is in a recording: host, time, counts, hooks, loss",
	.operands = "FILE",
	.description =
		"Prints what a recording is: whether it is whole, where and when it was made, for how long, how\n"
		"many events of each kind it has and how large they are; which hooks of the kernel worked and what\n"
		"is missing because of those that did not; and what was lost, per CPU, log and reason.\n"
		"\n"
		"A recording that was cut (power, kill -9, a full disk) opens up to its last whole chunk, and this\n"
		"says so.\n",
	.examples = "  dashcam info x.dcam\n"
		    "  dashcam info --check x.dcam && echo it is whole\n"
		    "  dashcam info --json x.dcam | jq .loss\n",
	.options = info_rows,
	.values_size = sizeof(struct info_values),
	.min_operands = 1,
	.max_operands = 1,
	.run = info_run,
};
