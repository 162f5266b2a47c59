/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim asks for short sleeps and gets long ones: its timer slack is large. */
#include <sys/prctl.h>
#include <time.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t sleep_ns;
	uint64_t slack_ns;
};

static NAMED_FUNCTION void pause_briefly(struct scene *scene)
{
	struct timespec duration = {.tv_nsec = scene->sleep_ns};

	nanosleep(&duration, NULL);
	KEEP_FRAME();
}

static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;

	if (!requests->victim.requests && prctl(PR_SET_TIMERSLACK, scene->slack_ns))
		give_up("setting the timer slack");
	wait_begin(requests);
	pause_briefly(scene);
	wait_end(requests);
	compute_here(200 * NS_PER_US);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH SLEEP-MS SLACK-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.wait.sleep"},
		.sleep_ns = number_argument(argv[2], "SLEEP-MS") * NS_PER_MS,
		.slack_ns = number_argument(argv[3], "SLACK-MS") * NS_PER_MS,
	};
	run_requests(&scene.requests);
	return 0;
}
