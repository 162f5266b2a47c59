/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks like a fault: THREADS threads allocate and free memory all the time. But the C library
 * gives each of them an arena of its own, and they do not wait for each other.
 */
#include <stdlib.h>

#include "case.h"
#include "sandbox.h"

#define BLOCKS      64
#define THREADS_MAX 16

static NAMED_FUNCTION void allocate_and_free(size_t size_bytes)
{
	char *volatile blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(size_bytes);
		if (!blocks[i])
			give_up("malloc");
		blocks[i][0] = 1;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

static void *allocate_without_end(void *argument)
{
	struct requests *requests = argument;

	while (!atomic_load(&requests->is_over))
		allocate_and_free(1000);
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	(void)requests;
	(void)context;
	for (int i = 0; i < 100; i++)
		allocate_and_free(1000);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];

	if (argc != 3)
		usage("TRUTH THREADS");
	come_first();
	struct requests requests = {.truth = truth_open(argv[1]), .request = request};
	uint64_t count = number_argument(argv[2], "THREADS");

	for (uint64_t i = 0; i < count && i < THREADS_MAX; i++)
		threads[i] = start_thread("neighbour", allocate_without_end, &requests);
	run_requests(&requests);
	for (uint64_t i = 0; i < count && i < THREADS_MAX; i++)
		join_thread(threads[i]);
	return 0;
}
