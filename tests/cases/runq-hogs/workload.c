/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that never pause are pinned to the victim's CPU. A victim that computes is put off it
 * again and again; one that wakes up for a moment's work waits for the CPU each time.
 */
#include <string.h>
#include <sys/resource.h>

#include "case.h"

#define HOGS_MAX 8

struct scene {
	struct requests requests;
	bool wakes;   /* the victim sleeps between its requests */
	int hog_nice; /* by how much a hog is preferred */
};

static NAMED_FUNCTION void crunch_numbers(struct scene *scene)
{
	while (!scene->requests.is_over)
		compute_here(NS_PER_MS);
	KEEP_FRAME();
}

static void *hog(void *argument)
{
	struct scene *scene = argument;

	pin_to_cpu(0);
	if (setpriority(PRIO_PROCESS, thread_id(), getpriority(PRIO_PROCESS, 0) - scene->hog_nice))
		give_up("setting the priority of a hog");
	crunch_numbers(scene);
	return NULL;
}

static NAMED_FUNCTION void serve(struct requests *requests, void *context)
{
	struct scene *scene = context;

	if (!requests->victim.requests)
		pin_to_cpu(0);
	if (scene->wakes)
		sleep_ns(NS_PER_MS);
	compute_here(scene->wakes ? 300 * NS_PER_US : 10 * NS_PER_MS);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc != 5 || (strcmp(argv[2], "computing") && strcmp(argv[2], "waking")))
		usage("TRUTH computing|waking HOGS NICER");
	struct scene scene = {
		.requests = {truth_open(argv[1]), serve, &scene, NULL},
		.wakes = !strcmp(argv[2], "waking"),
		.hog_nice = number_argument(argv[4], "NICER"),
	};
	uint64_t hog_count = number_argument(argv[3], "HOGS");
	pthread_t hogs[HOGS_MAX];

	if (hog_count > HOGS_MAX)
		usage("TRUTH computing|waking HOGS NICER");
	for (uint64_t i = 0; i < hog_count; i++)
		hogs[i] = start_thread("hog", hog, &scene);
	run_requests(&scene.requests);
	for (uint64_t i = 0; i < hog_count; i++)
		join_thread(hogs[i]);
	return 0;
}
