/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hang TRUTH: two threads that take two mutexes in opposite order and wait for each other until the program is ended.
 */
#include <pthread.h>
#include <unistd.h>

#include "workload.h"

struct scene {
	int truth;
	pthread_mutex_t left, right;
	pthread_barrier_t both_have_one;
};

static NAMED_FUNCTION void take_second(struct scene *scene, pthread_mutex_t *second)
{
	pthread_barrier_wait(&scene->both_have_one);
	pthread_mutex_lock(second);
	KEEP_FRAME();
}

static void *left_first(void *argument)
{
	struct scene *scene = argument;

	pthread_setname_np(pthread_self(), "left");
	truth_number(scene->truth, "left.tid", thread_id());
	pthread_mutex_lock(&scene->left);
	take_second(scene, &scene->right);
	return NULL;
}

static void *right_first(void *argument)
{
	struct scene *scene = argument;

	pthread_setname_np(pthread_self(), "right");
	truth_number(scene->truth, "right.tid", thread_id());
	pthread_mutex_lock(&scene->right);
	take_second(scene, &scene->left);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("TRUTH");
	struct scene scene = {.truth = truth_open(argv[1]),
			      .left = PTHREAD_MUTEX_INITIALIZER,
			      .right = PTHREAD_MUTEX_INITIALIZER};
	pthread_t left, right;

	pthread_barrier_init(&scene.both_have_one, NULL, 2);
	if (pthread_create(&left, NULL, left_first, &scene) ||
	    pthread_create(&right, NULL, right_first, &scene))
		give_up("starting a thread");
	truth_number(scene.truth, "main.tid", thread_id());
	pthread_join(left, NULL);
	return 0;
}
