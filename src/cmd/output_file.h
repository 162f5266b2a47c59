/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that a command writes: it appears under its name only when it is whole. Until then it has
 * no name (or, on file systems that want one, a temporary one beside it), so an interrupted command
 * leaves nothing behind, and what was there before stays.
 */
#ifndef DASHCAM_CMD_OUTPUT_FILE_H
#define DASHCAM_CMD_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct output_file {
	FILE *stream;    /* with a buffer of 1 MB */
	char *path;      /* where it will be; NULL: standard output */
	char *temporary; /* its name until then; NULL: it has none */
	char *buffer;
	bool is_direct; /* written in place: a device, a pipe */
};

/* PATH NULL or "-": standard output. New files have mode 0600. Returns 0, or a negative errno with
 * a sentence; then nothing is to be ended. */
int output_file_begin(struct output_file *file, const char *path);

/* Ends the writing, with the ERR that it came to: if that is 0 the file gets its name, else it goes
 * away. Returns ERR, or an error of its own. */
int output_file_end(struct output_file *file, int err);

#endif
