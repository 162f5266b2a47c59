/* SPDX-License-Identifier: BSD-2-Clause */
/* Return addresses of another process: looked at, put back, and the thread kept from running
 * meanwhile. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/returns_write.h"
#include "capture/unwinders.h"
#include "symbol/resolver.h"

#define TRAMPOLINE UINT64_C(0x7fffffffe000)

/* What a child and we share, and where our copy of what only it has lies (at the same address). */
struct shared {
	volatile uint64_t turns;
	uint64_t words[4];
};

static uint64_t stack_of_child[4] = {TRAMPOLINE, 11, TRAMPOLINE, TRAMPOLINE};

static struct shared *share(void)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
}

static pid_t start_counting(struct shared *shared)
{
	pid_t pid = fork();

	while (pid == 0) {
		memcpy(shared->words, stack_of_child, sizeof(shared->words));
		shared->turns = shared->turns + 1;
	}
	return pid;
}

static void wait_for_turns(const struct shared *shared, uint64_t more)
{
	uint64_t until = shared->turns + more;

	while (shared->turns < until)
		sched_yield();
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct replaced_returns list_of(pid_t pid)
{
	struct replaced_returns returns = {
		.pid = (uint32_t)pid, .tid = (uint32_t)pid, .count = 4, .trampoline = TRAMPOLINE};

	for (uint32_t i = 0; i < returns.count; i++)
		returns.places[i] = (struct return_place){.at = (uintptr_t)&stack_of_child[i],
							  .address = 1000 + i};
	return returns;
}

/* Only where the trampoline is. */
static void test_write(void **state)
{
	struct shared *shared = share();
	pid_t pid = start_counting(shared);
	struct replaced_returns returns = list_of(pid);

	(void)state;
	returns.places[3].at = 8; /* no memory there */
	assert_int_equal(returns_check(&returns), 2);
	assert_int_equal(returns.places[1].at, 0);
	assert_int_equal(returns.places[3].at, 0);
	assert_int_equal(returns_write(&returns), 0);
	wait_for_turns(shared, 2);
	assert_int_equal(shared->words[0], 1000);
	assert_int_equal(shared->words[1], 11);
	assert_int_equal(shared->words[2], 1002);
	assert_int_equal(shared->words[3], TRAMPOLINE);
	assert_int_equal(returns_check(&returns), 0);
	end_child(pid);
	returns = list_of(pid);
	assert_int_equal(returns_check(&returns), -ESRCH);
	assert_int_equal(stack_of_child[0], TRAMPOLINE);
	munmap(shared, sizeof(*shared));
}

static void spin(uint64_t duration_ns)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((uint64_t)(now.tv_sec - begin.tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
		       (uint64_t)begin.tv_nsec <
	       duration_ns);
}

/* As the guard does, in a process of its own: the priority is not ours to keep. Returns how many
 * turns were made while the child was frozen; -1 if something went wrong. */
static int turns_while_frozen(struct shared *shared, pid_t pid, bool by_priority)
{
	struct returns_frozen frozen;
	int turns;

	if (by_priority && !returns_take_priority())
		return -2;
	if (returns_freeze(&frozen, pid, pid, by_priority))
		return -1;
	turns = (int)shared->turns;
	spin(5000000);
	turns = (int)shared->turns - turns;
	returns_thaw(&frozen);
	return turns;
}

static void check_freeze(bool by_priority)
{
	struct shared *shared = share();
	pid_t pid = start_counting(shared), guard;
	cpu_set_t before, after;
	int status;

	wait_for_turns(shared, 1);
	sched_getaffinity(pid, sizeof(before), &before);
	guard = fork();
	if (guard == 0)
		_exit(turns_while_frozen(shared, pid, by_priority) & 0xff);
	waitpid(guard, &status, 0);
	if (WEXITSTATUS(status) == 0xfe)
		print_message("no real-time priority here\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	wait_for_turns(shared, 100); /* it goes on */
	sched_getaffinity(pid, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	end_child(pid);
	munmap(shared, sizeof(*shared));
}

static void test_freeze_by_priority(void **state)
{
	(void)state;
	check_freeze(true);
}

static void test_freeze_by_signal(void **state)
{
	(void)state;
	check_freeze(false);
}

/* Who was stopped by somebody else stays so. */
static void test_stopped_stays_stopped(void **state)
{
	struct shared *shared = share();
	pid_t pid = start_counting(shared);
	struct returns_frozen frozen;
	int status;

	(void)state;
	wait_for_turns(shared, 1);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(returns_freeze(&frozen, pid, pid, false), 0);
	returns_thaw(&frozen);
	assert_int_equal(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
	end_child(pid);
	munmap(shared, sizeof(*shared));
}

static void test_known_unwinders(void **state)
{
	const char *needed[] = {"libm.so.6", "libc.so.6"};
	struct resolver_listed function = {.symbol = "main"};
	struct resolver_listing listing = {
		.soname = "", .needed = needed, .needed_count = 2, .items = &function, .count = 1};

	(void)state;
	assert_true(unwinders_are_known(&listing)); /* C */
	listing.may_unwind = true;
	assert_false(unwinders_are_known(&listing));
	function.symbol = "_Unwind_RaiseException";
	assert_true(unwinders_are_known(&listing));
	function.symbol = "main";
	needed[0] = "libstdc++.so.6";
	assert_true(unwinders_are_known(&listing));
	needed[0] = "libm.so.6";
	listing.soname = "libc.so.6";
	assert_true(unwinders_are_known(&listing));
	assert_true(unwinders_is_library("/opt/conda/lib/libgcc_s.so.1"));
	assert_true(unwinders_is_library("libunwind.so.8"));
	assert_false(unwinders_is_library("/lib/libgcc_s.a"));
	assert_false(unwinders_is_library("/lib/libgcc_s.so.1/libm.so.6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_freeze_by_priority),
		cmocka_unit_test(test_freeze_by_signal),
		cmocka_unit_test(test_stopped_stays_stopped),
		cmocka_unit_test(test_known_unwinders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
