/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the kernel as words. */
#include <stdio.h>
#include <string.h>

#include "query/internal.h"

/* Bits of the task state, as the kernel's include/linux/sched.h numbers them. */
enum {
	STATE_INTERRUPTIBLE = 0x1,
	STATE_UNINTERRUPTIBLE = 0x2,
	STATE_STOPPED = 0x4,
	STATE_TRACED = 0x8,
	STATE_EXIT = 0x10 | 0x20 | 0x80, /* dead, zombie, about to be freed */
	STATE_PARKED = 0x40,
	STATE_WAKE_KILL = 0x100,
	STATE_NO_LOAD = 0x400,
	STATE_RTLOCK = 0x1000,
	STATE_FROZEN = 0x8000,
};

const char *state_word(uint16_t prev_state)
{
	if (!prev_state)
		return "runnable";
	if (prev_state & STATE_EXIT)
		return "exiting";
	if (prev_state & STATE_FROZEN)
		return "frozen";
	if (prev_state & STATE_STOPPED)
		return "stopped";
	if (prev_state & STATE_TRACED)
		return "traced";
	if (prev_state & STATE_PARKED)
		return "parked";
	if (prev_state & STATE_RTLOCK)
		return "lock";
	if (prev_state & STATE_INTERRUPTIBLE)
		return "sleeping";
	if ((prev_state & STATE_UNINTERRUPTIBLE) && (prev_state & STATE_NO_LOAD))
		return "idle";
	if ((prev_state & STATE_UNINTERRUPTIBLE) && (prev_state & STATE_WAKE_KILL))
		return "killable";
	return prev_state & STATE_UNINTERRUPTIBLE ? "uninterruptible" : "other";
}

char *exit_text(uint32_t status, char *text, size_t size)
{
	unsigned int signal = status & 0x7f;
	const char *name = sigabbrev_np((int)signal);

	if (!signal)
		snprintf(text, size, "exit %u", (status >> 8) & 0xff);
	else if (name)
		snprintf(text, size, "killed by SIG%s%s", name,
			 status & 0x80 ? ", core dumped" : "");
	else
		snprintf(text, size, "killed by signal %u%s", signal,
			 status & 0x80 ? ", core dumped" : "");
	return text;
}

/* In a table digits stand below each other; in a sentence zeros behind the point say nothing. */
char *query_duration_text(char text[UNITS_TEXT_SIZE], uint64_t ns)
{
	char *point = strchr(format_ns(text, ns), '.');
	char *unit, *end;

	if (!point)
		return text;
	unit = end = strchr(point, ' ');
	while (end > point && (end[-1] == '0' || end[-1] == '.')) {
		end--;
		if (*end == '.')
			break;
	}
	memmove(end, unit, strlen(unit) + 1);
	return text;
}
