/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three SCHED_FIFO threads on one CPU. The one of low priority takes a mutex and works; the one of
 * medium priority gets work and takes the CPU; the victim, of high priority, wants the mutex: it
 * waits for low, which waits for medium, which has nothing to do with the mutex.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "case.h"

#define LOW    10
#define MEDIUM 20
#define HIGH   30

struct scene {
	struct requests requests;
	uint64_t burst_ns; /* of medium */
	uint64_t hold_ns;  /* of low; CPU time */
	pthread_mutex_t mutex;
	sem_t low_work;
	sem_t medium_work;
	atomic_bool is_held; /* by low */
};

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) && errno == EINTR)
		;
}

static void be_one_of_the_three(int priority)
{
	pin_to_cpu(0);
	run_in_real_time(priority);
}

static NAMED_FUNCTION void hold_briefly(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	scene->is_held = true;
	compute_here(scene->hold_ns);
	scene->is_held = false;
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *low(void *argument)
{
	struct scene *scene = argument;

	be_one_of_the_three(LOW);
	for (;;) {
		wait_for(&scene->low_work);
		if (scene->requests.is_over)
			return NULL;
		hold_briefly(scene);
	}
}

static NAMED_FUNCTION void encode_frame(struct scene *scene)
{
	compute_here(scene->burst_ns);
	KEEP_FRAME();
}

static void *medium(void *argument)
{
	struct scene *scene = argument;

	be_one_of_the_three(MEDIUM);
	for (;;) {
		wait_for(&scene->medium_work);
		if (scene->requests.is_over)
			return NULL;
		encode_frame(scene);
	}
}

/* Medium gets its work, and the victim comes, when low has taken the mutex: on a busy machine that takes a while. */
static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;

	if (!requests->victim.requests)
		be_one_of_the_three(HIGH);
	sem_post(&scene->low_work);
	do
		sleep_ns(NS_PER_MS);
	while (!scene->is_held);
	sem_post(&scene->medium_work);
	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	wait_end(requests);
	pthread_mutex_unlock(&scene->mutex);
	/* Real-time threads together may not take more than 95 % of a CPU. */
	sleep_ns(scene->burst_ns / 4);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH MEDIUM-BURST-MS LOW-HOLD-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.lock.futex"},
		.burst_ns = number_argument(argv[2], "MEDIUM-BURST-MS") * NS_PER_MS,
		.hold_ns = number_argument(argv[3], "LOW-HOLD-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	sem_init(&scene.low_work, 0, 0);
	sem_init(&scene.medium_work, 0, 0);
	pthread_t low_thread = start_thread("low", low, &scene);
	pthread_t medium_thread = start_thread("medium", medium, &scene);

	run_requests(&scene.requests);
	sem_post(&scene.low_work);
	sem_post(&scene.medium_work);
	join_thread(low_thread);
	join_thread(medium_thread);
	return 0;
}
