/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread goes to sleep while it holds a mutex that the victim wants again and again. */
#include "case.h"

struct scene {
	struct requests requests;
	uint64_t hold_ns;
	uint64_t pause_ns; /* between two holds */
	pthread_mutex_t mutex;
};

static NAMED_FUNCTION void back_off(uint64_t duration_ns)
{
	sleep_ns(duration_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void hold_and_sleep(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	back_off(scene->hold_ns);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *holder(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over) {
		hold_and_sleep(scene);
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static NAMED_FUNCTION void want_the_lock(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	wait_end(requests);
	pthread_mutex_unlock(&scene->mutex);
	compute_here(500 * NS_PER_US);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH HOLD-MS PAUSE-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), want_the_lock, &scene, "ns.lock.futex"},
		.hold_ns = number_argument(argv[2], "HOLD-MS") * NS_PER_MS,
		.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t holder_thread = start_thread("holder", holder, &scene);

	run_requests(&scene.requests);
	join_thread(holder_thread);
	return 0;
}
