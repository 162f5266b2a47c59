/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine on hand-made timelines: what a thread did, next to the events that say so. */
#include "unit/unit.h"
#include <stdint.h>
#include <string.h>


#include "base/memory.h"
#include "model/model.h"
#include "support/synth.h"

/* What the totals of a thread must be, in microseconds. */
struct totals {
	uint32_t tid;
	uint64_t on_cpu, runnable, blocked, unknown;
};

static struct thread *thread_of(const struct model *model, uint32_t tid)
{
	struct thread *found = NULL;

	for (size_t i = 0; i < model_thread_count(model); i++) {
		if (model_thread(model, i)->tid == tid) {
			assert_null(found);
			found = model_thread(model, i);
		}
	}
	assert_non_null(found);
	return found;
}

static void check_totals(const struct model *model, const struct totals *want)
{
	const struct thread *thread = thread_of(model, want->tid);

	assert_int_equal(thread->on_cpu_ns, want->on_cpu * 1000);
	assert_int_equal(thread->runnable_ns, want->runnable * 1000);
	assert_int_equal(thread->blocked_ns, want->blocked * 1000);
	assert_int_equal(thread->unknown_ns, want->unknown * 1000);
	assert_int_equal(thread->end_ns - thread->start_ns,
			 (want->on_cpu + want->runnable + want->blocked + want->unknown) * 1000);
}

/* Makes the model of TEXT and compares threads' totals; the caller looks further and frees it. */
#define CHECK(text, ...)                                                                           \
	check_text(text, (const struct totals[]){__VA_ARGS__},                                     \
		   sizeof((const struct totals[]){__VA_ARGS__}) / sizeof(struct totals))

static struct model *check_text(const char *text, const struct totals *want, size_t count)
{
	struct model *model = synth_model(text);

	for (size_t i = 0; i < count; i++)
		check_totals(model, &want[i]);
	return model;
}

static const struct wait *wait_of(const struct model *model, uint32_t tid, unsigned int n)
{
	for (size_t i = 0; i < model_wait_count(model); i++) {
		if (model_wait(model, i)->thread->tid == tid && n-- == 0)
			return model_wait(model, i);
	}
	assert_true(!"there is such a wait");
	return NULL;
}

static void check_wait(const struct wait *wait, uint64_t start, uint64_t wake, uint64_t end)
{
	assert_int_equal(wait->start_ns, SYNTH_US(start));
	assert_int_equal(wait->wake_ns, SYNTH_US(wake));
	assert_int_equal(wait->end_ns, SYNTH_US(end));
}

static void test_blocked_and_woken(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "100 cpu0 switch 10:S > 11\n"
				    "150 cpu0 waking 10 by 11\n"
				    "180 cpu0 switch 11:R > 10\n"
				    "200 cpu0 switch 10:S > 11\n"
				    "300 cpu0 switch 11:S > idle\n",
				    {10, 120, 30, 50 + 100, 0}, {11, 80 + 100, 20, 0, 100});
	const struct wait *wait = wait_of(model, 10, 0);

	(void)state;
	check_wait(wait, 100, 150, 180);
	assert_true(wait->wake_seen);
	assert_int_equal(wait->waker->tid, 11);
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocked_and_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
