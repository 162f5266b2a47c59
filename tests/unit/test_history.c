/* SPDX-License-Identifier: BSD-2-Clause */
/* The history: what every thread and CPU did, for random access. */
#include "unit/unit.h"

#include <stdlib.h>

#include "base/memory.h"
#include "support/nonsense.h"
#include "support/scene.h"
#include "support/simulate.h"
#include "support/synth.h"

#define SEEDS          12
#define NONSENSE_SEEDS 100
#define STEPS          3000
#define CPUS           3

static void check_turn(const struct turn *turn, uint64_t start_us, uint64_t wake_us,
		       uint64_t from_us, uint64_t to_us, unsigned int flags)
{
	assert_int_equal(turn->start_ns, SYNTH_US(start_us));
	assert_int_equal(turn->wake_ns, SYNTH_US(wake_us));
	assert_int_equal(turn->from_ns, SYNTH_US(from_us));
	assert_int_equal(turn->to_ns, SYNTH_US(to_us));
	assert_int_equal(turn->flags, flags);
}

/* A run without a wait, a kept wait with its run, a short one with its call, an open one. */
static void test_turns(void **state)
{
	struct scene scene = scene_open("meta min_wait_ns 1000000\n"
					"on cpu0 10 10 main\n"
					"on cpu1 11 10 worker\n"
					"1ms..4ms..5ms 10 lock by 11\n"
					"6ms..6.5ms 10 short by idle prev_syscall=read\n"
					"7ms.. 10 lock\n"
					"9ms cpu1 switch 11:S > idle\n");
	const struct turn *turn = scene_turn(&scene, 10, 0);

	(void)state;
	assert_int_equal(history_turn_count(scene.history, scene_thread(&scene, 10)), 4);
	check_turn(turn, 0, 0, 0, 1000, TURN_HAS_RUN);
	assert_null(history_wait(scene.history, turn));
	assert_null(history_waker(scene.history, turn));

	turn = scene_turn(&scene, 10, 1);
	check_turn(turn, 1000, 4000, 5000, 6000, TURN_HAS_WAIT | TURN_HAS_RUN | TURN_WAKE_SEEN);
	assert_int_equal(history_waker(scene.history, turn)->tid, 11);
	assert_int_equal(history_wait(scene.history, turn)->end_ns, SYNTH_US(5000));
	assert_non_null(history_wait(scene.history, turn)->evidence);
	assert_int_equal(turn->prev_state, 1);

	turn = scene_turn(&scene, 10, 2);
	check_turn(turn, 6000, 6500, 6500, 7000,
		   TURN_HAS_WAIT | TURN_HAS_RUN | TURN_WAKE_SEEN | TURN_WAKER_IRQ);
	assert_null(history_wait(scene.history, turn));
	assert_string_equal(model_syscall_name(turn->prev_syscall), "read");

	turn = scene_turn(&scene, 10, 3);
	assert_int_equal(turn->flags & (TURN_HAS_WAIT | TURN_HAS_RUN | TURN_OPEN),
			 TURN_HAS_WAIT | TURN_OPEN);
	assert_int_equal(turn->start_ns, SYNTH_US(7000));
	assert_int_equal(turn->to_ns, SYNTH_US(9000));
	scene_close(&scene);
}

/* Ends belong to what comes next: a turn that ends at the time asked for is over. */
static void test_turn_after(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"1ms..3ms 10 lock by idle\n"
					"5ms..7ms 10 lock by idle\n"
					"9ms cpu0 switch 10:S > idle\n");
	const struct thread *thread = scene_thread(&scene, 10);

	(void)state;
	assert_int_equal(history_turn_after(scene.history, thread, 0), 0);
	assert_int_equal(history_turn_after(scene.history, thread, SYNTH_US(1000) - 1), 0);
	assert_int_equal(history_turn_after(scene.history, thread, SYNTH_US(1000)), 1);
	assert_int_equal(history_turn_after(scene.history, thread, SYNTH_US(4999)), 1);
	assert_int_equal(history_turn_after(scene.history, thread, SYNTH_US(5000)), 2);
	assert_int_equal(history_turn_after(scene.history, thread, UINT64_MAX),
			 history_turn_count(scene.history, thread));
	scene_close(&scene);
}

