/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/check_model.h"

#include "unit/unit.h"

#include "support/synth.h"

struct thread *check_thread(const struct model *model, uint32_t tid)
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

void check_totals(const struct model *model, const struct totals *want)
{
	const struct thread *thread = check_thread(model, want->tid);

	assert_int_equal(thread->on_cpu_ns, want->on_cpu * 1000);
	assert_int_equal(thread->runnable_ns, want->runnable * 1000);
	assert_int_equal(thread->blocked_ns, want->blocked * 1000);
	assert_int_equal(thread->unknown_ns, want->unknown * 1000);
	assert_int_equal(thread->end_ns - thread->start_ns,
			 (want->on_cpu + want->runnable + want->blocked + want->unknown) * 1000);
}

struct model *check_text(const char *text, const struct totals *want, size_t count)
{
	struct model *model = synth_model(text);

	for (size_t i = 0; i < count; i++)
		check_totals(model, &want[i]);
	return model;
}

const struct wait *check_wait_of(const struct model *model, uint32_t tid, unsigned int n)
{
	for (size_t i = 0; i < model_wait_count(model); i++) {
		if (model_wait(model, i)->thread->tid == tid && n-- == 0)
			return model_wait(model, i);
	}
	assert_true(!"there is such a wait");
	return NULL;
}

void check_wait(const struct wait *wait, uint64_t start, uint64_t wake, uint64_t end)
{
	assert_int_equal(wait->start_ns, SYNTH_US(start));
	assert_int_equal(wait->wake_ns, SYNTH_US(wake));
	assert_int_equal(wait->end_ns, SYNTH_US(end));
}
