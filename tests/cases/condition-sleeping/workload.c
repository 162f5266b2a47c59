/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim waits on a condition variable for a producer that sleeps between attempts to get an
 * item. */
#include "case.h"

struct scene {
	struct requests requests;
	uint64_t nap_ns;
	uint64_t attempts; /* until there is an item */
	pthread_mutex_t mutex;
	pthread_cond_t has_items;
	unsigned int items;
};

static NAMED_FUNCTION void retry_later(struct scene *scene)
{
	sleep_ns(scene->nap_ns);
	KEEP_FRAME();
}

static NAMED_FUNCTION void fetch_item(struct scene *scene)
{
	for (uint64_t i = 0; i < scene->attempts; i++) {
		compute_here(50 * NS_PER_US);
		retry_later(scene);
	}
	KEEP_FRAME();
}

static void *producer(void *argument)
{
	struct scene *scene = argument;

	/* The last item is made when it is over, so that nobody waits for ever. */
	do {
		fetch_item(scene);
		pthread_mutex_lock(&scene->mutex);
		scene->items++;
		pthread_mutex_unlock(&scene->mutex);
		pthread_cond_signal(&scene->has_items);
	} while (!scene->requests.is_over);
	return NULL;
}

static NAMED_FUNCTION void consume(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	pthread_mutex_lock(&scene->mutex);
	while (!scene->items)
		pthread_cond_wait(&scene->has_items, &scene->mutex);
	scene->items--;
	pthread_mutex_unlock(&scene->mutex);
	wait_end(requests);
	compute_here(500 * NS_PER_US);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH NAP-MS ATTEMPTS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), consume, &scene, "ns.wait.condition"},
		.nap_ns = number_argument(argv[2], "NAP-MS") * NS_PER_MS,
		.attempts = number_argument(argv[3], "ATTEMPTS"),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.has_items = PTHREAD_COND_INITIALIZER,
	};
	pthread_t producer_thread = start_thread("producer", producer, &scene);

	run_requests(&scene.requests);
	join_thread(producer_thread);
	return 0;
}