/* Three threads on one CPU: its runs in order, whoever's they are. */
static void test_cpu_runs(void **state)
{
	struct scene scene = scene_open("thread 10 10 main\n"
					"thread 11 11 other\n"
					"0   cpu2 switch idle > 10\n"
					"2ms cpu2 switch 10:R > 11\n"
					"5ms cpu2 switch 11:R > 10 next_prio=49\n"
					"6ms cpu2 switch 10:S > idle\n"
					"8ms cpu2 switch idle > 11\n"
					"9ms cpu2 switch 11:S > idle\n");
	static const uint32_t tids[] = {10, 11, 10, 11};
	size_t first = history_cpu_run_after(scene.history, 2, SYNTH_US(0)), found = 0;

	(void)state;
	for (size_t i = first; i < history_cpu_run_count(scene.history, 2); i++) {
		const struct turn *run = history_cpu_run(scene.history, 2, i);
		uint32_t tid = model_thread(scene.model, run->thread)->tid;

		if (tid == 0)
			continue;
		assert_true(found < ARRAY_SIZE(tids));
		assert_int_equal(tid, tids[found++]);
	}
	assert_int_equal(found, ARRAY_SIZE(tids));
	assert_int_equal(history_cpu_run_count(scene.history, 700), 0);
	assert_int_equal(history_cpu_run_after(scene.history, 700, 0), 0);
	assert_int_equal(history_priority(scene.history, scene_thread(&scene, 10)), 49);
	assert_int_equal(history_priority(scene.history, scene_thread(&scene, 11)), 120);
	scene_close(&scene);
}

static void test_samples_and_events(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"on cpu1 11 10 other\n"
					"1ms cpu0 sample 10\n"
					"2ms cpu1 sample 11\n"
					"3ms cpu0 sample 10\n"
					"3ms cpu0 irq tid=10 from=2ms\n"
					"5ms cpu1 irq tid=11 from=4ms\n"
					"9ms cpu0 switch 10:S > idle\n"
					"9ms cpu1 switch 11:S > idle\n");
	const struct thread *thread = scene_thread(&scene, 10);
	struct history_events events = history_events(scene.history, EVENT_IRQ);

	(void)state;
	assert_int_equal(history_sample_count(scene.history, thread), 2);
	assert_int_equal(history_sample_after(scene.history, thread, SYNTH_US(1000)), 0);
	assert_int_equal(history_sample_after(scene.history, thread, SYNTH_US(1001)), 1);
	assert_int_equal(history_sample(scene.history, thread, 1)->time_ns, SYNTH_US(3000));
	assert_int_equal(history_sample_after(scene.history, thread, SYNTH_US(3001)), 2);

	assert_int_equal(events.count, 2);
	assert_int_equal(history_event_from(&events, SYNTH_US(3000)), 0);
	assert_int_equal(history_event_from(&events, SYNTH_US(3001)), 1);
	assert_int_equal(history_event_from(&events, SYNTH_US(5001)), 2);
	assert_int_equal(history_events(scene.history, EVENT_DISK).count, 0);
	scene_close(&scene);
}

/* ---- a random machine ---- */

static void take(void *context, uint16_t cpu, const struct event_header *event)
{
	synth_event(context, cpu, event);
}

static struct scene random_scene(uint64_t seed)
{
	struct synth *synth = synth_new();
	struct simulation_options options = {
		.seed = seed,
		.cpus = CPUS,
		.threads = 8,
		.steps = STEPS,
		.emit = take,
		.context = synth,
	};
	struct simulated_thread *truth;
	struct recording *recording;
	size_t count;

	simulate(&options, &truth, &count);
	recording = synth_to_memory(synth);
	synth_free(synth);
	free(truth);
	return scene_of(recording);
}

