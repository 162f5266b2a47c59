/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demo: a producer and a consumer share one mutex. The consumer is busy for 100 ms while it
 * holds it. The producer works (asleep) for 80 ms, then wants the mutex and waits the other 20 ms
 * for it. From outside the producer looks "asleep"; a recording says 80 % by its own wish and 20 %
 * because `consumer`, in process_item, had the lock.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "workload.h"

#define CONSUME_NS (100 * NS_PER_MS)
#define PRODUCE_NS (80 * NS_PER_MS)

struct shop {
	int truth;
	uint64_t end_ns;
	pthread_mutex_t mutex;
	atomic_bool is_consuming; /* set by the consumer when it has the mutex, cleared by the
				     producer */
};

/* Computes itself, so that it is the function to name. */
static NAMED_FUNCTION void process_item(void)
{
	uint64_t end_ns = now_ns() + CONSUME_NS;

	while (now_ns() < end_ns) {
		for (int i = 0; i < 10000; i++)
			KEEP_FRAME(); /* keeps the loop, too */
	}
}

static void *consumer(void *argument)
{
	struct shop *shop = argument;
	uint64_t born_ns = now_ns();

	pthread_setname_np(pthread_self(), "consumer");
	while (now_ns() < shop->end_ns) {
		pthread_mutex_lock(&shop->mutex);
		atomic_store(&shop->is_consuming, true);
		process_item();
		pthread_mutex_unlock(&shop->mutex);
		/* A glibc mutex is not fair: without this the producer would never get it. */
		while (atomic_load(&shop->is_consuming))
			sched_yield();
	}
	truth_thread(shop->truth, "consumer", born_ns);
	return NULL;
}

static NAMED_FUNCTION uint64_t deliver_item(struct shop *shop)
{
	uint64_t begin_ns = now_ns();

	pthread_mutex_lock(&shop->mutex);
	uint64_t waited_ns = now_ns() - begin_ns;
	atomic_store(&shop->is_consuming, false);
	pthread_mutex_unlock(&shop->mutex);
	return waited_ns;
}

static NAMED_FUNCTION void produce_item(void)
{
	sleep_ns(PRODUCE_NS);
	KEEP_FRAME();
}

static void *producer(void *argument)
{
	struct shop *shop = argument;
	uint64_t born_ns = now_ns(), waited_ns = 0, slept_ns = 0, rounds = 0;

	pthread_setname_np(pthread_self(), "producer");
	while (now_ns() < shop->end_ns || atomic_load(&shop->is_consuming)) {
		while (!atomic_load(&shop->is_consuming) && now_ns() < shop->end_ns)
			sched_yield();
		if (!atomic_load(&shop->is_consuming))
			break;
		uint64_t begin_ns = now_ns();
		produce_item();
		slept_ns += now_ns() - begin_ns;
		waited_ns += deliver_item(shop);
		rounds++;
	}
	truth_number(shop->truth, "rounds", rounds);
	truth_number(shop->truth, "slept_ns", slept_ns);
	truth_number(shop->truth, "waited_ns", waited_ns);
	truth_thread(shop->truth, "producer", born_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH SECONDS");
	struct shop shop = {
		.truth = truth_open(argv[1]),
		.end_ns = now_ns() + number_argument(argv[2], "SECONDS") * NS_PER_S,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t consumer_thread, producer_thread;

	if (pthread_create(&consumer_thread, NULL, consumer, &shop) ||
	    pthread_create(&producer_thread, NULL, producer, &shop))
		give_up("starting a thread");
	pthread_join(consumer_thread, NULL);
	pthread_join(producer_thread, NULL);
	return 0;
}
