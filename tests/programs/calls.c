/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of functions in known numbers, where threads' stacks are not as simple as in most programs.
 * Which of them: the second argument.
 */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define STACK_BYTES (256u << 10)

NAMED_FUNCTION uint64_t go_down(uint64_t depth);
NAMED_FUNCTION void count_one(void);
NAMED_FUNCTION void count_some(uint64_t count);
NAMED_FUNCTION void interrupt_self(void);
NAMED_FUNCTION void take_signal(int number);
NAMED_FUNCTION void have_child(uint64_t how);
NAMED_FUNCTION uint64_t pass_on(uint64_t count);
NAMED_FUNCTION uint64_t pass_back(uint64_t count);
NAMED_FUNCTION void work(uint64_t duration_ns);
NAMED_FUNCTION void work_twice(uint64_t duration_ns);
NAMED_FUNCTION void never_return(int truth);

extern char **environ;

/* Begins with a push, which the kernel need not single-step. */
void count_one(void)
{
#ifdef __x86_64__
	__asm__ volatile("" ::: "rbx", "memory");
#endif
}

void count_some(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		count_one();
	KEEP_FRAME();
}

uint64_t go_down(uint64_t depth)
{
	uint64_t below = depth > 1 ? go_down(depth - 1) : 0;

	if (depth == 1)
		count_some(10);
	KEEP_FRAME();
	return below + 1;
}

/* Each calls the other by a jump, with one return address for all. */
uint64_t pass_on(uint64_t count)
{
	__asm__ volatile("");
	return count ? pass_back(count - 1) : 0;
}

uint64_t pass_back(uint64_t count)
{
	__asm__ volatile("");
	return count ? pass_on(count - 1) : 1;
}

void take_signal(int number)
{
	(void)number;
	count_some(3);
	KEEP_FRAME();
}

void interrupt_self(void)
{
	count_some(2);
	raise(SIGUSR1);
	count_some(2);
	KEEP_FRAME();
}

/* The stack for signals lies above the thread's own if ARGUMENT says so, else below. */
static void *run_signals(void *argument)
{
	const stack_t stack = {.ss_sp = argument, .ss_size = STACK_BYTES};
	const struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 20; i++)
		interrupt_self();
	return NULL;
}

static void use_signal_stacks(bool is_above)
{
	char *low = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *high = low + STACK_BYTES;
	pthread_attr_t attributes;
	pthread_t thread;

	if (low == MAP_FAILED)
		give_up("mapping stacks");
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, is_above ? low : high, STACK_BYTES);
	if (pthread_create(&thread, &attributes, run_signals, is_above ? high : low))
		give_up("starting a thread");
	pthread_join(thread, NULL);
}

/* By fork the child returns from here as well, by vfork and posix_spawn it begins another program. */
void have_child(uint64_t how)
{
	static char *const arguments[] = {"true", NULL};
	pid_t pid;

	if (how == 1) {
		pid = fork();
		if (pid == 0)
			count_some(5);
	} else if (how == 2) {
		pid = vfork();
		if (pid == 0) {
			execve("/bin/true", arguments, environ);
			_exit(1);
		}
	} else if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ)) {
		give_up("starting /bin/true");
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	KEEP_FRAME();
}

void work(uint64_t duration_ns)
{
	spin_ns(duration_ns);
	count_some(4);
	KEEP_FRAME();
}

void work_twice(uint64_t duration_ns)
{
	work(duration_ns);
	work(duration_ns);
	KEEP_FRAME();
}

static void *run_some(void *argument)
{
	count_some(*(uint64_t *)argument);
	return NULL;
}

static void run_threads(uint64_t threads, uint64_t calls)
{
	pthread_t ids[64];

	for (uint64_t i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], NULL, run_some, &calls))
			give_up("starting a thread");
	}
	for (uint64_t i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

/* Killed while it is inside. */
void never_return(int truth)
{
	truth_number(truth, "open_tid", thread_id());
	work(NS_PER_MS);
	sleep_ns(NS_PER_S * 20);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		usage("TRUTH deep|jumps|signals|children|work|threads|open|many [NUMBER]");
	int truth = truth_open(argv[1]);
	uint64_t number = argc > 3 ? number_argument(argv[3], "NUMBER") : 0;
	const char *what = argv[2];

	if (!strcmp(what, "deep")) {
		for (int i = 0; i < 3; i++)
			go_down(number);
		count_some(1);
	} else if (!strcmp(what, "jumps")) {
		for (int i = 0; i < 3; i++)
			pass_on(number);
		count_some(1);
	} else if (!strcmp(what, "signals")) {
		use_signal_stacks(false);
		use_signal_stacks(true);
	} else if (!strcmp(what, "children")) {
		have_child(number);
	} else if (!strcmp(what, "work")) {
		for (int i = 0; i < 10; i++)
			work_twice(number * NS_PER_US);
		count_some(1000);
	} else if (!strcmp(what, "threads")) {
		run_threads(40, number);
	} else if (!strcmp(what, "many")) {
		count_some(number);
	} else if (!strcmp(what, "open")) {
		never_return(truth);
	}
	return 0;
}
