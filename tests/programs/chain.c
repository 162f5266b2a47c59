/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A known chain of calls, stopped in a known place: main > th > a1 > b2 > c3 > a call of the C
 *library. For tests of unwinding; built with and without frame pointers, static and not.
 *
 *	chain HOW [thread]
 *
 * HOW: nanosleep, futex, read, poll, sem, condition, signal (sleeps in a handler on top of the
 *chain), altstack (the same, the handler on a stack of its own), trap (in a handler for a
 *function's first instruction), noreturn (in a function that ends with a call) or spin (computes
 *for ever, two functions deeper). With "thread" the chain runs in a thread of its own. Prints
 *"ready" when it is about to go there.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#if defined(__clang__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

/* Keeps a call from becoming a jump, and so from vanishing from the stack. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

static const char *how;
static volatile unsigned long sink;

static void sleep_for_ever(void)
{
	struct timespec time = {.tv_sec = 1000};

	while (nanosleep(&time, NULL))
		continue;
}

static NOINLINE void handler(int number)
{
	sleep_for_ever();
	sink += (unsigned long)number;
	NO_TAIL_CALL();
}

static NOINLINE unsigned long e5(unsigned long x)
{
	unsigned long values[16];

	for (unsigned int i = 0; i < 16; i++)
		values[i] = x * (i + 1) ^ x >> i;
	for (unsigned int i = 1; i < 16; i++)
		values[i] += values[(i * 7) & 15] % (i + 3);
	NO_TAIL_CALL();
	return values[x & 15];
}

static NOINLINE unsigned long d4(unsigned long x)
{
	unsigned long total = 0;

	for (unsigned int i = 0; i < 4; i++)
		total += e5(x + i) + (unsigned long)snprintf(NULL, 0, "%lu %g", x, (double)i);
	NO_TAIL_CALL();
	return total;
}

/* Interrupted at its very first instruction, which is no instruction. */
__asm__(".text\n"
	".type first8, @function\n"
	"first8: .cfi_startproc\n"
	"	ud2\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size first8, . - first8\n");
void first8(void);

static NOINLINE __attribute__((noreturn)) void for_ever7(void)
{
	for (;;)
		sleep_for_ever();
}

/* Its last instruction is a call: where that would return to belongs to the next function. */
static NOINLINE __attribute__((noreturn)) void last6(void)
{
	for_ever7();
}

static void block(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	static sem_t semaphore;
	int ends[2];
	char byte;

	if (!strcmp(how, "futex")) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_lock(&mutex);
	} else if (!strcmp(how, "condition")) {
		pthread_mutex_lock(&mutex);
		pthread_cond_wait(&condition, &mutex);
	} else if (!strcmp(how, "sem")) {
		sem_init(&semaphore, 0, 0);
		sem_wait(&semaphore);
	} else if (!strcmp(how, "read")) {
		sink += pipe(ends) ? 0 : (unsigned long)read(ends[0], &byte, 1);
	} else if (!strcmp(how, "poll")) {
		poll(NULL, 0, 1000000);
	} else if (!strcmp(how, "signal") || !strcmp(how, "altstack")) {
		raise(SIGUSR1);
	} else if (!strcmp(how, "noreturn")) {
		last6();
	} else if (!strcmp(how, "trap")) {
		first8();
	} else {
		sleep_for_ever();
	}
}

static NOINLINE void c3(unsigned long x)
{
	char room[200];

	memset(room, (int)x, sizeof(room));
	while (!strcmp(how, "spin"))
		sink += d4(sink);
	block();
	sink += (unsigned long)room[x & 63];
	NO_TAIL_CALL();
}

static NOINLINE void b2(unsigned long x)
{
	unsigned long n = x & 7;
	char room[n * 16 + 16]; /* a size that only run time knows: the frame pointer is needed */

	memset(room, 1, sizeof(room));
	c3(x + (unsigned long)room[n]);
	sink += (unsigned long)room[0];
	NO_TAIL_CALL();
}

static NOINLINE void a1(unsigned long x)
{
	b2(x + 1);
	sink++;
	NO_TAIL_CALL();
}

static NOINLINE void *th(void *argument)
{
	a1((unsigned long)argument);
	sink++;
	NO_TAIL_CALL();
	return NULL;
}

static void set_handler(void)
{
	static char alternative[65536];
	stack_t stack = {.ss_sp = alternative, .ss_size = sizeof(alternative)};
	struct sigaction action = {.sa_handler = handler};

	if (!strcmp(how, "altstack")) {
		sigaltstack(&stack, NULL);
		action.sa_flags = SA_ONSTACK;
	}
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	how = argc > 1 ? argv[1] : "nanosleep";
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_handler();
	puts("ready");
	fflush(stdout);
	if (argc > 2 && !strcmp(argv[2], "thread")) {
		pthread_create(&thread, NULL, th, NULL);
		pthread_join(thread, NULL);
	} else {
		th(NULL);
	}
	NO_TAIL_CALL();
	return 0;
}
