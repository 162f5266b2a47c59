/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector stops the threads of the program by a signal, whose handler waits until the collector
 * lets go, as garbage collectors do. The victim computes, and stands still for much of the time.
 */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "case.h"

/* A mutator is stopped only while it runs, and ends only while it runs. */
enum mutator_state {
	NOT_THERE,
	RUNNING,
	TO_STOP,
};

struct scene {
	struct requests requests;
	uint64_t collect_ns; /* CPU time */
	uint64_t pause_ns;
	bool waits_for_signal; /* for SIGUSR2, else for a semaphore */
	pthread_t mutator;
	atomic_int state;
	sem_t has_stopped;
	sem_t may_go_on;
};

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) && errno == EINTR)
		;
}

/* SIGUSR1, with SIGUSR2 blocked. The scene comes with the signal. */
static NAMED_FUNCTION void at_safepoint(int number, siginfo_t *info, void *registers)
{
	struct scene *scene = info->si_value.sival_ptr;
	sigset_t all_but_resume;
	int saved_errno = errno;

	(void)number;
	(void)registers;
	wait_begin(&scene->requests);
	sem_post(&scene->has_stopped);
	if (scene->waits_for_signal) {
		sigfillset(&all_but_resume);
		sigdelset(&all_but_resume, SIGUSR2);
		sigsuspend(&all_but_resume);
	} else {
		wait_for(&scene->may_go_on);
	}
	wait_end(&scene->requests);
	errno = saved_errno;
	atomic_store(&scene->state, RUNNING);
}

static void on_resume(int number)
{
	(void)number;
}

static void handle_signals(void)
{
	struct sigaction safepoint = {.sa_sigaction = at_safepoint,
				      .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigaction resume = {.sa_handler = on_resume};

	sigemptyset(&safepoint.sa_mask);
	sigaddset(&safepoint.sa_mask, SIGUSR2);
	if (sigaction(SIGUSR1, &safepoint, NULL) || sigaction(SIGUSR2, &resume, NULL))
		give_up("handling signals");
}

static NAMED_FUNCTION void mark_and_sweep(struct scene *scene)
{
	compute_here(scene->collect_ns);
	KEEP_FRAME();
}

static void collect(struct scene *scene)
{
	int expected = RUNNING;

	if (!atomic_compare_exchange_strong(&scene->state, &expected, TO_STOP))
		return;
	pthread_sigqueue(scene->mutator, SIGUSR1, (union sigval){.sival_ptr = scene});
	wait_for(&scene->has_stopped);
	mark_and_sweep(scene);
	if (scene->waits_for_signal)
		pthread_kill(scene->mutator, SIGUSR2);
	else
		sem_post(&scene->may_go_on);
}

static void *collector(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over) {
		collect(scene);
		sleep_ns(scene->pause_ns);
	}
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	struct scene *scene = context;
	int expected = RUNNING;

	if (!requests->victim.requests) {
		scene->mutator = pthread_self();
		atomic_store(&scene->state, RUNNING);
	}
	compute_here(NS_PER_MS);
	/* The last request: from now on it is not stopped any more. */
	if (now_ns() < requests->victim.until_ns - 5 * NS_PER_MS)
		return;
	while (!atomic_compare_exchange_weak(&scene->state, &expected, NOT_THERE) &&
	       expected != NOT_THERE)
		expected = RUNNING;
}

int main(int argc, char **argv)
{
	if (argc != 5 || (strcmp(argv[2], "semaphore") && strcmp(argv[2], "signal")))
		usage("TRUTH semaphore|signal COLLECT-MS PAUSE-MS");
	struct scene scene = {
		.waits_for_signal = !strcmp(argv[2], "signal"),
		.collect_ns = number_argument(argv[3], "COLLECT-MS") * NS_PER_MS,
		.pause_ns = number_argument(argv[4], "PAUSE-MS") * NS_PER_MS,
	};
	scene.requests =
		(struct requests){truth_open(argv[1]), request, &scene,
				  scene.waits_for_signal ? "ns.wait.ipc" : "ns.wait.condition"};
	sem_init(&scene.has_stopped, 0, 0);
	sem_init(&scene.may_go_on, 0, 0);
	handle_signals();
	pthread_t collector_thread = start_thread("collector", collector, &scene);

	run_requests(&scene.requests);
	join_thread(collector_thread);
	return 0;
}
