/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads in a ring: each takes its own mutex and then wants the next one's. None ever gets it, and
 * the program ends while they hang.
 */
#include <stdlib.h>
#include <unistd.h>

#include "case.h"

#define RING_MAX 8

struct scene {
	pthread_barrier_t all_have_one;
	unsigned int count;
	atomic_int victim_tid;
	pthread_mutex_t mutexes[RING_MAX];
};

struct member {
	struct scene *scene;
	unsigned int number;
};

static NAMED_FUNCTION void take_two(struct scene *scene, unsigned int number)
{
	pthread_mutex_lock(&scene->mutexes[number]);
	pthread_barrier_wait(&scene->all_have_one);
	pthread_mutex_lock(&scene->mutexes[(number + 1) % scene->count]);
	KEEP_FRAME();
}

static void *member(void *argument)
{
	struct member *member = argument;

	if (!member->number)
		atomic_store(&member->scene->victim_tid, thread_id());
	take_two(member->scene, member->number);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	struct member members[RING_MAX];
	int truth;

	if (argc != 3)
		usage("TRUTH THREADS");
	truth = truth_open(argv[1]);
	scene.count = (unsigned int)number_argument(argv[2], "THREADS");
	if (scene.count < 2 || scene.count > RING_MAX)
		usage("TRUTH THREADS");
	pthread_barrier_init(&scene.all_have_one, NULL, scene.count);
	for (unsigned int i = 0; i < scene.count; i++)
		pthread_mutex_init(&scene.mutexes[i], NULL);
	for (unsigned int i = 0; i < scene.count; i++) {
		members[i] = (struct member){&scene, i};
		start_thread(i ? "partner" : "victim", member, &members[i]);
	}
	sleep_ns(200 * NS_PER_MS);
	truth_number(truth, "victim.from_ns", (int64_t)now_ns());
	sleep_ns(1000 * NS_PER_MS);
	truth_number(truth, "victim.to_ns", (int64_t)now_ns());
	truth_number(truth, "victim.tid", scene.victim_tid);
	_exit(0);
}
