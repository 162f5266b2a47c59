/* SPDX-License-Identifier: BSD-2-Clause */
/* Seed 001's first example: one function takes twice as long as the other. Prints what it measured
 * itself. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "workload.h"

#define LOOPS 400000000L

static NAMED_FUNCTION void work1(void)
{
	for (long i = 0; i < LOOPS; i++)
		__asm__ volatile("" ::: "memory");
}

static NAMED_FUNCTION void work2(void)
{
	for (long i = 0; i < 2 * LOOPS; i++)
		__asm__ volatile("" ::: "memory");
}

static inline __attribute__((always_inline)) uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(void)
{
	uint64_t start_ns = clock_ns(), between_ns, end_ns;

	work1();
	between_ns = clock_ns();
	work2();
	end_ns = clock_ns();
	printf("work1_ns=%" PRIu64 "\nwork2_ns=%" PRIu64 "\n", between_ns - start_ns,
	       end_ns - between_ns);
	return 0;
}
