/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command reads: a recording, its model, and a query under the filter of the options.
 */
#ifndef DASHCAM_CMD_INPUT_H
#define DASHCAM_CMD_INPUT_H

#include "cmd/filter_args.h"
#include "model/model.h"
#include "query/query.h"
#include "recording/recording.h"

struct input {
	struct recording *recording;
	struct model *model;
	struct query *query;
	struct filter_args filter;
	int signal_fd; /* tells of Ctrl-C */
	bool is_interrupted;
};

/*
 * Opens FILE and all that stands on it. From then on Ctrl-C does not end the program but the
 * statement that runs. VALUES are borrowed until the close. The caller closes INPUT, also after a
 * failure.
 */
int input_open(struct input *input, const char *file, const struct filter_values *values);
void input_close(struct input *input);

/* Of standard output, if it is a terminal; else 0. */
unsigned int terminal_width(void);
/* Standard output is a terminal, and NO_COLOR is not set. */
bool terminal_has_colour(void);

#endif
