/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel side is told: patterns, log sizes, descriptor system calls.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/hooks.h"
#include "capture/settings.h"

#include <cmocka.h>

static void patterns_match_as_the_shell_does(void **state)
{
	static const struct {
		const char *glob;
		const char *comm;
		int matches;
	} cases[] = {
		{"redis", "redis", 1},
		{"redis", "redis-server", 0},
		{"redis*", "redis-server", 1},
		{"redis*", "redis", 1},
		{"*server", "redis-server", 1},
		{"*serve", "redis-server", 0},
		{"*", "", 1},
		{"", "", 1},
		{"", "x", 0},
		{"?", "", 0},
		{"w?rker*", "worker/0:1", 1},
		{"w?rker*", "wrker/0:1", 0},
		{"*a*b*c*", "xxaxxbxxcxx", 1},
		{"*a*b*c*", "xxaxxcxxbxx", 0},
		{"**x**", "axb", 1},
		{"123456789012345", "123456789012345", 1},
		{"?????????????*?", "123456789012345", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter_pattern pattern;
		char comm[EVENT_COMM_SIZE] = {0};

		memcpy(comm, cases[i].comm, strlen(cases[i].comm));
		assert_int_equal(pattern_compile(&pattern, cases[i].glob), 0);
		if (pattern_matches(&pattern, comm) != cases[i].matches)
			fail_msg("%s against %s", cases[i].glob, comm);
	}
}

/* Random globs and names over a small alphabet, judged by fnmatch. */
static void patterns_agree_with_fnmatch(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char glob[FILTER_PATTERN_SIZE] = {0}, comm[EVENT_COMM_SIZE] = {0};
		struct filter_pattern pattern;

		for (int i = rand_r(&seed) % 8; i > 0; i--)
			glob[strlen(glob)] = "ab*?"[rand_r(&seed) % 4];
		for (int i = rand_r(&seed) % 10; i > 0; i--)
			comm[strlen(comm)] = "abc"[rand_r(&seed) % 3];
		assert_int_equal(pattern_compile(&pattern, glob), 0);
		if (pattern_matches(&pattern, comm) != (fnmatch(glob, comm, 0) == 0))
			fail_msg("'%s' against '%s'", glob, comm);
	}
}

static void patterns_too_long_are_refused(void **state)
{
	struct filter_pattern pattern;

	(void)state;
	assert_int_equal(pattern_compile(&pattern, "1234567890123456"), -EINVAL);
	assert_string_equal(fail_text(), "a pattern for a thread's name has at most 15 characters");
	fail_clear();
}

static void log_sizes_are_powers_of_two(void **state)
{
	static const struct {
		uint64_t asked;
		unsigned int cpus;
		uint64_t switch_bytes;
	} cases[] = {
		{0, 1, 32 << 20},    {0, 2, 32 << 20}, {0, 8, 16 << 20},      {0, 192, 2 << 20},
		{100000, 2, 131072}, {1, 2, 65536},    {3 << 20, 2, 4 << 20},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct capture_options options = {.switch_log_bytes = cases[i].asked};
		struct capture_settings settings;

		assert_int_equal(settings_make(&settings, &options, cases[i].cpus), 0);
		assert_int_equal(settings.switch_mask + 1, cases[i].switch_bytes);
	}
}

static void filters_become_flags(void **state)
{
	const char *comms[9] = {"a*", "b", "c", "d", "e", "f", "g", "h", "i"};
	const uint32_t pids[] = {7};
	struct capture_options options = {
		.pids = pids, .pid_count = 1, .comms = comms, .comm_count = 1};
	struct capture_settings settings;

	(void)state;
	assert_int_equal(settings_make(&settings, &options, 2), 0);
	assert_int_equal(settings.filter, FILTER_PIDS | FILTER_COMMS);
	assert_int_equal(settings.pattern_count, 1);
	options.comm_count = 9;
	assert_int_equal(settings_make(&settings, &options, 2), -EINVAL);
	assert_string_equal(fail_text(), "at most 8 patterns with --comm");
	fail_clear();
}

