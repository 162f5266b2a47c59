/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/calibrate.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/units.h"

#define ROUNDS      40
#define ROUNDS_MIN  10
#define QUIET_NS    (20 * NS_PER_US) /* of a round without an interrupt */
#define DEADLINE_NS (50 * NS_PER_MS)
#define HANDLER_NS  250 /* the handler of a membarrier only fences memory */

/* The watcher answers each round that is asked for with the longest gap of the round before. */
struct watch {
	atomic_uint asked;
	atomic_uint answered;
	_Atomic uint64_t longest_ns;
	atomic_bool is_over;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void *watch_clock(void *context)
{
	struct watch *watch = context;
	uint64_t last_ns = now_ns(), longest_ns = 0;
	unsigned int round = 0;

	while (!watch->is_over) {
		uint64_t time_ns = now_ns();

		if (time_ns - last_ns > longest_ns)
			longest_ns = time_ns - last_ns;
		last_ns = time_ns;
		if (watch->asked == round)
			continue;
		watch->longest_ns = longest_ns;
		watch->answered = ++round;
		longest_ns = 0;
		last_ns = now_ns();
	}
	return NULL;
}

/* Ends the round and begins the next. False: the watcher does not run. */
static bool next_round(struct watch *watch, uint64_t deadline_ns, uint64_t *ret_longest_ns)
{
	unsigned int round = ++watch->asked;

	while (watch->answered != round) {
		if (now_ns() > deadline_ns)
			return false;
	}
	*ret_longest_ns = watch->longest_ns;
	return true;
}

/* Rounds without and with an interrupt by turns. Returns how many there were of each. */
static unsigned int measure(struct watch *watch, uint64_t *quiet_ns, uint64_t *interrupted_ns)
{
	uint64_t deadline_ns = now_ns() + DEADLINE_NS, ignored_ns;
	unsigned int done = 0;

	if (!next_round(watch, deadline_ns, &ignored_ns))
		return 0;
	while (done < ROUNDS) {
		uint64_t until_ns = now_ns() + QUIET_NS;

		while (now_ns() < until_ns)
			continue;
		if (!next_round(watch, deadline_ns, &quiet_ns[done]))
			break;
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			break;
		if (!next_round(watch, deadline_ns, &interrupted_ns[done]))
			break;
		done++;
	}
	return done;
}

static int compare(const void *a_, const void *b_)
{
	const uint64_t *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

uint64_t calibrate_hidden_of(uint64_t *quiet_ns, uint64_t *interrupted_ns, unsigned int count)
{
	uint64_t without_ns, with_ns;

	qsort(quiet_ns, count, sizeof(*quiet_ns), compare);
	qsort(interrupted_ns, count, sizeof(*interrupted_ns), compare);
	without_ns = quiet_ns[count / 2] + HANDLER_NS;
	with_ns = interrupted_ns[count / 2];
	if (with_ns <= without_ns)
		return 0;
	return with_ns - without_ns > CALIBRATE_MOST_NS ? CALIBRATE_MOST_NS : with_ns - without_ns;
}

/* Two CPUs that this process may use. */
static bool find_cpus(const cpu_set_t *allowed, int *ret_first, int *ret_second)
{
	int found = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
		if (CPU_ISSET(cpu, allowed))
			*(found++ ? ret_second : ret_first) = cpu;
	}
	return found == 2;
}

bool calibrate_irq_hidden(uint64_t *ret_ns)
{
	uint64_t quiet_ns[ROUNDS], interrupted_ns[ROUNDS];
	unsigned int rounds = 0;
	struct watch watch = {0};
	cpu_set_t allowed;
	pthread_t watcher;
	int here, there;

	*ret_ns = CALIBRATE_ASSUMED_NS;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) ||
	    !find_cpus(&allowed, &here, &there) ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return false;
	/* the new thread begins where this one is pinned */
	if (!pin_to(there) && !thread_start(&watcher, watch_clock, &watch)) {
		if (!pin_to(here))
			rounds = measure(&watch, quiet_ns, interrupted_ns);
		watch.is_over = true;
		pthread_join(watcher, NULL);
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	if (rounds < ROUNDS_MIN)
		return false;
	*ret_ns = calibrate_hidden_of(quiet_ns, interrupted_ns, rounds);
	return true;
}
