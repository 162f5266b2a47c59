/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command table, and the only place that prints errors and decides the exit status.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cmd/command.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_WRONG_USAGE = 2
};

const struct command *const commands[] = {
	&command_record,
	&command_explain,
	&command_report,
	&command_live,
	&command_info,
	&command_query,
	&command_export,
	&command_probes,
	&command_doctor,
	&command_help,
	NULL,
};

/* A sentence may carry names from elsewhere, so it is escaped before it reaches the terminal. */
static void print_line(const char *prefix, const char *text)
{
	struct buffer line = {0};

	utf8_add_escaped(&line, text);
	fprintf(stderr, "dashcam: %s%s\n", prefix, line.size ? line.data : "");
	buffer_release(&line);
}

static void print_warning(const char *text)
{
	print_line("warning: ", text);
}

int main(int argc, char **argv)
{
	int status;

	warn_set_handler(print_warning);
	status = commands_run(argc, argv);
	if (fflush(stdout) && status >= 0)
		status = fail_errno(-errno, "writing the output");
	/* nobody reads on, as with `| head`: as quiet as the signal would be */
	if (status == -EPIPE)
		return EXIT_FAILED;
	if (status > 0 && *fail_text())
		print_line("", fail_text());
	if (status >= 0)
		return status;
	print_line("", *fail_text() ? fail_text() : strerror(-status));
	return status == -EINVAL ? EXIT_WRONG_USAGE : EXIT_FAILED;
}
