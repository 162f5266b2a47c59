/* SPDX-License-Identifier: BSD-2-Clause */
/* A SCHED_FIFO thread takes the CPU of the victim, which computes, at regular times. */
#include "case.h"

struct scene {
	struct requests requests;
	uint64_t burst_ns;
	uint64_t pause_ns;
};

static NAMED_FUNCTION void control_loop(struct scene *scene)
{
	compute_here(scene->burst_ns);
	KEEP_FRAME();
}

static void *controller(void *argument)
{
	struct scene *scene = argument;

	pin_to_cpu(0);
	run_in_real_time(50);
	while (!scene->requests.is_over) {
		control_loop(scene);
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static NAMED_FUNCTION void serve(struct requests *requests, void *context)
{
	(void)context;
	if (!requests->victim.requests)
		pin_to_cpu(0);
	compute_here(5 * NS_PER_MS);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH BURST-MS PAUSE-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), serve, &scene, NULL},
		.burst_ns = number_argument(argv[2], "BURST-MS") * NS_PER_MS,
		.pause_ns = number_argument(argv[3], "PAUSE-MS") * NS_PER_MS,
	};
	pthread_t controller_thread = start_thread("controller", controller, &scene);

	run_requests(&scene.requests);
	join_thread(controller_thread);
	return 0;
}
