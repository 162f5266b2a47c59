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
/* Its only instructions are one with a lock prefix, where a probe would never fire, and its return.
 */
__asm__(".text\n"
	".globl add_locked\n"
	".type add_locked, @function\n"
	"add_locked:\n"
	"1:	lock addq $1, locked(%rip)\n"
	"	subl $1, %edi\n"
	"	jnz 1b\n"
	"	ret\n"
	".size add_locked, . - add_locked\n"
	".local locked\n"
	".comm locked, 8, 8\n"
	".globl locked_calls\n"
	".type locked_calls, @function\n"
	"locked_calls:\n"
	"	leaq locked(%rip), %rax\n"
	"	ret\n"
	".size locked_calls, . - locked_calls\n");
void add_locked(int times);
const int64_t *locked_calls(void);
#else
static void add_locked(int times)
{
	(void)times;
}

static const int64_t *locked_calls(void)
{
	static const int64_t none;

	return &none;
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
		add_locked(3);
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
	truth_number(truth, "locked_calls", *locked_calls());
	return 7;
}
