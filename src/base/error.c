/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 1024

static _Thread_local char pending[TEXT_SIZE];
static void (*warn_handler)(const char *text);
static atomic_uint warnings;

/* Puts the new text in front of what is pending; a text too long is cut at its end. */
static void prepend(const char *format, va_list args)
{
	char text[2 * TEXT_SIZE + 2];
	int n = vsnprintf(text, TEXT_SIZE, format, args);
	size_t used = n < 0 ? 0 : strlen(text);

	if (pending[0])
		snprintf(text + used, sizeof(text) - used, ": %s", pending);
	text[TEXT_SIZE - 1] = '\0';
	memcpy(pending, text, sizeof(pending));
}

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prepend(format, args);
	va_end(args);
	return err;
}

int fail_errno(int err, const char *format, ...)
{
	va_list args;

	pending[0] = '\0';
	snprintf(pending, sizeof(pending), "%s", strerror(err < 0 ? -err : err));
	va_start(args, format);
	prepend(format, args);
	va_end(args);
	return err;
}

const char *fail_text(void)
{
	return pending;
}

void fail_clear(void)
{
	pending[0] = '\0';
}

void warn(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	atomic_fetch_add(&warnings, 1);
	if (!warn_handler)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	warn_handler(text);
}

void warn_set_handler(void (*handler)(const char *text))
{
	warn_handler = handler;
}

unsigned int warn_count(void)
{
	return atomic_load(&warnings);
}
