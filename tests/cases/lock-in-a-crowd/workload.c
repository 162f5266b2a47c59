/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread of many has a problem: it waits for a lock a fifth of its time. The others wait for
 * work all the time, with a time limit, or until a distributor who sleeps between two rounds gives
 * each some. Nobody says which one to explain.
 */
#include <semaphore.h>
#include <time.h>

#include "case.h"

#define CROWD_MAX 100

struct scene {
	struct requests requests;
	pthread_mutex_t mutex;
	pthread_mutex_t crowd_mutex;
	pthread_cond_t never;
	sem_t work;
};

static NAMED_FUNCTION void hold_and_compute(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	compute_here(30 * NS_PER_MS);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *holder(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over) {
		hold_and_compute(scene);
		sleep_ns(110 * NS_PER_MS);
	}
	return NULL;
}

static void wait_with_limit(struct scene *scene)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (until.tv_nsec + 100 * (long)NS_PER_MS) / (long)NS_PER_S;
	until.tv_nsec = (until.tv_nsec + 100 * (long)NS_PER_MS) % (long)NS_PER_S;
	pthread_mutex_lock(&scene->crowd_mutex);
	pthread_cond_timedwait(&scene->never, &scene->crowd_mutex, &until);
	pthread_mutex_unlock(&scene->crowd_mutex);
}

static void *idler(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over)
		wait_with_limit(scene);
	return NULL;
}

static void *worker(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over)
		sem_wait(&scene->work);
	return NULL;
}

struct distributor {
	struct scene *scene;
	unsigned int worker_count;
};

static void *distribute(void *argument)
{
	struct distributor *distributor = argument;
	bool is_over;

	do {
		is_over = distributor->scene->requests.is_over;
		sleep_ns(150 * NS_PER_MS);
		for (unsigned int i = 0; i < distributor->worker_count; i++)
			sem_post(&distributor->scene->work);
	} while (!is_over);
	return NULL;
}

static NAMED_FUNCTION void want_the_lock(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	wait_end(requests);
	pthread_mutex_unlock(&scene->mutex);
	sleep_ns(5 * NS_PER_MS);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	pthread_t threads[CROWD_MAX + 2];
	size_t count = 0;

	if (argc != 4)
		usage("TRUTH IDLERS WORKERS");
	unsigned int idlers = (unsigned int)number_argument(argv[2], "IDLERS");
	unsigned int workers = (unsigned int)number_argument(argv[3], "WORKERS");
	if (idlers + workers > CROWD_MAX)
		usage("TRUTH IDLERS WORKERS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), want_the_lock, &scene, "ns.lock.futex"},
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.crowd_mutex = PTHREAD_MUTEX_INITIALIZER,
		.never = PTHREAD_COND_INITIALIZER,
	};
	struct distributor distributor = {&scene, workers};
	sem_init(&scene.work, 0, 0);
	for (unsigned int i = 0; i < idlers; i++)
		threads[count++] = start_thread("idler", idler, &scene);
	for (unsigned int i = 0; i < workers; i++)
		threads[count++] = start_thread("worker", worker, &scene);
	threads[count++] = start_thread("distributor", distribute, &distributor);
	threads[count++] = start_thread("holder", holder, &scene);
	run_requests(&scene.requests);
	while (count)
		join_thread(threads[--count]);
	return 0;
}
