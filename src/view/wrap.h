/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text broken between words to fit the terminal.
 */
#ifndef DASHCAM_VIEW_WRAP_H
#define DASHCAM_VIEW_WRAP_H

#include <stdio.h>

/* Prints TEXT and a newline, from column INDENT, where the cursor is already; lines that follow are
 * indented. WIDTH 0, or too narrow for it: in one line. */
void wrap_print(const char *text, unsigned int indent, unsigned int width, FILE *out);

#endif
