/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim burns its CPU until a spin lock is free that another thread holds while it sleeps. */
#include <string.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t hold_ns;
	bool is_own; /* a loop of the program, else pthread_spin_lock */
	atomic_int own_lock;
	pthread_spinlock_t lock;
};

static NAMED_FUNCTION void spin_until_free(struct scene *scene)
{
	if (!scene->is_own)
		pthread_spin_lock(&scene->lock);
	else
		while (atomic_exchange(&scene->own_lock, 1))
			while (atomic_load_explicit(&scene->own_lock, memory_order_relaxed))
				;
	KEEP_FRAME();
}

static void set_free(struct scene *scene)
{
	if (scene->is_own)
		atomic_store(&scene->own_lock, 0);
	else
		pthread_spin_unlock(&scene->lock);
}

static void *holder(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over) {
		spin_until_free(scene);
		sleep_ns(scene->hold_ns);
		set_free(scene);
		sleep_ns(scene->hold_ns / 8);
	}
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;

	(void)requests;
	spin_until_free(scene);
	set_free(scene);
	sleep_ns(scene->hold_ns / 16);
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "own") && strcmp(argv[2], "pthread")))
		usage("TRUTH own|pthread HOLD-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, NULL},
		.is_own = !strcmp(argv[2], "own"),
		.hold_ns = number_argument(argv[3], "HOLD-MS") * NS_PER_MS,
	};
	pthread_spin_init(&scene.lock, PTHREAD_PROCESS_PRIVATE);
	pthread_t holder_thread = start_thread("holder", holder, &scene);

	run_requests(&scene.requests);
	join_thread(holder_thread);
	return 0;
}
