/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A round of draining: the clocks. The clocks of this program are made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/units.h"
#include "capture/drain.h"

static uint64_t machine_ns = 1000 * NS_PER_S; /* CLOCK_MONOTONIC */
static uint64_t suspended_ns;                 /* CLOCK_BOOTTIME is so much ahead */
static unsigned int interruptions;            /* so many of the next readings take 5 ms */

int clock_gettime(clockid_t id, struct timespec *ret)
{
	uint64_t now_ns = machine_ns + (id == CLOCK_BOOTTIME ? suspended_ns : 0);

	*ret = (struct timespec){.tv_sec = (time_t)(now_ns / NS_PER_S),
				 .tv_nsec = (long)(now_ns % NS_PER_S)};
	machine_ns += interruptions > 0 ? 5 * NS_PER_MS : 50;
	interruptions -= interruptions > 0;
	return 0;
}

static int count_event(void *context, uint16_t cpu, const void *events, size_t size)
{
	(void)cpu, (void)events, (void)size;
	++*(unsigned int *)context;
	return 0;
}

/* The offset after one round, and how many clock events it gave. */
static uint64_t offset_after_round(unsigned int *ret_events)
{
	struct drain drain = {.sink = {.context = ret_events, .evidence = count_event}};

	*ret_events = 0;
	assert_int_equal(drain_round(&drain), 0);
	drain_release(&drain);
	return drain.boot_offset_ns;
}

static void a_suspend_moves_the_clock(void **state)
{
	unsigned int events;

	(void)state;
	suspended_ns = 10 * NS_PER_S;
	assert_in_range(offset_after_round(&events), 10 * NS_PER_S - 1000, 10 * NS_PER_S + 1000);
	assert_int_equal(events, 1);
	suspended_ns = 0;
}

static void losing_the_cpu_between_two_readings_does_not(void **state)
{
	unsigned int events;

	(void)state;
	for (unsigned int times = 1; times <= 4; times++) {
		interruptions = times;
		assert_int_equal(offset_after_round(&events), 0);
		assert_int_equal(events, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspend_moves_the_clock),
		cmocka_unit_test(losing_the_cpu_between_two_readings_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
