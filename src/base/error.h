/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors: zero or a negative errno for the program, one sentence for the person.
 *
 * The place that notices an error records what happened; each caller on the way up says what it was
 * doing; main prints the sentence once. Library folders neither print nor exit.
 *
 *	if (n != sizeof(header))
 *		return fail(-EBADMSG, "the header is %zd bytes, expected %zu", n, sizeof(header));
 *	...
 *	err = recording_open(&recording, path);
 *	if (err)
 *		return fail(err, "opening %s", path);    -> "opening x.dcam: the header is 3 bytes,
 *..."
 */
#ifndef DASHCAM_BASE_ERROR_H
#define DASHCAM_BASE_ERROR_H

#include <stdbool.h>

/* Records the sentence (of this thread), in front of an earlier one that is still pending: "new:
 * old". Returns ERR, a negative errno. */
int fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As fail, with the text of errno ERR appended to a sentence that begins here: "opening x: No such
 * ...". */
int fail_errno(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The pending sentence of this thread; "" if there is none. Valid until the next call of fail. */
const char *fail_text(void);

/* Forgets the pending sentence: the caller has dealt with the error. */
void fail_clear(void);

/* A person should know, but the work goes on. Goes to the handler that main has set; counted. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sets where warnings go; NULL: nowhere. Not thread-safe: set it before threads start. */
void warn_set_handler(void (*handler)(const char *text));

/* How many warnings there were. */
unsigned int warn_count(void);

#endif
