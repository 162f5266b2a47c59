/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread computes while it holds a mutex; the victim wants it again and again. */
#include <stdatomic.h>

#include "case.h"

struct scene {
	int truth;
	uint64_t hold_ns;
	uint64_t pause_ns; /* between two holds */
	pthread_mutex_t mutex;
	atomic_bool is_over;
};

static NAMED_FUNCTION void hold_and_compute(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	spin_ns(scene->hold_ns);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *holder(void *argument)
{
	struct scene *scene = argument;

	while (!atomic_load(&scene->is_over)) {
		hold_and_compute(scene);
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static NAMED_FUNCTION void want_the_lock(struct scene *scene, struct victim *victim,
					 uint64_t *blocked_ns)
{
	struct thread_time before = blocked_begin(victim);

	pthread_mutex_lock(&scene->mutex);
	blocked_end(victim, before, blocked_ns);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *run_victim(void *argument)
{
	struct scene *scene = argument;
	struct victim victim;
	uint64_t began_ns, blocked_ns = 0;

	victim_begin(&victim, scene->truth);
	do {
		began_ns = now_ns();
		want_the_lock(scene, &victim, &blocked_ns);
		spin_ns(500 * NS_PER_US);
	} while (victim_goes_on(&victim, began_ns));
	victim_end(&victim);
	truth_number(scene->truth, "ns.lock.futex", blocked_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH HOLD-MS PAUSE-MS");
	struct scene scene = {
		.truth = truth_open(argv[1]),
		.hold_ns = number_argument(argv[2], "HOLD-MS") * NS_PER_MS,
		.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t holder_thread = start_thread("holder", holder, &scene);

	join_thread(start_thread("victim", run_victim, &scene));
	atomic_store(&scene.is_over, true);
	join_thread(holder_thread);
	return 0;
}
