/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/calibrate.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <linux/membarrier.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/units.h"

#define ROUNDS      40
#define ROUNDS_MIN  10
#define WATCH_NS    (20 * NS_PER_US) /* for which the clock is watched, at least */
#define DEADLINE_NS (100 * NS_PER_MS)
#define HANDLER_NS  250 /* the handler of a membarrier only fences memory */
#define LOST_NS     (2 * CALIBRATE_MOST_NS)
#define URGENT      (-15)

#define ASSUMED_NS         500 /* where it could not be measured */
#define ASSUMED_VIRTUAL_NS 5000

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

/* On CPU, and ahead of what else is there, if that is allowed. */
static int run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	setpriority(PRIO_PROCESS, 0, URGENT);
	return sched_setaffinity(0, sizeof(set), &set);
}

static bool has_hypervisor(void)
{
#ifdef __x86_64__
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c >> 31;
#else
	return false;
#endif
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

static void let_it_watch(void)
{
	uint64_t until_ns = now_ns() + WATCH_NS;

	while (now_ns() < until_ns)
		continue;
}

/* Rounds without and with an interrupt by turns. Those in which the watcher lost its CPU do not
 * count. Returns how many there were of each. */
static unsigned int measure(struct watch *watch, uint64_t *quiet_ns, uint64_t *interrupted_ns)
{
	uint64_t deadline_ns = now_ns() + DEADLINE_NS, ignored_ns;
	unsigned int done = 0;

	if (!next_round(watch, deadline_ns, &ignored_ns))
		return 0;
	while (done < ROUNDS) {
		let_it_watch();
		if (!next_round(watch, deadline_ns, &quiet_ns[done]))
			break;
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			break;
		/* the handler is done, the way back is not */
		let_it_watch();
		if (!next_round(watch, deadline_ns, &interrupted_ns[done]))
			break;
		done += quiet_ns[done] < LOST_NS && interrupted_ns[done] < LOST_NS;
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
	int here, there, priority = getpriority(PRIO_PROCESS, 0);

	*ret_ns = has_hypervisor() ? ASSUMED_VIRTUAL_NS : ASSUMED_NS;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) ||
	    !find_cpus(&allowed, &here, &there) ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return false;
	/* the new thread begins where this one is */
	if (!run_on(there) && !thread_start(&watcher, watch_clock, &watch)) {
		if (!run_on(here))
			rounds = measure(&watch, quiet_ns, interrupted_ns);
		watch.is_over = true;
		pthread_join(watcher, NULL);
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	setpriority(PRIO_PROCESS, 0, priority);
	if (rounds < ROUNDS_MIN)
		return false;
	*ret_ns = calibrate_hidden_of(quiet_ns, interrupted_ns, rounds);
	return true;
}
