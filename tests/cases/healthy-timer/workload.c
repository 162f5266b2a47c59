/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread does a little work at regular times, and is in time. */
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t period_ns;
	uint64_t due_ns;
	int timer; /* -1: it sleeps until the next time is due */
};

static void wait_for_timer(int timer)
{
	struct pollfd wanted = {.fd = timer, .events = POLLIN};
	uint64_t expirations;

	if (poll(&wanted, 1, -1) != 1 || read(timer, &expirations, sizeof(expirations)) < 0)
		give_up("waiting for the timer");
}

static NAMED_FUNCTION void do_little(struct requests *requests, void *context)
{
	struct scene *scene = context;

	wait_begin(requests);
	if (scene->timer >= 0)
		wait_for_timer(scene->timer);
	else
		sleep_until_ns(scene->due_ns);
	wait_end(requests);
	compute_here(200 * NS_PER_US);
	while (scene->due_ns < now_ns())
		scene->due_ns += scene->period_ns;
}

static int start_timer(uint64_t period_ns)
{
	struct timespec period = {.tv_nsec = period_ns};
	struct itimerspec times = {.it_interval = period, .it_value = period};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &times, NULL))
		give_up("starting the timer");
	return timer;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "sleep") && strcmp(argv[2], "timerfd")))
		usage("TRUTH sleep|timerfd PERIOD-MS");
	bool sleeps = !strcmp(argv[2], "sleep");
	struct scene scene = {
		.requests = {truth_open(argv[1]), do_little, &scene,
			     sleeps ? "ns.wait.sleep" : "ns.wait.idle"},
		.period_ns = number_argument(argv[3], "PERIOD-MS") * NS_PER_MS,
		.due_ns = now_ns(),
	};
	scene.timer = sleeps ? -1 : start_timer(scene.period_ns);
	run_requests(&scene.requests);
	return 0;
}
