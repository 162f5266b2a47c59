/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "case.h"

#define TOGETHER_NS (50 * NS_PER_US) /* readings that took no longer are of one moment */

/* ---- what the kernel counted of the calling thread ---- */

uint64_t thread_cpu_ns(void)
{
	struct timespec on_cpu;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &on_cpu);
	return on_cpu.tv_sec * NS_PER_S + on_cpu.tv_nsec;
}

/* schedstat's own on-CPU time is as old as the last tick, the thread's clock is not. */
static struct thread_time thread_time_once(int schedstat)
{
	struct thread_time now;
	char text[128];
	ssize_t size = pread(schedstat, text, sizeof(text) - 1, 0);

	if (size <= 0)
		give_up("reading schedstat");
	text[size] = '\0';
	if (sscanf(text, "%*u %" SCNu64, &now.runnable_ns) != 1)
		give_up("understanding schedstat");
	now.on_cpu_ns = thread_cpu_ns();
	now.at_ns = now_ns();
	return now;
}

/*
 * The three numbers must be of one moment. Reading them is just when a thread whose slice is over
 * is put off its CPU: asking for its CPU time makes the kernel look at the slice.
 */
static struct thread_time thread_time_now(int schedstat)
{
	struct thread_time now;
	uint64_t began_ns;

	do {
		began_ns = now_ns();
		now = thread_time_once(schedstat);
	} while (now.at_ns - began_ns > TOGETHER_NS);
	return now;
}

/* ---- the victim ---- */

void victim_begin(struct victim *victim, int truth)
{
	pthread_setname_np(pthread_self(), "victim");
	*victim = (struct victim){.truth = truth};
	victim->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (victim->schedstat < 0)
		give_up("/proc/thread-self/schedstat");
	victim->begin = thread_time_now(victim->schedstat);
	victim->until_ns = victim->begin.at_ns + CASE_NS;
}

bool victim_goes_on(struct victim *victim, uint64_t began_ns)
{
	uint64_t ended_ns = now_ns();

	victim->requests++;
	if (ended_ns - began_ns > victim->slowest_ns)
		victim->slowest_ns = ended_ns - began_ns;
	return ended_ns < victim->until_ns;
}

void victim_end(struct victim *victim)
{
	struct thread_time end = thread_time_now(victim->schedstat);

	close(victim->schedstat);
	truth_number(victim->truth, "victim.tid", thread_id());
	truth_number(victim->truth, "victim.from_ns", victim->begin.at_ns);
	truth_number(victim->truth, "victim.to_ns", end.at_ns);
	truth_number(victim->truth, "victim.requests", victim->requests);
	truth_number(victim->truth, "victim.slowest_ns", victim->slowest_ns);
	truth_number(victim->truth, "ns.cpu", end.on_cpu_ns - victim->begin.on_cpu_ns);
	truth_number(victim->truth, "ns.runq", end.runnable_ns - victim->begin.runnable_ns);
}

struct thread_time blocked_begin(const struct victim *victim)
{
	return thread_time_now(victim->schedstat);
}

void blocked_end(const struct victim *victim, struct thread_time before, uint64_t *blocked_ns)
{
	struct thread_time now = thread_time_now(victim->schedstat);
	uint64_t busy_ns = now.on_cpu_ns - before.on_cpu_ns + now.runnable_ns - before.runnable_ns;
	uint64_t passed_ns = now.at_ns - before.at_ns;

	*blocked_ns += passed_ns > busy_ns ? passed_ns - busy_ns : 0;
}

/* ---- requests ---- */

void wait_begin(struct requests *requests)
{
	requests->wait = blocked_begin(&requests->victim);
}

void wait_end(struct requests *requests)
{
	blocked_end(&requests->victim, requests->wait, &requests->blocked_ns);
}

static void *make_requests(void *argument)
{
	struct requests *requests = argument;
	uint64_t began_ns;

	victim_begin(&requests->victim, requests->truth);
	do {
		began_ns = now_ns();
		requests->request(requests, requests->context);
	} while (victim_goes_on(&requests->victim, began_ns));
	victim_end(&requests->victim);
	if (requests->blocked_key)
		truth_number(requests->truth, requests->blocked_key, requests->blocked_ns);
	atomic_store(&requests->is_over, true);
	return NULL;
}

void run_requests(struct requests *requests)
{
	join_thread(start_thread("victim", make_requests, requests));
}

/* ---- threads ---- */

struct start {
	const char *name;
	void *(*run)(void *);
	void *argument;
};

static void *run_named(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	pthread_setname_np(pthread_self(), start.name);
	return start.run(start.argument);
}

pthread_t start_thread(const char *name, void *(*run)(void *), void *argument)
{
	struct start *start = malloc(sizeof(*start));
	pthread_t thread;

	if (!start)
		give_up("starting a thread");
	*start = (struct start){name, run, argument};
	errno = pthread_create(&thread, NULL, run_named, start);
	if (errno)
		give_up("starting a thread");
	return thread;
}

void join_thread(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	if (errno)
		give_up("waiting for a thread");
}

void run_in_real_time(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		give_up("SCHED_FIFO");
}