static void reads_have_descriptors(void **state)
{
	struct capture_options options = {0};
	struct capture_settings settings;

	(void)state;
	assert_int_equal(settings_make(&settings, &options, 2), 0);
	assert_true(settings.descriptor_syscalls[0] & 1);                     /* read */
	assert_false(settings.descriptor_syscalls[202 / 8] & (1 << 202 % 8)); /* futex */
}

static void timeouts_are_found_by_number(void **state)
{
	struct capture_options options = {0};
	struct capture_settings settings;

	(void)state;
	assert_int_equal(settings_make(&settings, &options, 2), 0);
	assert_int_equal(settings.timeouts[__NR_futex].form, TIMEOUT_FUTEX);
	assert_int_equal(settings.timeouts[__NR_futex].argument, 3);
	assert_int_equal(settings.timeouts[__NR_ppoll].form, TIMEOUT_TIMESPEC);
	assert_int_equal(settings.timeouts[__NR_read].form, TIMEOUT_NONE);
	for (size_t i = 0; i < SYSCALL_LIMIT; i++)
		assert_true(settings.timeouts[i].argument < 6);
}

/* ---- hooks by their names ---- */

static void hooks_are_left_out_by_name(void **state)
{
	uint64_t bits = 0;

	(void)state;
	assert_int_equal(hook_names_read("softirq_exit,task_rename", &bits), 0);
	assert_true(bits == (HOOK_BIT(HOOK_SOFTIRQ_EXIT) | HOOK_BIT(HOOK_RENAME)));
	/* two are on one tracepoint */
	bits = 0;
	assert_int_equal(hook_names_read("irq_work_entry", &bits), 0);
	assert_true(bits == (HOOK_BIT(HOOK_KICK) | HOOK_BIT(HOOK_IRQ_WORK_ENTRY)));
	/* a probe is all of its hooks, and more come on top */
	assert_int_equal(hook_names_read("tcp", &bits), 0);
	assert_true(bits & HOOK_BIT(HOOK_RETRANSMIT) && bits & HOOK_BIT(HOOK_RETRANSMIT_SYNACK) &&
		    bits & HOOK_BIT(HOOK_KICK));
}

static void refuse(const char *names, const char *why)
{
	uint64_t bits = 0;

	assert_int_equal(hook_names_read(names, &bits), -EINVAL);
	assert_non_null(strstr(fail_text(), why));
	fail_clear();
}

static void hooks_that_cannot_be_left_out(void **state)
{
	(void)state;
	refuse("sched_switch", "every recording needs sched_switch");
	refuse("task_rename,sched", "every recording needs sched_switch");
	refuse("task_renam", "did you mean task_rename?");
	refuse("iqr", "did you mean irq?");
	refuse("xyzzyxyzzy", "see dashcam doctor");
	refuse("", "see dashcam doctor");
}

/* What an end is missing of must not begin. */
static void hooks_have_ends_behind_them(void **state)
{
	(void)state;
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		enum hook_id end = hook_end(id);

		if (end == HOOK_COUNT)
			continue;
		assert_true(end > id);
		assert_int_equal(hooks[end].probe, hooks[id].probe);
		assert_int_equal(hook_end(end), HOOK_COUNT);
	}
	assert_int_equal(hook_end(HOOK_SOFTIRQ_ENTRY), HOOK_SOFTIRQ_EXIT);
	assert_int_equal(hook_end(HOOK_CONTENTION_BEGIN), HOOK_CONTENTION_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_the_shell_does),
		cmocka_unit_test(patterns_agree_with_fnmatch),
		cmocka_unit_test(patterns_too_long_are_refused),
		cmocka_unit_test(log_sizes_are_powers_of_two),
		cmocka_unit_test(filters_become_flags),
		cmocka_unit_test(reads_have_descriptors),
		cmocka_unit_test(timeouts_are_found_by_number),
		cmocka_unit_test(hooks_are_left_out_by_name),
		cmocka_unit_test(hooks_that_cannot_be_left_out),
		cmocka_unit_test(hooks_have_ends_behind_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
