/* SPDX-License-Identifier: BSD-2-Clause */
/* What a listener is told, and in which order. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "support/synth.h"

static unsigned long us(uint64_t time_ns)
{
	return (unsigned long)((time_ns - SYNTH_ORIGIN_NS) / 1000);
}

static void on_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		   uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	buffer_printf(context, "run %u cpu%u %lu-%lu state %u flags %u%s\n", thread->tid, cpu,
		      us(from_ns), us(to_ns), end_state, flags, is_cut ? " cut" : "");
}

static void on_wait(void *context, const struct wait *wait)
{
	buffer_printf(context, "wait %u %lu-%lu-%lu%s%s\n", wait->thread->tid, us(wait->start_ns),
		      us(wait->wake_ns), us(wait->end_ns), wait->evidence ? " evidence" : "",
		      wait->is_open ? " open" : "");
}

static void on_waking(void *context, const struct event_waking *event, struct thread *waker,
		      struct thread *wakee)
{
	buffer_printf(context, "waking %lu %u by %u\n", us(event->header.time_ns), wakee->tid,
		      waker->tid);
}

static void on_sample(void *context, const struct sample *sample)
{
	buffer_printf(context, "sample %lu %u\n", us(sample->time_ns), sample->thread->tid);
}

static void on_event(void *context, const struct event_header *event)
{
	buffer_printf(context, "event %lu\n", us(event->time_ns));
}

static const char text[] = "0   cpu0 switch idle > 10\n"
			   "50  cpu0 switch 10:S > 11\n"
			   "70  cpu0 sample 11 pid=11\n"
			   "90  cpu0 waking 10 by 11\n"
			   "95  cpu0 switch 11:R > 10 flags=1\n"
			   "95  cpu0 wait 10 pid=10 blocked=40 runnable=5\n"
			   "120 cpu0 switch 10:S > idle\n"
			   "140 cpu0 switch idle > 11\n"
			   "150 cpu0 clock\n";

/* Replays [from, to] of the text above and compares with what must be told. */
static void check(uint64_t from_ns, uint64_t to_ns, struct model_listener listener,
		  const char *want)
{
	struct model *model = synth_model(text);
	struct buffer told = {0};

	listener.context = &told;
	buffer_add(&told, "", 0);
	assert_int_equal(model_replay(model, from_ns, to_ns, &listener), 0);
	assert_string_equal(told.data, want);
	buffer_release(&told);
	synth_model_free(model);
}

static void test_everything(void **state)
{
	(void)state;
	/* 11 ran first at 50 and no wake-up was seen: what it did before is unknown */
	check(0, UINT64_MAX,
	      (struct model_listener){
		      .run = on_run, .wait = on_wait, .waking = on_waking, .sample = on_sample},
	      "run 10 cpu0 0-50 state 1 flags 0\n"
	      "sample 70 11\n"
	      "waking 90 10 by 11\n"
	      "run 11 cpu0 50-95 state 0 flags 1\n"
	      "wait 10 50-90-95 evidence\n"
	      "run 10 cpu0 95-120 state 1 flags 0\n"
	      "run 0 cpu0 120-140 state 0 flags 0\n"
	      "wait 11 95-95-140\n"
	      "run 11 cpu0 140-150 state 0 flags 0 cut\n"
	      "wait 10 120-150-150 open\n");
}

static void test_a_range(void **state)
{
	(void)state;
	check(SYNTH_US(60), SYNTH_US(100),
	      (struct model_listener){
		      .run = on_run, .wait = on_wait, .waking = on_waking, .sample = on_sample},
	      "sample 70 11\n"
	      "waking 90 10 by 11\n"
	      "run 11 cpu0 60-95 state 0 flags 1 cut\n"
	      "wait 10 50-90-95 evidence\n"
	      "run 10 cpu0 95-100 state 0 flags 0 cut\n"
	      "wait 11 95-95-140\n");
}

static void test_events_of_a_range(void **state)
{
	(void)state;
	check(SYNTH_US(90), SYNTH_US(120), (struct model_listener){.event = on_event},
	      "event 90\nevent 95\nevent 95\nevent 120\n");
	check(SYNTH_US(90), SYNTH_US(95),
	      (struct model_listener){.event = on_event, .waking = on_waking},
	      "event 90\nwaking 90 10 by 11\nevent 95\nevent 95\n");
	check(SYNTH_US(90), SYNTH_US(95), (struct model_listener){0}, "");
}

static void count_kept(void *context, const struct wait *wait)
{
	const struct model *model = *(const struct model **)context;

	if (wait->id != MODEL_NONE)
		assert_ptr_equal(wait, model_wait(model, wait->id));
	else
		assert_true(wait->end_ns - wait->start_ns < 45000);
}

/* Waits that the model keeps are told as the same objects. */
static void test_kept_waits(void **state)
{
	struct recording *recording = synth_recording(text);
	struct model_options options = {.min_wait_ns = 45000};
	struct model *model;
	struct model_listener listener = {.context = &model, .wait = count_kept};

	(void)state;
	assert_int_equal(model_new(&model, recording, &options), 0);
	assert_int_equal(model_wait_count(model), 2);
	assert_int_equal(model_replay(model, 0, UINT64_MAX, &listener), 0);
	synth_model_free(model);
}

static void on_progress(void *context, double part)
{
	double *last = context;

	assert_true(part >= *last && part <= 1);
	*last = part;
}

static void test_progress(void **state)
{
	struct synth *synth = synth_new();
	struct recording *recording;
	struct model *model;
	double last = 0;

	(void)state;
	for (unsigned int i = 0; i < 140000; i++) {
		struct event_switch event = {
			.header = {.kind = EVENT_SWITCH, .size = sizeof(event), .time_ns = i},
			.prev_tid = i % 2,
			.next_tid = 1 - i % 2};

		synth_event(synth, 0, &event.header);
	}
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording,
				   &(struct model_options){.min_wait_ns = UINT64_MAX,
							   .progress = on_progress,
							   .context = &last}),
			 0);
	assert_true(last > 0.9);
	synth_model_free(model);
	synth_free(synth);
}

/* A recording that grew has threads the model does not know. */
static void test_recording_that_changed(void **state)
{
	struct event_switch event = {
		.header = {.kind = EVENT_SWITCH, .size = sizeof(event), .time_ns = SYNTH_US(97)},
		.prev_tid = 77,
		.next_tid = 78,
		.cpu = 1,
	};
	struct model *model = synth_model(text);
	struct buffer told = {0};
	struct model_listener listener = {.context = &told, .run = on_run};

	(void)state;
	recording_memory_add(model_recording(model), STREAM_SWITCH, 1, &event, sizeof(event));
	assert_true(model_replay(model, 0, UINT64_MAX, &listener) < 0);
	buffer_release(&told);
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_a_range),
		cmocka_unit_test(test_events_of_a_range),
		cmocka_unit_test(test_kept_waits),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_recording_that_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