/* In order, none over another, and nothing of the thread's life is missing. */
static void check_thread(const struct scene *scene, const struct thread *thread)
{
	uint64_t until_ns = 0, on_cpu_ns = 0, runnable_ns = 0, blocked_ns = 0;

	for (size_t i = 0; i < history_turn_count(scene->history, thread); i++) {
		const struct turn *turn = history_turn(scene->history, thread, i);

		assert_int_equal(turn->thread, thread->index);
		assert_true(turn->start_ns >= until_ns);
		assert_true(turn->wake_ns >= turn->start_ns && turn->from_ns >= turn->wake_ns &&
			    turn->to_ns >= turn->from_ns);
		until_ns = turn->to_ns;
		on_cpu_ns += turn->to_ns - turn->from_ns;
		if (!(turn->flags & TURN_HAS_WAIT))
			continue;
		blocked_ns += turn->wake_ns - turn->start_ns;
		runnable_ns += turn->from_ns - turn->wake_ns;
	}
	assert_int_equal(on_cpu_ns, thread->on_cpu_ns);
	assert_int_equal(runnable_ns, thread->runnable_ns);
	assert_int_equal(blocked_ns, thread->blocked_ns);
}

static void check_cpu(const struct scene *scene, uint16_t cpu)
{
	size_t count = history_cpu_run_count(scene->history, cpu);
	uint64_t until_ns = 0;

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		const struct turn *run = history_cpu_run(scene->history, cpu, i);

		assert_int_equal(run->cpu, cpu);
		assert_true(run->flags & TURN_HAS_RUN);
		assert_true(run->from_ns >= until_ns);
		until_ns = run->to_ns;
		assert_true(history_cpu_run_after(scene->history, cpu, run->from_ns) <= i);
	}
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scene scene = random_scene(seed);

		for (size_t i = 1; i < model_thread_count(scene.model); i++)
			check_thread(&scene, model_thread(scene.model, i));
		for (uint16_t cpu = 0; cpu < CPUS; cpu++)
			check_cpu(&scene, cpu);
		scene_close(&scene);
	}
}

/* ---- searches, beside looking at everything ---- */

static uint64_t draw(uint64_t *random, uint64_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

static uint64_t busy_ns(const struct scene *scene, uint16_t cpu, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < history_cpu_run_count(scene->history, cpu); i++) {
		const struct turn *run = history_cpu_run(scene->history, cpu, i);
		uint64_t start_ns = run->from_ns > from_ns ? run->from_ns : from_ns;
		uint64_t end_ns = run->to_ns < to_ns ? run->to_ns : to_ns;

		if (start_ns < end_ns && run->thread)
			ns += end_ns - start_ns;
	}
	return ns;
}

static void check_busy(const struct scene *scene, uint16_t cpu, uint64_t *random)
{
	uint64_t start_ns = model_start_ns(scene->model), end_ns = model_end_ns(scene->model);
	uint64_t from_ns = start_ns + draw(random, end_ns - start_ns);
	uint64_t to_ns = from_ns + draw(random, end_ns - from_ns);
	size_t count = history_cpu_run_count(scene->history, cpu);
	const struct turn *run = history_cpu_run(scene->history, cpu, draw(random, count));

	assert_int_equal(history_cpu_busy_ns(scene->history, cpu, from_ns, to_ns),
			 busy_ns(scene, cpu, from_ns, to_ns));
	from_ns = start_ns + draw(random, run->from_ns - start_ns + 1);
	to_ns = from_ns + draw(random, run->to_ns - from_ns + 1);
	assert_int_equal(history_busy_before_ns(scene->history, run, from_ns, to_ns),
			 busy_ns(scene, cpu, from_ns, to_ns));
}

static uint64_t first_wake_ns(const struct scene *scene, const struct thread *waker,
			      const struct thread *other, uint64_t from_ns, uint64_t to_ns)
{
	bool is_own = other->process == waker->process;
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 1; i < model_thread_count(scene->model); i++) {
		const struct thread *thread = model_thread(scene->model, i);

		if (is_own ? thread != other : thread->process != other->process)
			continue;
		for (size_t n = 0; n < history_turn_count(scene->history, thread); n++) {
			const struct turn *turn = history_turn(scene->history, thread, n);

			if (turn->waker == waker->index && !(turn->flags & TURN_WAKER_IRQ) &&
			    turn->wake_ns >= from_ns && turn->wake_ns <= to_ns &&
			    turn->wake_ns < first_ns)
				first_ns = turn->wake_ns;
		}
	}
	return first_ns;
}

