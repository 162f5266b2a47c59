/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits once in each system call that takes a limit, until the limit is over: 11 ms in the first,
 * 1 ms more in each that follows. Known: the limits, in the order of the calls, and how many calls.
 */
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

static struct timespec in_ns(clockid_t clock, uint64_t duration_ns)
{
	struct timespec now;

	clock_gettime(clock, &now);
	duration_ns += (uint64_t)now.tv_nsec;
	return (struct timespec){.tv_sec = now.tv_sec + (time_t)(duration_ns / NS_PER_S),
				 .tv_nsec = (long)(duration_ns % NS_PER_S)};
}

static uint64_t limit_ns(int truth, const char *call)
{
	static uint64_t last_ms = 10;
	char key[64];

	snprintf(key, sizeof(key), "%02d.%s", (int)last_ms - 10, call);
	last_ms++;
	truth_number(truth, key, (int64_t)(last_ms * NS_PER_MS));
	truth_number(truth, "calls", (int64_t)last_ms - 10);
	return last_ms * NS_PER_MS;
}

static void wait_for_descriptors(int truth)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	struct timespec spec = {0};
	struct timeval value = {0};

	poll(NULL, 0, (int)(limit_ns(truth, "poll") / NS_PER_MS));
	spec.tv_nsec = (long)limit_ns(truth, "ppoll");
	ppoll(NULL, 0, &spec, NULL);
	value.tv_usec = (long)(limit_ns(truth, "select") / NS_PER_US);
#ifdef SYS_select /* the C library's own is pselect6 */
	syscall(SYS_select, 0, NULL, NULL, NULL, &value);
#else
	spec.tv_nsec = value.tv_usec * (long)NS_PER_US;
	pselect(0, NULL, NULL, NULL, &spec, NULL);
#endif
	spec.tv_nsec = (long)limit_ns(truth, "pselect6");
	pselect(0, NULL, NULL, NULL, &spec, NULL);
	epoll_wait(epoll, &event, 1, (int)(limit_ns(truth, "epoll_wait") / NS_PER_MS));
	spec.tv_nsec = (long)limit_ns(truth, "epoll_pwait2");
	syscall(SYS_epoll_pwait2, epoll, &event, 1, &spec, NULL, 8);
	close(epoll);
}

static void wait_for_futexes(int truth)
{
	uint32_t word = 0;
	struct timespec spec = {.tv_nsec = (long)limit_ns(truth, "futex")};

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &spec, NULL, 0);
	spec = in_ns(CLOCK_MONOTONIC, limit_ns(truth, "futex"));
	syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &spec, NULL,
		FUTEX_BITSET_MATCH_ANY);
	spec = in_ns(CLOCK_REALTIME, limit_ns(truth, "futex"));
	syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &spec, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static void sleep_in_all_ways(int truth)
{
	struct timespec spec = {.tv_nsec = (long)limit_ns(truth, "nanosleep")};

	syscall(SYS_nanosleep, &spec, NULL); /* the C library's own is clock_nanosleep */
	spec.tv_nsec = (long)limit_ns(truth, "clock_nanosleep");
	clock_nanosleep(CLOCK_MONOTONIC, 0, &spec, NULL);
	spec = in_ns(CLOCK_MONOTONIC, limit_ns(truth, "clock_nanosleep"));
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &spec, NULL);
	spec = in_ns(CLOCK_REALTIME, limit_ns(truth, "clock_nanosleep"));
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &spec, NULL);
	spec = in_ns(CLOCK_BOOTTIME, limit_ns(truth, "clock_nanosleep"));
	clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &spec, NULL);
}

int main(int argc, char **argv)
{
	uint64_t born_ns = now_ns();
	struct timespec spec = {0};
	sigset_t set;

	if (argc != 2)
		usage("TRUTH");
	int truth = truth_open(argv[1]);

	sleep_in_all_ways(truth);
	wait_for_descriptors(truth);
	wait_for_futexes(truth);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	spec.tv_nsec = (long)limit_ns(truth, "rt_sigtimedwait");
	sigtimedwait(&set, NULL, &spec);
	truth_thread(truth, "caller", born_ns);
	return 0;
}
