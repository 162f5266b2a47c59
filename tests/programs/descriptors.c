/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits N times 2 ms on each of: a timer descriptor, an epoll descriptor, and a pair of unix
 * sockets that is new each time. Known: all of it.
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "workload.h"

static void wait_for_timer(uint64_t times)
{
	struct itimerspec every = {{0, 2 * NS_PER_MS}, {0, 2 * NS_PER_MS}};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t expired;

	timerfd_settime(timer, 0, &every, NULL);
	while (times--) {
		if (read(timer, &expired, sizeof(expired)) != sizeof(expired))
			give_up("timerfd");
	}
	close(timer);
}

static void wait_for_events(uint64_t times)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	while (times--) {
		if (epoll_wait(epoll, &event, 1, 2))
			give_up("epoll_wait");
	}
	close(epoll);
}

static void wait_for_sockets(uint64_t times)
{
	struct timeval patience = {0, 2000};
	char byte;

	while (times--) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
		    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
			give_up("socketpair");
		if (recv(pair[0], &byte, 1, 0) >= 0)
			give_up("recv");
		close(pair[0]);
		close(pair[1]);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("TRUTH N");
	int truth = truth_open(argv[1]);
	uint64_t times = number_argument(argv[2], "N");

	truth_number(truth, "pid", getpid());
	wait_for_timer(times);
	wait_for_events(times);
	wait_for_sockets(times);
	return 0;
}
