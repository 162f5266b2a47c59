/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that no glob should pick: a probe on their return would end the program, or says
 * nothing. They are traced only if a pattern names them exactly, and then what is dangerous about
 * them is still left out.
 */
#ifndef DASHCAM_CAPTURE_FUNCTION_HARM_H
#define DASHCAM_CAPTURE_FUNCTION_HARM_H

#include <stdbool.h>

struct function_harm {
	const char *names;  /* globs on the symbol, with spaces between */
	const char *reason; /* "it returns twice" */
	bool entry_only;    /* a probe on its return is never put there */
};

/* Of what runs in the dynamic linker. */
extern const struct function_harm function_harm_linker;

/* What is known of a symbol; NULL: nothing bad. */
const struct function_harm *function_harm_find(const char *symbol);

/* Is the file the dynamic linker (by the last part of its path, or its soname)? It runs before, and
 * in the middle of, the calls of others, with rules of its own. */
bool function_harm_is_linker(const char *path, const char *soname);

#endif