static void check_woken(const struct scene *scene, uint64_t *random)
{
	size_t count = model_thread_count(scene->model);
	const struct thread *waker = model_thread(scene->model, 1 + draw(random, count - 1));
	const struct thread *other = model_thread(scene->model, 1 + draw(random, count - 1));
	uint64_t start_ns = model_start_ns(scene->model), end_ns = model_end_ns(scene->model);
	uint64_t from_ns = start_ns + draw(random, end_ns - start_ns);
	uint64_t to_ns = from_ns + draw(random, (end_ns - from_ns) / 4 + 1);
	const struct turn *turn = history_woken_by(scene->history, waker, other, from_ns, to_ns);

	assert_int_equal(turn ? turn->wake_ns : UINT64_MAX,
			 first_wake_ns(scene, waker, other, from_ns, to_ns));
}

static void test_searches(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS / 2; seed++) {
		struct scene scene = random_scene(seed);
		uint64_t random = seed;

		for (uint16_t cpu = 0; cpu < CPUS; cpu++) {
			for (int i = 0; i < 40; i++)
				check_busy(&scene, cpu, &random);
		}
		for (int i = 0; i < 200; i++)
			check_woken(&scene, &random);
		scene_close(&scene);
	}
}

/* Interrupts of three threads, some long, some overlapping, some that begin where others end. */
static void test_events_over(void **state)
{
	struct buffer text = {.data = NULL};
	uint64_t random = 5;
	struct history_events all;
	struct scene scene;

	(void)state;
	buffer_printf(&text, "on cpu0 10 10 main\n");
	for (unsigned int i = 1; i < 200; i++)
		buffer_printf(&text, "%uus cpu0 irq tid=%lu from=%luus\n", 10 * i,
			      10 + draw(&random, 3),
			      10 * i - draw(&random, draw(&random, 10) ? 20 : 10 * i));
	buffer_printf(&text, "3ms cpu0 switch 10:S > idle\n");
	scene = scene_open(text.data);
	all = history_events(scene.history, EVENT_IRQ);
	assert_int_equal(all.count, 199);
	for (int n = 0; n < 500; n++) {
		uint64_t from_ns = SYNTH_US(draw(&random, 2000));
		uint64_t to_ns = from_ns + draw(&random, 100000), tid = 10 + draw(&random, 4);
		struct history_over over;

		history_over_begin(&over, scene.history, EVENT_IRQ, tid, from_ns, to_ns);
		for (size_t i = 0; i < all.count; i++) {
			const struct event_irq *event = (const void *)all.events[i];

			if (event->tid == tid && event->header.time_ns >= from_ns &&
			    event->from_ns <= to_ns)
				assert_ptr_equal(history_over_next(&over), &event->header);
		}
		assert_null(history_over_next(&over));
	}
	scene_close(&scene);
	buffer_release(&text);
}

/* Where times contradict each other, there is an order all the same: searches rely on it. */
static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= NONSENSE_SEEDS; seed++) {
		struct scene scene = scene_of(nonsense_recording(seed, 300));

		for (size_t i = 1; i < model_thread_count(scene.model); i++) {
			const struct thread *thread = model_thread(scene.model, i);
			size_t count = history_turn_count(scene.history, thread);

			for (size_t n = 1; n < count; n++)
				assert_true(history_turn(scene.history, thread, n - 1)->to_ns <=
					    history_turn(scene.history, thread, n)->to_ns);
		}
		for (uint16_t cpu = 0; cpu < 4; cpu++) {
			for (size_t n = 1; n < history_cpu_run_count(scene.history, cpu); n++)
				assert_true(history_cpu_run(scene.history, cpu, n - 1)->to_ns <=
					    history_cpu_run(scene.history, cpu, n)->to_ns);
		}
		scene_close(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),       cmocka_unit_test(test_turn_after),
		cmocka_unit_test(test_cpu_runs),    cmocka_unit_test(test_samples_and_events),
		cmocka_unit_test(test_random),      cmocka_unit_test(test_searches),
		cmocka_unit_test(test_events_over), cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
