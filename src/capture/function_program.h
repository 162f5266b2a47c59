/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which file a command runs.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_PROGRAM_H
#define DASHCAM_CAPTURE_FUNCTION_PROGRAM_H

/*
 * Finds the program that COMMAND runs, as execvp does. Of a script it is the interpreter that its
 * first line names ("#!/usr/bin/env python3": python3), and warn() says so. *RET is the file's real
 * path, which the caller frees. Fails with a sentence.
 */
int function_program_find(const char *command, char **ret);

#endif
