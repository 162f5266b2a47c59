/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The holder of a mutex has little to do, but shares its CPU with threads of more weight that never
 * pause: what takes it 8 ms lasts many times as long. The victim, on another CPU, waits for the
 * mutex.
 */
#include <sys/resource.h>

#include "case.h"

#define HOGS_MAX 8

struct scene {
	struct requests requests;
	uint64_t hold_ns; /* CPU time */
	int hog_nice;     /* by how much a hog is preferred */
	pthread_mutex_t mutex;
};

static NAMED_FUNCTION void hold_and_compute(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	compute_here(scene->hold_ns);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *holder(void *argument)
{
	struct scene *scene = argument;

	pin_to_cpu(0);
	while (!scene->requests.is_over) {
		hold_and_compute(scene);
		sleep_ns(NS_PER_MS);
	}
	return NULL;
}

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

static NAMED_FUNCTION void want_the_lock(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	wait_end(requests);
	pthread_mutex_unlock(&scene->mutex);
	compute_here(NS_PER_MS);
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	pin_to_cpu(1);
	want_the_lock(requests, context);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		usage("TRUTH HOLD-MS HOGS NICER");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.lock.futex"},
		.hold_ns = number_argument(argv[2], "HOLD-MS") * NS_PER_MS,
		.hog_nice = number_argument(argv[4], "NICER"),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	uint64_t hog_count = number_argument(argv[3], "HOGS");
	pthread_t hogs[HOGS_MAX], holder_thread = start_thread("holder", holder, &scene);

	if (hog_count > HOGS_MAX)
		usage("TRUTH HOLD-MS HOGS NICER");
	for (uint64_t i = 0; i < hog_count; i++)
		hogs[i] = start_thread("hog", hog, &scene);
	run_requests(&scene.requests);
	for (uint64_t i = 0; i < hog_count; i++)
		join_thread(hogs[i]);
	join_thread(holder_thread);
	return 0;
}
