/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seed 001's measurement: one small function is called very often. Prints ns per call, of the thread's
 * CPU time and of wall time: "CPU WALL".
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile int g;

__attribute__((noinline)) void f(int i);

void f(int i)
{
#ifdef NO_BRANCH /* no instruction that the kernel emulates */
	g += i;
#else
	if (i & 1)
		g += 1;
	else
		g += 2;
#endif
}

static uint64_t time_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1000000;
	uint64_t cpu_ns = time_ns(CLOCK_THREAD_CPUTIME_ID), wall_ns = time_ns(CLOCK_MONOTONIC);

	for (int i = 0; i < count; i++)
		f(i);
	cpu_ns = time_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	wall_ns = time_ns(CLOCK_MONOTONIC) - wall_ns;
	fprintf(stderr, "ns per call: %.1f %.1f\n", (double)cpu_ns / count, (double)wall_ns / count);
	return 0;
}
