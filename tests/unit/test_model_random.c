/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated machine against the model: exact when all is recorded, honest when something was
 * lost. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "support/lossy.h"
#include "support/nonsense.h"
#include "support/synth.h"

#define SEEDS    40
#define CPUS_MAX LOSSY_CPUS_MAX

/* ---- what the listener is told must be the totals, each time told once ---- */

struct told {
	uint64_t on_cpu_ns;
	uint64_t runnable_ns;
	uint64_t blocked_ns;
	uint64_t until_ns;
};

struct listened {
	struct told *threads; /* by index */
	uint64_t cpu_until_ns[CPUS_MAX];
	size_t kept_waits;
};

static void on_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		   uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct listened *listened = context;
	struct told *told = &listened->threads[thread->index];

	(void)end_state;
	(void)flags;
	(void)is_cut;
	assert_true(from_ns <= to_ns);
	assert_true(from_ns >= listened->cpu_until_ns[cpu]);
	listened->cpu_until_ns[cpu] = to_ns;
	told->on_cpu_ns += to_ns - from_ns;
	if (thread->tid == 0)
		return;
	assert_true(from_ns >= told->until_ns);
	told->until_ns = to_ns;
}

static void on_wait(void *context, const struct wait *wait)
{
	struct listened *listened = context;
	struct told *told = &listened->threads[wait->thread->index];

	assert_true(wait->start_ns <= wait->wake_ns && wait->wake_ns <= wait->end_ns);
	assert_true(wait->start_ns >= told->until_ns);
	told->until_ns = wait->end_ns;
	told->blocked_ns += wait_blocked_ns(wait);
	told->runnable_ns += wait_runnable_ns(wait);
	listened->kept_waits += wait->id != MODEL_NONE;
}

static void check_replay(struct model *model)
{
	struct listened listened = {
		.threads = xcalloc(model_thread_count(model), sizeof(struct told))};
	struct model_listener listener = {.context = &listened, .run = on_run, .wait = on_wait};

	assert_int_equal(model_replay(model, 0, UINT64_MAX, &listener), 0);
	for (size_t i = 0; i < model_thread_count(model); i++) {
		const struct thread *thread = model_thread(model, i);

		assert_int_equal(listened.threads[i].on_cpu_ns, thread->on_cpu_ns);
		assert_int_equal(listened.threads[i].runnable_ns, thread->runnable_ns);
		assert_int_equal(listened.threads[i].blocked_ns, thread->blocked_ns);
		assert_true(listened.threads[i].until_ns <= thread->end_ns);
	}
	assert_int_equal(listened.kept_waits, model_wait_count(model));
	for (size_t i = 0; i < model_wait_count(model); i++) {
		assert_int_equal(model_wait(model, i)->id, i);
		assert_true(i == 0 ||
			    model_wait(model, i)->end_ns >= model_wait(model, i - 1)->end_ns);
	}
	free(listened.threads);
}

/* ---- the tests ---- */

static const struct thread *thread_of(const struct model *model, uint32_t tid)
{
	for (size_t i = 0; i < model_thread_count(model); i++) {
		if (model_thread(model, i)->tid == tid)
			return model_thread(model, i);
	}
	return NULL;
}

static struct model *simulated_model(uint64_t seed, bool is_lossy,
				     struct simulated_thread **ret_truth, size_t *ret_count)
{
	struct recording *recording = lossy_recording(seed, is_lossy, ret_truth, ret_count);
	struct model *model;

	assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
	return model;
}

static void check_exactly(const struct model *model, const struct simulated_thread *truth,
			  uint64_t seed)
{
	const struct thread *thread = thread_of(model, truth->tid);

	assert_non_null(thread);
	if (thread->on_cpu_ns != truth->on_cpu_ns || thread->blocked_ns != truth->blocked_ns ||
	    thread->runnable_ns != truth->runnable_ns)
		print_error("seed %lu tid %u\n", (unsigned long)seed, truth->tid);
	assert_int_equal(thread->on_cpu_ns, truth->on_cpu_ns);
	assert_int_equal(thread->blocked_ns, truth->blocked_ns);
	assert_int_equal(thread->runnable_ns, truth->runnable_ns);
	assert_int_equal(thread->unknown_ns, truth->unknown_ns);
	assert_int_equal(thread->switches, truth->switches);
}

static void test_everything_recorded(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct simulated_thread *truth;
		size_t count;
		struct model *model = simulated_model(seed, false, &truth, &count);

		assert_int_equal(model_thread_count(model), count + 1);
		for (size_t i = 0; i < count; i++)
			check_exactly(model, &truth[i], seed);
		check_replay(model);
		free(truth);
		synth_model_free(model);
	}
}

static void check_honestly(const struct model *model, const struct simulated_thread *truth,
			   uint64_t seed)
{
	const struct thread *thread = thread_of(model, truth->tid);

	if (!thread) /* its birth was lost, and everything else too */
		return;
	/* what is claimed to have run did run; the rest adds up without going below zero */
	if (thread->on_cpu_ns > truth->on_cpu_ns)
		print_error("seed %lu tid %u\n", (unsigned long)seed, truth->tid);
	assert_true(thread->on_cpu_ns <= truth->on_cpu_ns);
	assert_true(thread->unknown_ns <= thread->end_ns - thread->start_ns);
	assert_int_equal(thread->on_cpu_ns + thread->runnable_ns + thread->blocked_ns +
				 thread->unknown_ns,
			 thread->end_ns - thread->start_ns);
}

static void test_something_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct simulated_thread *truth;
		size_t count;
		uint64_t unknown_ns = 0;
		struct model *model = simulated_model(seed, true, &truth, &count);

		for (size_t i = 0; i < count; i++)
			check_honestly(model, &truth[i], seed);
		for (size_t i = 1; i < model_thread_count(model); i++)
			unknown_ns += model_thread(model, i)->unknown_ns;
		assert_true(model_lost_events(model) > 0);
		assert_true(unknown_ns > 0);
		check_replay(model);
		free(truth);
		synth_model_free(model);
	}
}

/* ---- nonsense ---- */

static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10 * SEEDS; seed++) {
		struct recording *recording = nonsense_recording(seed, 200);
		struct model *model;

		assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
		for (size_t i = 1; i < model_thread_count(model); i++) {
			const struct thread *thread = model_thread(model, i);

			assert_true(thread->start_ns <= thread->end_ns);
			assert_true(thread->unknown_ns <= thread->end_ns - thread->start_ns);
		}
		check_replay(model);
		synth_model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_recorded),
		cmocka_unit_test(test_something_lost),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
