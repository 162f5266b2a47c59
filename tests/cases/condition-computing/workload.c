/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim consumes what a producer computes, and the producer is slow. */
#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t item_ns; /* CPU time to make an item */
	bool uses_semaphore;
	sem_t semaphore;
	pthread_mutex_t mutex;
	pthread_cond_t has_items;
	unsigned int items;
};

static NAMED_FUNCTION void compute_item(struct scene *scene)
{
	compute_here(scene->item_ns);
	KEEP_FRAME();
}

static void hand_over(struct scene *scene)
{
	if (scene->uses_semaphore) {
		sem_post(&scene->semaphore);
		return;
	}
	pthread_mutex_lock(&scene->mutex);
	scene->items++;
	pthread_cond_signal(&scene->has_items);
	pthread_mutex_unlock(&scene->mutex);
}

static void *producer(void *argument)
{
	struct scene *scene = argument;

	/* The last item is made when it is over, so that nobody waits for ever. */
	do {
		compute_item(scene);
		hand_over(scene);
	} while (!scene->requests.is_over);
	return NULL;
}

static NAMED_FUNCTION void take_item(struct scene *scene)
{
	if (scene->uses_semaphore) {
		while (sem_wait(&scene->semaphore) && errno == EINTR)
			;
		return;
	}
	pthread_mutex_lock(&scene->mutex);
	while (!scene->items)
		pthread_cond_wait(&scene->has_items, &scene->mutex);
	scene->items--;
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static NAMED_FUNCTION void consume(struct requests *requests, void *context)
{
	wait_begin(requests);
	take_item(context);
	wait_end(requests);
	compute_here(500 * NS_PER_US);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "condition") && strcmp(argv[2], "semaphore")))
		usage("TRUTH condition|semaphore ITEM-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), consume, &scene, "ns.wait.condition"},
		.item_ns = number_argument(argv[3], "ITEM-MS") * NS_PER_MS,
		.uses_semaphore = !strcmp(argv[2], "semaphore"),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.has_items = PTHREAD_COND_INITIALIZER,
	};
	sem_init(&scene.semaphore, 0, 0);
	pthread_t producer_thread = start_thread("producer", producer, &scene);

	run_requests(&scene.requests);
	join_thread(producer_thread);
	return 0;
}
