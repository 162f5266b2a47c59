/* SPDX-License-Identifier: BSD-2-Clause */
/* Stolen time of /proc/stat, and the cost of an interrupt out of gaps on the clock. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/calibrate.h"
#include "capture/steal.h"
#include "event/event.h"
#include "unit.h"

static void lines_of_cpus_are_read(void **state)
{
	static const struct {
		const char *line;
		bool is_cpu;
		unsigned int cpu;
		uint64_t ticks;
	} cases[] = {
		{"cpu0 1 2 3 4 5 6 7 8 9 10\n", true, 0, 8},
		{"cpu127 1 2 3 4 5 6 7 18446744073709551615 0 0\n", true, 127, UINT64_MAX},
		{"cpu3  1  2  3  4  5  6  7  42\n", true, 3, 42},
		{"cpu  1 2 3 4 5 6 7 8 9 10\n", false, 0, 0}, /* all together */
		{"cpu0 1 2 3 4 5 6 7\n", false, 0, 0},        /* before 2.6.11 */
		{"cpu0 1 2 3 4 5 6 7 -8\n", false, 0, 0},
		{"cpu0 1 2 3 4 5 6 7 ", false, 0, 0},
		{"cpu70000 1 2 3 4 5 6 7 8\n", false, 0, 0},
		{"cpufreq 1 2 3 4 5 6 7 8\n", false, 0, 0},
		{"intr 1 2 3 4 5 6 7 8\n", false, 0, 0},
		{"", false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int cpu = 0;
		uint64_t ticks = 0;

		if (steal_parse(cases[i].line, &cpu, &ticks) != cases[i].is_cpu)
			print_error("'%s'\n", cases[i].line);
		assert_int_equal(steal_parse(cases[i].line, &cpu, &ticks), cases[i].is_cpu);
		assert_int_equal(cpu, cases[i].cpu);
		assert_true(ticks == cases[i].ticks);
	}
}

static void count(void *context, const struct event_steal *event)
{
	(void)event;
	++*(unsigned int *)context;
}

/* Whatever this machine's hypervisor does: the first look is not an event, nor is one too soon. */
static void the_first_look_only_remembers(void **state)
{
	struct steal *steal;
	unsigned int events = 0;

	(void)state;
	assert_int_equal(steal_open(&steal, 1024), 0);
	steal_look(steal, NS_PER_S, count, &events);
	steal_look(steal, NS_PER_S + 1, count, &events);
	assert_int_equal(events, 0);
	steal_close(steal);
	steal_close(NULL);
}

static void medians_are_compared(void **state)
{
	uint64_t quiet[] = {50, 90000, 40, 60, 45}, interrupted[] = {5900, 5700, 900000, 60, 5800};
	uint64_t again[] = {50, 50, 50}, less[] = {100, 50, 50}, far[] = {90000, 90000, 90000};

	(void)state;
	assert_int_equal(calibrate_hidden_of(quiet, interrupted, 5), 5800 - 50 - 250);
	assert_int_equal(calibrate_hidden_of(again, less, 3), 0);
	assert_int_equal(calibrate_hidden_of(again, far, 3), CALIBRATE_MOST_NS);
}

static void calibrating_ends(void **state)
{
	uint64_t hidden_ns = UINT64_MAX;

	(void)state;
	calibrate_irq_hidden(&hidden_ns);
	assert_true(hidden_ns <= CALIBRATE_MOST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_cpus_are_read),
		cmocka_unit_test(the_first_look_only_remembers),
		cmocka_unit_test(medians_are_compared),
		cmocka_unit_test(calibrating_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
