/* SPDX-License-Identifier: BSD-2-Clause */
/* Seed 001's example of threads: four, and each calls a, which calls b, which calls c. */
#include <pthread.h>
#include <stdlib.h>

#include "workload.h"

#define THREADS 4

static NAMED_FUNCTION void c(void)
{
	__asm__ volatile("" ::: "memory");
}

static NAMED_FUNCTION void b(void)
{
	c();
	__asm__ volatile("" ::: "memory");
}

static NAMED_FUNCTION void *a(void *argument)
{
	b();
	return argument;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, a, NULL))
			abort();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
