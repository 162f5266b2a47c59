/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated machine against the model: exact when all is recorded, honest when something was
 * lost. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "event/schema.h"
#include "model/model.h"
#include "support/simulate.h"
#include "support/synth.h"

#define SEEDS     40
#define STEPS     3000
#define CPUS_MAX  4
#define GAPS_MAX  3
#define US_A_STEP 10 /* on average */

struct gap {
	uint16_t cpu;
	uint64_t from_ns; /* events strictly between are dropped */
	uint64_t to_ns;
	struct event_loss loss;
};

/* A simulated recording on its way into a synth, which loses some of it. */
struct lossy {
	struct synth *synth;
	struct gap gaps[GAPS_MAX];
	unsigned int gap_count;
	uint64_t last_ns[CPUS_MAX];
};

static bool is_lost(struct lossy *lossy, uint16_t cpu, const struct event_header *event)
{
	if (event->kind != EVENT_SWITCH && event->kind != EVENT_WAKING)
		return false;
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		if (cpu != gap->cpu)
			continue;
		if (event->time_ns > gap->from_ns && event->time_ns < gap->to_ns) {
			if (gap->loss.events++ == 0)
				gap->loss.from_ns = lossy->last_ns[cpu];
			return true;
		}
		if (gap->loss.events && !gap->loss.to_ns)
			gap->loss.to_ns = event->time_ns;
	}
	lossy->last_ns[cpu] = event->time_ns;
	return false;
}

static void take(void *context, uint16_t cpu, const struct event_header *event)
{
	struct lossy *lossy = context;

	if (!is_lost(lossy, cpu, event))
		synth_event(lossy->synth, cpu, event);
}

static void write_losses(struct lossy *lossy)
{
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		if (gap->loss.events == 0)
			continue;
		gap->loss.header = (struct event_header){
			.kind = EVENT_LOSS, .size = sizeof(gap->loss), .time_ns = SYNTH_US(0)};
		gap->loss.cpu = gap->cpu;
		gap->loss.reason = EVENT_LOSS_OVERWRITTEN;
		if (!gap->loss.to_ns)
			gap->loss.to_ns = gap->to_ns;
		synth_event(lossy->synth, 0, &gap->loss.header);
	}
}

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

static struct model *simulated_model(struct lossy *lossy, uint64_t seed,
				     struct simulated_thread **ret_truth, size_t *ret_count)
{
	struct simulation_options options = {
		.seed = seed,
		.cpus = 1 + (unsigned int)(seed % CPUS_MAX),
		.threads = 4 + (unsigned int)(seed % 13),
		.steps = STEPS,
		.emit = take,
		.context = lossy,
	};
	struct recording *recording;
	struct model *model;

	lossy->synth = synth_new();
	simulate(&options, ret_truth, ret_count);
	write_losses(lossy);
	recording = synth_to_memory(lossy->synth);
	assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
	synth_free(lossy->synth);
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
		struct lossy lossy = {0};
		struct simulated_thread *truth;
		size_t count;
		struct model *model = simulated_model(&lossy, seed, &truth, &count);

		assert_int_equal(model_thread_count(model), count + 1);
		for (size_t i = 0; i < count; i++)
			check_exactly(model, &truth[i], seed);
		check_replay(model);
		free(truth);
		synth_model_free(model);
	}
}

static void choose_gaps(struct lossy *lossy, uint64_t seed)
{
	lossy->gap_count = 1 + (unsigned int)(seed % GAPS_MAX);
	for (unsigned int i = 0; i < lossy->gap_count; i++) {
		struct gap *gap = &lossy->gaps[i];

		gap->cpu = (uint16_t)((seed + i) % (1 + seed % CPUS_MAX));
		gap->from_ns = SYNTH_US((seed * 977 + i * 9001) % (STEPS * US_A_STEP / 2));
		gap->to_ns = gap->from_ns + 200000 + seed * 50000;
		/* some from before the start, some beyond the end */
		if (seed % 5 == 0)
			gap->from_ns = 0;
		if (seed % 7 == 0)
			gap->to_ns = UINT64_MAX;
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
		struct lossy lossy = {0};
		struct simulated_thread *truth;
		size_t count;
		uint64_t unknown_ns = 0;
		struct model *model;

		choose_gaps(&lossy, seed);
		model = simulated_model(&lossy, seed, &truth, &count);
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

/* ---- nonsense: no order, no sense, but sound events ---- */

static uint64_t draw(uint64_t *random, uint64_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* Small numbers, so that threads and CPUs meet; now and then an absurd one. */
static void fill(struct event_header *event, uint64_t *random)
{
	const struct event_schema *schema = event_schema(event->kind);

	for (unsigned int i = 0; i < schema->field_count; i++) {
		const struct event_field *field = &schema->fields[i];
		bool is_time =
			field->meaning == MEANING_TIME_NS || field->meaning == MEANING_DURATION_NS;
		uint64_t value = draw(random, is_time ? 100000 : 4);

		if (draw(random, 200) == 0)
			value = ~draw(random, 3);
		if (field->meaning == MEANING_CPU || field->size == 0)
			value = draw(random, CPUS_MAX);
		if (field->size && field->meaning != MEANING_TEXT)
			memcpy((char *)event + field->offset, &value, field->size);
	}
}

static void add_nonsense(struct synth *synth, uint64_t *random)
{
	static const uint16_t kinds[] = {
		EVENT_SWITCH, EVENT_SWITCH, EVENT_SWITCH, EVENT_WAKING, EVENT_WAKING,
		EVENT_RESUME, EVENT_WAIT,   EVENT_SAMPLE, EVENT_FORK,   EVENT_EXEC,
		EVENT_EXIT,   EVENT_RENAME, EVENT_LOSS,   EVENT_THREAD,
	};
	union {
		struct event_header header;
		char bytes[512];
	} space = {0};
	uint16_t kind = kinds[draw(random, sizeof(kinds) / sizeof(kinds[0]))];

	/* gaps are rare, or nothing would be known of anything */
	if (kind == EVENT_LOSS && draw(random, 10))
		kind = EVENT_SWITCH;
	space.header.kind = kind;
	space.header.size = (uint16_t)event_align(event_schema(kind)->fixed_size + 8u);
	space.header.time_ns = SYNTH_ORIGIN_NS + draw(random, 1000000);
	fill(&space.header, random);
	if (kind == EVENT_LOSS) {
		((struct event_loss *)&space)->from_ns += SYNTH_ORIGIN_NS;
		((struct event_loss *)&space)->to_ns += SYNTH_ORIGIN_NS;
	}
	synth_event(synth, (uint16_t)draw(random, CPUS_MAX), &space.header);
}

static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10 * SEEDS; seed++) {
		struct synth *synth = synth_new();
		uint64_t random = seed;
		struct recording *recording;
		struct model *model;

		for (int i = 0; i < 200; i++)
			add_nonsense(synth, &random);
		recording = synth_to_memory(synth);
		assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
		for (size_t i = 1; i < model_thread_count(model); i++) {
			const struct thread *thread = model_thread(model, i);

			assert_true(thread->start_ns <= thread->end_ns);
			assert_true(thread->unknown_ns <= thread->end_ns - thread->start_ns);
		}
		check_replay(model);
		synth_model_free(model);
		synth_free(synth);
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
