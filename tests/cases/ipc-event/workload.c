/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread waits for the word of a worker that its work is done: an eventfd, read or waited for
 * with epoll, a signal read from a signalfd, a signal waited for with sigwait. The worker is a
 * thread (eventfd) or a process (signals); it computes.
 */
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "talk.h"

struct worker {
	int event; /* -1: it tells by a signal */
	int order; /* the end of a pipe: a byte for each order */
	pid_t customer;
	uint64_t work_ns;
};

static NAMED_FUNCTION void encode_frame(uint64_t work_ns)
{
	compute_here(work_ns);
	KEEP_FRAME();
}

static void work(void *context)
{
	struct worker *worker = context;
	uint64_t one = 1;
	char order;

	while (read(worker->order, &order, 1) == 1) {
		encode_frame(worker->work_ns);
		if (worker->event < 0)
			kill(worker->customer, SIGUSR1);
		else if (write(worker->event, &one, sizeof(one)) != sizeof(one))
			give_up("writing to an eventfd");
	}
}

static void *work_in_thread(void *context)
{
	work(context);
	return NULL;
}

struct customer {
	int order;
	int done;  /* the descriptor that tells; -1: the signal is waited for */
	int epoll; /* that it is waited for with; -1: it is read at once */
	sigset_t signals;
};

static NAMED_FUNCTION void wait_for_frame(struct requests *requests, void *context)
{
	const struct customer *customer = context;
	struct signalfd_siginfo word;
	struct epoll_event event;
	int number;

	if (write(customer->order, "o", 1) != 1)
		give_up("ordering");
	wait_begin(requests);
	if (customer->epoll >= 0 && epoll_wait(customer->epoll, &event, 1, -1) != 1)
		give_up("waiting for an event");
	if (customer->done < 0 ? sigwait(&customer->signals, &number) != 0
			       : read(customer->done, &word, sizeof(word)) <= 0)
		give_up("waiting for the worker");
	wait_end(requests);
}

/* What tells that the work is done; -1 for the signal itself. */
static int open_done(const char *kind, const sigset_t *signals)
{
	int done = -1;

	if (strcmp(kind, "eventfd") == 0 || strcmp(kind, "epoll") == 0)
		done = eventfd(0, EFD_CLOEXEC);
	else if (strcmp(kind, "signalfd") == 0)
		done = signalfd(-1, signals, SFD_CLOEXEC);
	else
		return -1;
	if (done < 0)
		give_up(kind);
	return done;
}

static int open_epoll(int done)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, done, &event))
		give_up("making an epoll descriptor");
	return epoll;
}

int main(int argc, char **argv)
{
	struct customer customer;
	int orders[2];

	if (argc != 4)
		usage("TRUTH eventfd|epoll|signalfd|sigwait WORK-MS");
	sigemptyset(&customer.signals);
	sigaddset(&customer.signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &customer.signals, NULL);
	if (pipe(orders))
		give_up("making a pipe");
	customer.order = orders[1];
	customer.done = open_done(argv[2], &customer.signals);

	bool is_epoll = strcmp(argv[2], "epoll") == 0;
	bool is_eventfd = is_epoll || strcmp(argv[2], "eventfd") == 0;
	customer.epoll = is_epoll ? open_epoll(customer.done) : -1;
	struct worker worker = {is_eventfd ? customer.done : -1, orders[0], getpid(),
				number_argument(argv[3], "WORK-MS") * NS_PER_MS};
	if (is_eventfd)
		start_thread("worker", work_in_thread, &worker);
	else
		start_child("worker", work, &worker);
	struct requests requests = {truth_open(argv[1]), wait_for_frame, &customer, "ns.wait.ipc"};
	run_requests(&requests);
	return 0;
}
