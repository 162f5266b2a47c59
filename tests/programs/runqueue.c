/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A victim shares CPU 0 with HOGS threads that never sleep. It wants to run every 10 ms and writes
 * down how late it was. Known: its lateness (nearly all of it is run-queue delay), the hogs' names
 * and tids.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "workload.h"

#define PERIOD_NS (10 * NS_PER_MS)
#define HOGS_MAX  16

struct scene {
	int truth;
	uint64_t duration_ns;
	atomic_uint next_hog;
	atomic_bool is_over;
};

static NAMED_FUNCTION void burn_until_told(struct scene *scene)
{
	while (!atomic_load_explicit(&scene->is_over, memory_order_relaxed))
		;
}

static void *hog(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();
	char name[16];

	snprintf(name, sizeof(name), "hog-%u", atomic_fetch_add(&scene->next_hog, 1));
	pthread_setname_np(pthread_self(), name);
	pin_to_cpu(0);
	burn_until_told(scene);
	truth_thread(scene->truth, name, born_ns);
	return NULL;
}

static void *victim(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns(), late_ns = 0, latest_ns = 0, wakes = 0;

	pthread_setname_np(pthread_self(), "victim");
	pin_to_cpu(0);
	while (now_ns() - born_ns < scene->duration_ns) {
		uint64_t due_ns = now_ns() + PERIOD_NS;

		sleep_until_ns(due_ns);
		uint64_t one_ns = now_ns() - due_ns;
		late_ns += one_ns;
		if (one_ns > latest_ns)
			latest_ns = one_ns;
		wakes++;
	}
	atomic_store(&scene->is_over, true);
	truth_number(scene->truth, "wakes", wakes);
	truth_number(scene->truth, "late_ns", late_ns);
	truth_number(scene->truth, "latest_ns", latest_ns);
	truth_thread(scene->truth, "victim", born_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH HOGS MILLISECONDS");
	struct scene scene = {.truth = truth_open(argv[1])};
	uint64_t hogs = number_argument(argv[2], "HOGS");
	pthread_t hog_threads[HOGS_MAX], victim_thread;

	scene.duration_ns = number_argument(argv[3], "MILLISECONDS") * NS_PER_MS;
	if (hogs > HOGS_MAX)
		usage("TRUTH HOGS(1..16) MILLISECONDS");
	/* The victim first: on a full CPU it might not start before the hogs have had their turns.
	 */
	if (pthread_create(&victim_thread, NULL, victim, &scene))
		give_up("starting the victim");
	for (uint64_t i = 0; i < hogs; i++)
		if (pthread_create(&hog_threads[i], NULL, hog, &scene))
			give_up("starting a hog");
	pthread_join(victim_thread, NULL);
	for (uint64_t i = 0; i < hogs; i++)
		pthread_join(hog_threads[i], NULL);
	return 0;
}
