/* SPDX-License-Identifier: BSD-2-Clause */
/* A pool of workers that has little to do: jobs come from a dispatcher, which waits for them with
 * epoll. */
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "case.h"

#define WORKERS_MAX 8

struct scene {
	struct requests requests;
	uint64_t period_ns; /* a job comes so often */
	pthread_mutex_t mutex;
	pthread_cond_t has_jobs;
	unsigned int jobs;
	bool is_closed;
};

static int start_timer(uint64_t period_ns)
{
	struct timespec period = {.tv_nsec = period_ns};
	struct itimerspec times = {.it_interval = period, .it_value = period};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &times, NULL))
		give_up("starting the timer");
	return timer;
}

static void *dispatcher(void *argument)
{
	struct scene *scene = argument;
	struct epoll_event event = {.events = EPOLLIN};
	int timer = start_timer(scene->period_ns), epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t expirations;

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event))
		give_up("epoll");
	while (!scene->requests.is_over) {
		if (epoll_wait(epoll, &event, 1, -1) != 1 ||
		    read(timer, &expirations, sizeof(expirations)) < 0)
			give_up("waiting for jobs");
		pthread_mutex_lock(&scene->mutex);
		scene->jobs++;
		pthread_mutex_unlock(&scene->mutex);
		pthread_cond_signal(&scene->has_jobs);
	}
	pthread_mutex_lock(&scene->mutex);
	scene->is_closed = true;
	pthread_mutex_unlock(&scene->mutex);
	pthread_cond_broadcast(&scene->has_jobs);
	return NULL;
}

/* False when there will be no more. */
static NAMED_FUNCTION bool take_job(struct scene *scene)
{
	bool has_job;

	pthread_mutex_lock(&scene->mutex);
	while (!scene->jobs && !scene->is_closed)
		pthread_cond_wait(&scene->has_jobs, &scene->mutex);
	has_job = scene->jobs > 0;
	scene->jobs -= has_job;
	pthread_mutex_unlock(&scene->mutex);
	return has_job;
}

static NAMED_FUNCTION void do_job(void)
{
	compute_here(300 * NS_PER_US);
	KEEP_FRAME();
}

static void *worker(void *argument)
{
	while (take_job(argument))
		do_job();
	return NULL;
}

/* The victim is a worker, too. */
static void request(struct requests *requests, void *context)
{
	wait_begin(requests);
	take_job(context);
	wait_end(requests);
	do_job();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH WORKERS PERIOD-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.wait.condition"},
		.period_ns = number_argument(argv[3], "PERIOD-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.has_jobs = PTHREAD_COND_INITIALIZER,
	};
	uint64_t worker_count = number_argument(argv[2], "WORKERS");
	pthread_t workers[WORKERS_MAX], dispatcher_thread;

	if (worker_count > WORKERS_MAX)
		usage("TRUTH WORKERS PERIOD-MS");
	for (uint64_t i = 0; i < worker_count; i++)
		workers[i] = start_thread("worker", worker, &scene);
	dispatcher_thread = start_thread("dispatcher", dispatcher, &scene);
	run_requests(&scene.requests);
	join_thread(dispatcher_thread);
	for (uint64_t i = 0; i < worker_count; i++)
		join_thread(workers[i]);
	return 0;
}
