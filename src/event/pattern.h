/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Shell globs on thread names, matched without branches that depend on a name's characters: the
 * kernel's verifier would walk each way through them, and 6.1 gives up.
 */
#ifndef DASHCAM_EVENT_PATTERN_H
#define DASHCAM_EVENT_PATTERN_H

#include "event/event.h"

#define FILTER_PATTERN_SIZE 16

/* A glob of ordinary characters, '*' and '?', made by pattern_compile (capture/settings.h): bit i
 * of the sets stands for character i. No two stars follow each other. */
struct filter_pattern {
	char text[FILTER_PATTERN_SIZE];
	__u32 star;
	__u32 any;
	__u32 length;
};

/* 1 if A is B, without a branch: hidden from the compiler, which would make one. */
static inline __attribute__((always_inline)) __u32 pattern_is_same(char a, char b)
{
	__u32 difference = (__u8)(a ^ b);

	__asm__ volatile("" : "+r"(difference));
	return (difference - 1) >> 31;
}

/*
 * Does the whole name COMM (at most 15 characters) match? The automaton's states are the bits of
 * one number: bit i is set if the first i characters of the pattern match what was read so far.
 */
static inline __attribute__((always_inline)) int
pattern_matches(const volatile struct filter_pattern *pattern, const char *comm)
{
	__u32 states = 1;

	states |= (states & pattern->star) << 1;
	for (int i = 0; i < EVENT_COMM_SIZE - 1; i++) {
		__u32 same = 0;

		if (!comm[i])
			break;
		for (int j = 0; j < FILTER_PATTERN_SIZE - 1; j++)
			same |= pattern_is_same(pattern->text[j], comm[i]) << j;
		states = ((states & (same | pattern->any) & ~pattern->star) << 1) |
			 (states & pattern->star);
		states |= (states & pattern->star) << 1;
	}
	return (states >> (pattern->length & 31)) & 1;
}

#endif
