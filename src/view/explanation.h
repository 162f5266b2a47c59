/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an explanation is shown: as text for a person, as JSON for a program.
 */
#ifndef DASHCAM_VIEW_EXPLANATION_H
#define DASHCAM_VIEW_EXPLANATION_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/explain.h"

struct explanation_style {
	unsigned int width; /* of lines; 0: not a terminal */
	bool colour;
	bool chain; /* the whole way of blame, of every cause */
};

/* The verdict, the breakdown as bars, the findings, what could not be seen. */
void explanation_print_text(FILE *out, const struct explanation *explanation,
			    const struct explanation_style *style);

/* One object on one line; docs: man/dashcam-explain.1. */
void explanation_print_json(FILE *out, const struct explanation *explanation);

#endif
