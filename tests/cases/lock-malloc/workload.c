/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads use one lock of the C library: that of malloc, with a single arena, or that of a FILE.
 * What they do under it is not the program's own work, so there is nothing to move out of it.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "sandbox.h"

#define THREADS    6
#define BLOCKS     64
/* Longer than a FILE's buffer: it is written under the lock. */
#define LINE_BYTES 20000

struct scene {
	struct requests requests;
	FILE *file; /* NULL: they allocate */
};

static NAMED_FUNCTION void allocate(void)
{
	char *blocks[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(2000 + i * 200);
		blocks[i][0] = 1;
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	KEEP_FRAME();
}

static NAMED_FUNCTION void write_lines(FILE *file)
{
	rewind(file);
	for (size_t i = 0; i < BLOCKS; i++)
		fprintf(file, "%0*zu\n", LINE_BYTES, i);
	KEEP_FRAME();
}

static NAMED_FUNCTION void work(struct requests *requests, void *context)
{
	struct scene *scene = context;

	(void)requests;
	for (unsigned int i = 0; i < 20; i++) {
		if (scene->file)
			write_lines(scene->file);
		else
			allocate();
	}
	KEEP_FRAME();
}

static void *worker(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over)
		work(NULL, scene);
	return NULL;
}

int main(int argc, char **argv)
{
	struct scene scene = {.file = NULL};
	pthread_t threads[THREADS];

	if (argc != 3)
		usage("TRUTH malloc|stdio");
	if (!strcmp(argv[2], "stdio"))
		scene.file = fdopen(scratch_file(0, 0), "w");
	else
		mallopt(M_ARENA_MAX, 1);
	scene.requests = (struct requests){truth_open(argv[1]), work, &scene, NULL};
	for (size_t i = 0; i < THREADS; i++)
		threads[i] = start_thread("worker", worker, &scene);
	run_requests(&scene.requests);
	for (size_t i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	return 0;
}
