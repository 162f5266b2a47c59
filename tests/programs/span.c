/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads serve REQUESTS requests each: handle_request, and inside it parse_request and
 * send_reply, all of known durations. Besides, a function that calls itself, one that another calls
 * by a jump, one that is left by longjmp, one in which a thread ends, and one that has not returned
 * when the program is killed.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

#define RECURSION_DEPTH 100 /* more than the kernel follows return probes of (64) */

struct server {
	int truth;
	const char *name;
	uint64_t requests;
	uint64_t work_ns;
	uint64_t request_ns; /* all requests together */
	uint64_t parse_ns;
	jmp_buf out;
};

NAMED_FUNCTION uint64_t parse_request(struct server *server);
NAMED_FUNCTION void send_reply(struct server *server);
NAMED_FUNCTION void handle_request(struct server *server, uint64_t number);
NAMED_FUNCTION uint64_t walk_tree(struct server *server, uint64_t depth);
NAMED_FUNCTION uint64_t finish_by_jump(uint64_t duration_ns);
NAMED_FUNCTION uint64_t jump_to_finish(uint64_t duration_ns);
NAMED_FUNCTION void fail_request(struct server *server);
NAMED_FUNCTION void end_thread(void);
NAMED_FUNCTION void never_return(int truth);
NAMED_FUNCTION void do_nothing(void);
NAMED_FUNCTION void push_and_pop(void);

uint64_t parse_request(struct server *server)
{
	uint64_t begin_ns = now_ns();

	spin_ns(server->work_ns);
	return now_ns() - begin_ns;
}

void send_reply(struct server *server)
{
	sleep_ns(server->work_ns);
	KEEP_FRAME();
}

/* Every tenth takes three times as long. */
void handle_request(struct server *server, uint64_t number)
{
	for (int i = 0; i < (number % 10 == 9 ? 3 : 1); i++) {
		server->parse_ns += parse_request(server);
		send_reply(server);
	}
	KEEP_FRAME();
}

/* The outermost works after all the others have returned. */
uint64_t walk_tree(struct server *server, uint64_t depth)
{
	uint64_t below = depth ? walk_tree(server, depth - 1) : 0;

	if (depth == RECURSION_DEPTH)
		spin_ns(server->work_ns);
	KEEP_FRAME();
	return below + 1;
}

uint64_t finish_by_jump(uint64_t duration_ns)
{
	spin_ns(duration_ns);
	KEEP_FRAME();
	return duration_ns;
}

uint64_t jump_to_finish(uint64_t duration_ns)
{
	spin_ns(duration_ns);
	return finish_by_jump(duration_ns);
}

void fail_request(struct server *server)
{
	spin_ns(server->work_ns);
	longjmp(server->out, 1);
}

void end_thread(void)
{
	pthread_exit(NULL);
}

void never_return(int truth)
{
	truth_number(truth, "open_tid", thread_id());
	sleep_ns(200 * NS_PER_MS);
	kill(getpid(), SIGKILL);
	sleep_ns(NS_PER_S);
	KEEP_FRAME();
}

void do_nothing(void)
{
	KEEP_FRAME();
}

/* As functions that do something begin: with a push, which the kernel need not single-step. */
void push_and_pop(void)
{
#ifdef __x86_64__
	__asm__ volatile("" ::: "rbx", "memory");
#endif
}

static void tell(const struct server *server, const char *key, uint64_t value)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "%s.%s", server->name, key);
	truth_number(server->truth, whole, (int64_t)value);
}

static void *serve(void *argument)
{
	struct server *server = argument;

	pthread_setname_np(pthread_self(), server->name);
	for (uint64_t i = 0; i < server->requests; i++) {
		uint64_t begin_ns = now_ns();

		handle_request(server, i);
		server->request_ns += now_ns() - begin_ns;
	}
	tell(server, "tid", (uint64_t)thread_id());
	tell(server, "request_ns", server->request_ns);
	tell(server, "parse_ns", server->parse_ns);
	return NULL;
}

/* Leaves fail_request by longjmp three times from one place, then calls something above it. */
static void *serve_badly(void *argument)
{
	struct server *server = argument;
	volatile int failures = 0;
	volatile uint64_t walked_ns = 0;

	pthread_setname_np(pthread_self(), server->name);
	tell(server, "tid", (uint64_t)thread_id());
	setjmp(server->out);
	if (failures++ < 3)
		fail_request(server);
	handle_request(server, 0);
	for (int i = 0; i < 5; i++) {
		uint64_t begin_ns = now_ns();

		walk_tree(server, RECURSION_DEPTH);
		walked_ns += now_ns() - begin_ns;
	}
	tell(server, "walked_ns", walked_ns);
	for (int i = 0; i < 7; i++)
		jump_to_finish(server->work_ns);
	end_thread();
	return NULL;
}

static void run(struct server *servers, unsigned int count, void *(*body)(void *))
{
	pthread_t threads[2];

	for (unsigned int i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, body, &servers[i]))
			give_up("starting a thread");
	}
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* Other programs may have the CPU meanwhile: they are not to be measured. */
static uint64_t own_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void measure(int truth, const char *key, void (*function)(void), uint64_t calls)
{
	uint64_t begin_ns = own_ns();

	for (uint64_t i = 0; i < calls; i++)
		function();
	truth_number(truth, key, (int64_t)((own_ns() - begin_ns) / calls));
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("TRUTH REQUESTS WORK-US    (WORK-US 0: REQUESTS calls that do nothing)");
	struct server servers[] = {
		{.name = "first"},
		{.name = "second"},
		{.name = "bad"},
	};
	int truth = truth_open(argv[1]);
	uint64_t requests = number_argument(argv[2], "REQUESTS");

	if (argv[3][0] == '0') { /* the price of a span: calls that do nothing */
		measure(truth, "nothing_ns", do_nothing, requests);
		measure(truth, "push_ns", push_and_pop, requests);
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		servers[i].truth = truth;
		servers[i].requests = requests;
		servers[i].work_ns = number_argument(argv[3], "WORK-US") * NS_PER_US;
	}
	run(servers, 2, serve);
	run(&servers[2], 1, serve_badly);
	never_return(truth);
	return 0;
}
