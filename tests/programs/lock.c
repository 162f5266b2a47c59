/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A holder keeps a mutex for HOLD-MS, ROUNDS times; each time a waiter comes while it is held.
 * Known: how often and how long the waiter waited, and who held.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "workload.h"

struct scene {
	int truth;
	uint64_t rounds;
	uint64_t hold_ns;
	pthread_mutex_t mutex;
	atomic_ulong held_round; /* the round in which the holder has the mutex; odd: held */
};

static NAMED_FUNCTION void hold_the_lock(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	atomic_fetch_add(&scene->held_round, 1);
	sleep_ns(scene->hold_ns);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *holder(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();

	pthread_setname_np(pthread_self(), "holder");
	for (uint64_t i = 0; i < scene->rounds; i++) {
		hold_the_lock(scene);
		/* The waiter says that it has had the mutex. */
		while (atomic_load(&scene->held_round) & 1)
			sleep_ns(100 * NS_PER_US);
	}
	truth_thread(scene->truth, "holder", born_ns);
	return NULL;
}

static NAMED_FUNCTION uint64_t want_the_lock(struct scene *scene)
{
	uint64_t begin_ns = now_ns();

	pthread_mutex_lock(&scene->mutex);
	uint64_t waited_ns = now_ns() - begin_ns;
	pthread_mutex_unlock(&scene->mutex);
	return waited_ns;
}

static void *waiter(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns(), waited_ns = 0;

	pthread_setname_np(pthread_self(), "waiter");
	for (uint64_t i = 0; i < scene->rounds; i++) {
		while (!(atomic_load(&scene->held_round) & 1))
			sleep_ns(100 * NS_PER_US);
		waited_ns += want_the_lock(scene);
		atomic_fetch_add(&scene->held_round, 1);
	}
	truth_number(scene->truth, "waits", scene->rounds);
	truth_number(scene->truth, "waited_ns", waited_ns);
	truth_thread(scene->truth, "waiter", born_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH ROUNDS HOLD-MS");
	struct scene scene = {
		.truth = truth_open(argv[1]),
		.rounds = number_argument(argv[2], "ROUNDS"),
		.hold_ns = number_argument(argv[3], "HOLD-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t holder_thread, waiter_thread;

	if (pthread_create(&holder_thread, NULL, holder, &scene) ||
	    pthread_create(&waiter_thread, NULL, waiter, &scene))
		give_up("starting a thread");
	pthread_join(holder_thread, NULL);
	pthread_join(waiter_thread, NULL);
	return 0;
}
