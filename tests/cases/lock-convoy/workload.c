/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eight threads, the victim among them, do nearly all of their work under one mutex: one works,
 * seven queue.
 */
#include <string.h>

#include "case.h"

#define WORKERS 7

struct scene {
	struct requests requests;
	uint64_t hold_ns;
	bool does_sleep; /* the work under the mutex is to wait, not to compute */
	pthread_mutex_t mutex;
};

static NAMED_FUNCTION void update_shared_state(struct scene *scene)
{
	if (scene->does_sleep)
		sleep_ns(scene->hold_ns);
	else
		compute_here(scene->hold_ns);
	KEEP_FRAME();
}

static void *worker(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over) {
		pthread_mutex_lock(&scene->mutex);
		update_shared_state(scene);
		pthread_mutex_unlock(&scene->mutex);
		sleep_ns(500 * NS_PER_US);
	}
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	wait_end(requests);
	update_shared_state(scene);
	pthread_mutex_unlock(&scene->mutex);
	sleep_ns(500 * NS_PER_US);
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[3], "computing") && strcmp(argv[3], "sleeping")))
		usage("TRUTH HOLD-MS computing|sleeping");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.lock.futex"},
		.hold_ns = number_argument(argv[2], "HOLD-MS") * NS_PER_MS,
		.does_sleep = !strcmp(argv[3], "sleeping"),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t workers[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		workers[i] = start_thread("worker", worker, &scene);
	run_requests(&scene.requests);
	for (int i = 0; i < WORKERS; i++)
		join_thread(workers[i]);
	return 0;
}
