/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A victim watches the clock on CPU 0 while another thread of the process, on CPU 1, interrupts it
 * COUNT times (membarrier). Known: how many gaps of an interrupt's size the victim found, and how
 * long they were together.
 */
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define PAUSE_NS    (100 * NS_PER_US)
#define SHORTEST_NS UINT64_C(800) /* an interrupt's gap; less is a slow loop */
#define LONGEST_NS  PAUSE_NS      /* more is another thread's turn */

struct scene {
	int truth;
	atomic_bool is_ready;
	atomic_bool is_over;
};

static NAMED_FUNCTION void watch_the_clock(struct scene *scene)
{
	uint64_t last_ns = now_ns(), gaps = 0, gaps_ns = 0;

	scene->is_ready = true;
	while (!scene->is_over) {
		uint64_t time_ns = now_ns(), gap_ns = time_ns - last_ns;

		last_ns = time_ns;
		if (gap_ns < SHORTEST_NS || gap_ns > LONGEST_NS)
			continue;
		gaps++;
		gaps_ns += gap_ns;
	}
	truth_number(scene->truth, "gaps", gaps);
	truth_number(scene->truth, "gaps_ns", gaps_ns);
}

static void *victim(void *argument)
{
	struct scene *scene = argument;
	uint64_t born_ns = now_ns();

	pin_to_cpu(0);
	watch_the_clock(scene);
	truth_thread(scene->truth, "victim", born_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		usage("TRUTH COUNT");
	struct scene scene = {.truth = truth_open(argv[1])};
	uint64_t count = number_argument(argv[2], "COUNT");

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		give_up("membarrier");
	if (pthread_create(&thread, NULL, victim, &scene))
		give_up("starting a thread");
	pin_to_cpu(1);
	while (!scene.is_ready)
		sleep_ns(NS_PER_MS);
	for (uint64_t i = 0; i < count; i++) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		spin_ns(PAUSE_NS);
	}
	scene.is_over = true;
	pthread_join(thread, NULL);
	return 0;
}
