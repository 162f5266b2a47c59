/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must go on working while each of its functions is probed. One word says what it does:
 *	forks TRUTH N     starts N children, each calls some functions, and ends by itself or by
 *exec loop TRUTH        calls functions until it gets SIGTERM; ends with status 7 then and writes
 *down how often.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

static volatile sig_atomic_t is_over;

#ifdef __x86_64__
/*
 * add_thrice begins with a loop: each turn comes by the place of a probe. No probe can be on
 * add_once: one would never fire on its first instruction, which has a lock prefix, and a loop
 * comes by all others.
 */
__asm__(".text\n"
	".globl add_thrice\n"
	".type add_thrice, @function\n"
	"add_thrice:\n"
	"	lock addq $1, added(%rip)\n"
	"	subl $1, %edi\n"
	"	jnz add_thrice\n"
	"	ret\n"
	".size add_thrice, . - add_thrice\n"
	".globl add_once\n"
	".type add_once, @function\n"
	"add_once:\n"
	"	lock addq $1, added(%rip)\n"
	"1:	subl $1, %edi\n"
	"	jnz 1b\n"
	"	ret\n"
	".size add_once, . - add_once\n"
	".globl added\n"
	".comm added, 8, 8\n");
void add_thrice(int times);
void add_once(int times);
extern int64_t added;
#else
static int64_t added;

static NAMED_FUNCTION void add_thrice(int times)
{
	added += times;
}

static NAMED_FUNCTION void add_once(int times)
{
	added += times / times;
}
#endif

static NAMED_FUNCTION uint64_t leaf(uint64_t x)
{
	KEEP_FRAME();
	return x + 1;
}

static NAMED_FUNCTION uint64_t middle(uint64_t x)
{
	uint64_t sum = leaf(x) + leaf(x + 1);

	KEEP_FRAME();
	return sum;
}

static NAMED_FUNCTION uint64_t outer(uint64_t x)
{
	uint64_t sum = middle(x) + middle(x * 2) + leaf(x);

	KEEP_FRAME();
	return sum;
}

static NAMED_FUNCTION void be_child(uint64_t number)
{
	uint64_t sum = outer(number);

	if (number % 10 == 0)
		execl("/bin/true", "true", NULL);
	_exit(sum == 7 * number + 7 ? 42 : 1);
}

static NAMED_FUNCTION bool start_child(uint64_t number)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		give_up("fork");
	if (child == 0)
		be_child(number);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			give_up("waitpid");
	}
	return status == (number % 10 == 0 ? 0 : 42 << 8);
}

static void end(int number)
{
	(void)number;
	is_over = 1;
}

static NAMED_FUNCTION uint64_t loop(void)
{
	uint64_t calls = 0;

	while (!is_over) {
		outer(calls++);
		add_thrice(3);
		add_once(3);
		if (calls % 100 == 0)
			sleep_ns(NS_PER_MS);
	}
	return calls;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		usage("forks|loop TRUTH [CHILDREN]");
	int truth = truth_open(argv[2]);

	truth_number(truth, "pid", getpid());
	if (!strcmp(argv[1], "forks")) {
		uint64_t count = number_argument(argc > 3 ? argv[3] : "", "CHILDREN"), right = 0;

		for (uint64_t i = 1; i <= count; i++)
			right += start_child(i);
		truth_number(truth, "right", (int64_t)right);
		return right == count ? 0 : 1;
	}
	signal(SIGTERM, end);
	truth_number(truth, "ready", 1);
	truth_number(truth, "outer_calls", (int64_t)loop());
	truth_number(truth, "added", added);
	return 7;
}
