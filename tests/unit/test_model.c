/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine on hand-made timelines: what a thread did, next to the events that say so. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "event/schema.h"
#include "model/model.h"
#include "support/check_model.h"
#include "support/synth.h"

/* ---- plain scheduling ---- */

static void test_blocked_and_woken(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "100 cpu0 switch 10:S > 11\n"
				    "150 cpu0 waking 10 by 11\n"
				    "180 cpu0 switch 11:R > 10\n"
				    "200 cpu0 switch 10:S > 11\n"
				    "300 cpu0 switch 11:S > idle\n",
				    {10, 100 + 20, 30, 50 + 100, 0}, {11, 80 + 100, 20, 0, 100});
	const struct wait *wait = check_wait_of(model, 10, 0);

	(void)state;
	check_wait(wait, 100, 150, 180);
	assert_true(wait->wake_seen);
	assert_false(wait->is_open);
	assert_int_equal(wait->waker->tid, 11);
	assert_false(wait->waker_is_irq);
	assert_int_equal(wait->prev_state, 1);
	wait = check_wait_of(model, 11, 0);
	check_wait(wait, 180, 180, 200);
	assert_int_equal(wait->prev_state, 0);
	assert_null(wait->waker);
	assert_int_equal(check_thread(model, 10)->switches, 2);
	assert_int_equal(check_thread(model, 11)->preemptions, 1);
	assert_int_equal(check_thread(model, 10)->longest_wait_ns, 80000);
	assert_int_equal(check_thread(model, 10)->longest_runnable_ns, 30000);
	synth_model_free(model);
}

static void test_second_waking_is_ignored(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "100 cpu0 switch 10:D > idle\n"
				    "150 cpu1 waking 10 by idle\n"
				    "160 cpu1 waking 10 by 12\n"
				    "180 cpu0 switch idle > 10\n",
				    {10, 100, 30, 50, 0});

	(void)state;
	assert_int_equal(check_wait_of(model, 10, 0)->waker->tid, 0);
	assert_true(check_wait_of(model, 10, 0)->waker_is_irq);
	synth_model_free(model);
}

/* The waker was another CPU, between the decision to sleep and the switch. */
static void test_early_waking(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "99  cpu1 waking 10 by 12\n"
				    "100 cpu0 switch 10:S > 11\n"
				    "180 cpu0 switch 11:S > 10\n"
				    "190 cpu0 switch 10:S > idle\n",
				    {10, 110, 80, 0, 0});

	(void)state;
	check_wait(check_wait_of(model, 10, 0), 100, 100, 180);
	assert_true(check_wait_of(model, 10, 0)->wake_seen);
	assert_int_equal(check_wait_of(model, 10, 0)->waker->tid, 12);
	synth_model_free(model);
}

/* A wake-up long before the switch-out was for something else, and so is one that another follows.
 */
static void test_waking_that_is_not_early(void **state)
{
	struct model *model = CHECK("0    cpu0 switch idle > 10\n"
				    "10   cpu1 waking 10 by 12\n"
				    "2000 cpu0 switch 10:S > idle\n"
				    "3000 cpu0 switch idle > 10\n"
				    "3009 cpu1 waking 10 by 12\n"
				    "3010 cpu0 switch 10:S > idle\n"
				    "3100 cpu1 waking 10 by 13\n"
				    "3150 cpu0 switch idle > 10\n",
				    {10, 2010, 50, 1000 + 90, 0});

	(void)state;
	check_wait(check_wait_of(model, 10, 0), 2000, 3000, 3000);
	assert_false(check_wait_of(model, 10, 0)->wake_seen);
	assert_null(check_wait_of(model, 10, 0)->waker);
	assert_int_equal(check_wait_of(model, 10, 1)->waker->tid, 13);
	synth_model_free(model);
}

static void test_migration(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "50  cpu0 switch 10:R > idle\n"
				    "60  cpu1 switch idle > 10\n"
				    "90  cpu1 switch 10:S > idle\n"
				    "100 cpu0 switch idle > 11\n",
				    {10, 80, 10, 10, 0});

	(void)state;
	assert_int_equal(check_wait_of(model, 10, 0)->cpu, 1);
	assert_int_equal(model_thread(model, 0)->on_cpu_ns, (50 + 60 + 10) * 1000);
	assert_int_equal(model_cpu_count(model), 2);
	synth_model_free(model);
}

/* ---- edges of the recording ---- */

static void test_first_sight(void **state)
{
	/* 10 leaves a CPU nobody was seen on; 11 is woken; 12 comes in without a wake-up; 13 never
	 */
	struct model *model = CHECK("thread 10 10 ten\n"
				    "thread 11 10 eleven\n"
				    "thread 12 12 twelve\n"
				    "thread 13 13 thirteen\n"
				    "0   cpu1 switch idle > 20\n"
				    "100 cpu0 switch 10:S > 12\n"
				    "150 cpu0 waking 11 by 12\n"
				    "160 cpu0 switch 12:S > 11\n"
				    "200 cpu0 switch 11:S > idle\n",
				    {10, 100, 0, 100, 0}, {11, 40, 10, 150, 0},
				    {12, 60, 0, 40, 100}, {13, 0, 0, 200, 0}, {20, 200, 0, 0, 0});
	const struct wait *wait = check_wait_of(model, 11, 0);

	(void)state;
	check_wait(wait, 0, 150, 160);
	assert_int_equal(wait->prev_state, 1);
	assert_true(check_wait_of(model, 13, 0)->is_open);
	assert_int_equal(check_thread(model, 13)->longest_wait_ns, 0);
	assert_string_equal(check_thread(model, 11)->process->comm, "ten");
	synth_model_free(model);
}

/* On a CPU that is never switched, samples and wake-ups show who is there. */
static void test_seen_without_switches(void **state)
{
	struct model *model = CHECK("thread 10 10 spinner\n"
				    "thread 11 11 waker\n"
				    "thread 12 12 sleeper\n"
				    "0   cpu2 switch idle > 20\n"
				    "50  cpu0 sample 10 pid=10\n"
				    "80  cpu1 waking 12 by 11\n"
				    "100 cpu2 switch 20:S > idle\n",
				    {10, 100, 0, 0, 0}, {11, 100, 0, 0, 0}, {12, 0, 20, 80, 0});

	(void)state;
	assert_int_equal(check_thread(model, 10)->samples, 1);
	synth_model_free(model);
}

static void test_open_at_the_end(void **state)
{
	struct model *model = CHECK("0   cpu0 switch idle > 10\n"
				    "100 cpu0 switch 10:S > 11\n"
				    "150 cpu1 waking 10 by 12\n"
				    "170 cpu0 switch 11:S > 13\n"
				    "200 cpu1 switch 12:S > idle\n",
				    {10, 100, 50, 50, 0}, {11, 70, 0, 30, 100}, {13, 30, 0, 0, 170},
				    {12, 200, 0, 0, 0});

	(void)state;
	check_wait(check_wait_of(model, 10, 0), 100, 150, 200);
	assert_true(check_wait_of(model, 10, 0)->is_open);
	assert_true(check_wait_of(model, 11, 0)->is_open);
	assert_false(check_wait_of(model, 11, 0)->wake_seen);
	assert_int_equal(check_thread(model, 10)->longest_wait_ns, 0);
	synth_model_free(model);
}

/* ---- births and deaths ---- */

static void test_life_of_a_thread(void **state)
{
	struct model *model = CHECK("thread 10 10 main ppid=1 cmdline='main -v'\n"
				    "0   cpu0 switch idle > 10\n"
				    "20  cpu0 fork 10 > 11 pid=10 comm=worker\n"
				    "21  cpu0 waking 11 by 10 flags=1\n"
				    "50  cpu0 switch 10:S > 11\n"
				    "60  cpu0 rename 11 late pid=10\n"
				    "80  cpu0 exit 11 pid=10\n"
				    "90  cpu0 switch 11:X > idle\n"
				    "200 cpu0 switch idle > 12\n",
				    {10, 50, 0, 150, 0}, {11, 40, 30, 0, 0});
	const struct thread *thread = check_thread(model, 11);

	(void)state;
	assert_true(thread->was_born_here);
	assert_true(thread->has_ended);
	assert_int_equal(thread->start_ns, SYNTH_US(20));
	assert_int_equal(thread->end_ns, SYNTH_US(90));
	assert_string_equal(thread->comm, "late");
	assert_ptr_equal(thread->process, check_thread(model, 10)->process);
	assert_string_equal(thread->process->comm, "main");
	assert_string_equal(thread->process->cmdline, "main -v");
	assert_int_equal(thread->process->ppid, 1);
	check_wait(check_wait_of(model, 11, 0), 20, 20, 50);
	assert_int_equal(check_wait_of(model, 11, 0)->waker->tid, 10);
	synth_model_free(model);
}

/* Thread 11 as somebody saw it at TIME_US who looked at who is alive. */
static void add_look(struct synth *synth, uint64_t time_us, const char *comm)
{
	struct event_thread *event = xcalloc(1, event_align(sizeof(*event) + 1));

	event->header.kind = EVENT_THREAD;
	event->header.size = (uint16_t)event_align(sizeof(*event) + 1);
	event->header.time_ns = SYNTH_US(time_us);
	event->tid = 11;
	event->pid = 10;
	event->start_ns = SYNTH_US(20);
	memcpy(event->comm, comm, strlen(comm));
	synth_event(synth, 0, &event->header);
	free(event);
}

static void check_name(uint64_t look_us, const char *want)
{
	struct synth *synth = synth_new();
	struct model_options options = {.min_wait_ns = 0};
	struct recording *recording;
	struct model *model;

	synth_text(synth, "thread 10 10 main\n"
			  "0   cpu0 switch idle > 10\n"
			  "20  cpu0 fork 10 > 11 pid=10 comm=main\n"
			  "21  cpu0 waking 11 by 10 flags=1\n"
			  "50  cpu0 switch 10:S > 11\n"
			  "60  cpu0 rename 11 early pid=10\n"
			  "90  cpu0 switch 11:S > idle\n");
	add_look(synth, look_us, "found");
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording, &options), 0);
	assert_string_equal(check_thread(model, 11)->comm, want);
	synth_model_free(model);
	synth_free(synth);
}

/* Where renames were lost, whoever looked later knows better; but not who looked before. */
static void test_the_latest_name_counts(void **state)
{
	(void)state;
	check_name(80, "found");
	check_name(55, "early");
}

static void test_life_of_a_process(void **state)
{
	struct model *model = synth_model("thread 10 10 sh cmdline=sh uid=7\n"
					  "0   cpu0 switch idle > 10\n"
					  "20  cpu0 fork 10 > 11 comm=sh\n"
					  "21  cpu0 waking 11 by 10 flags=1\n"
					  "50  cpu0 switch 10:S > 11\n"
					  "60  cpu0 exec 11 ls cmdline='ls -l'\n"
					  "80  cpu0 exit 11 exit_code=256 process_ended=1\n"
					  "90  cpu0 switch 11:X > idle\n");
	const struct process *process = check_thread(model, 11)->process;

	(void)state;
	assert_int_equal(process->pid, 11);
	assert_int_equal(process->ppid, 10);
	assert_int_equal(process->uid, 7);
	assert_string_equal(process->comm, "ls");
	assert_string_equal(process->cmdline, "ls -l");
	assert_int_equal(process->start_ns, SYNTH_US(20));
	assert_int_equal(process->end_ns, SYNTH_US(80));
	assert_int_equal(process->exit_code, 256);
	assert_true(process->was_born_here);
	process = check_thread(model, 10)->process;
	assert_string_equal(process->cmdline, "sh");
	assert_int_equal(process->end_ns, MODEL_TIME_UNKNOWN);
	synth_model_free(model);
}

/* The tid is used again; the first owner's end was seen (11) or not (12). */
static void test_reused_tid(void **state)
{
	struct model *model = synth_model("0   cpu0 switch idle > 11\n"
					  "10  cpu0 exit 11 pid=11 process_ended=1\n"
					  "20  cpu0 switch 11:X > 12\n"
					  "30  cpu0 switch 12:S > 10\n"
					  "40  cpu0 fork 10 > 11 comm=new\n"
					  "41  cpu0 waking 11 by 10 flags=1\n"
					  "50  cpu0 fork 10 > 12 comm=new\n"
					  "51  cpu0 waking 12 by 10 flags=1\n"
					  "60  cpu0 switch 10:R > 11\n"
					  "70  cpu0 switch 11:R > 12\n"
					  "90  cpu0 switch 12:R > 10\n");
	struct thread *old = model_thread_at(model, 11, SYNTH_US(5));
	struct thread *young = model_thread_at(model, 11, SYNTH_US(65));

	(void)state;
	assert_non_null(old);
	assert_ptr_not_equal(old, young);
	assert_null(model_thread_at(model, 11, SYNTH_US(30)));
	assert_int_equal(old->end_ns, SYNTH_US(20));
	assert_int_equal(young->start_ns, SYNTH_US(40));
	assert_int_equal(young->on_cpu_ns, 10000);
	assert_ptr_not_equal(old->process, young->process);
	old = model_thread_at(model, 12, SYNTH_US(25));
	young = model_thread_at(model, 12, SYNTH_US(55));
	assert_ptr_not_equal(old, young);
	assert_int_equal(old->end_ns, SYNTH_US(50));
	assert_true(old->has_ended);
	assert_int_equal(young->on_cpu_ns, 20000);
	assert_null(model_thread_at(model, 99, SYNTH_US(55)));
	synth_model_free(model);
}

/* Thread 11 of process 10 calls exec: it goes on as 10. Its switches say so before the exec event.
 */
static void test_exec_by_another_thread(void **state)
{
	struct model *model = synth_model("thread 10 10 old\n"
					  "thread 11 10 old\n"
					  "0   cpu0 switch idle > 10\n"
					  "10  cpu0 exit 10 pid=10\n"
					  "20  cpu0 switch 10:X > 11\n"
					  "40  cpu0 switch 10:D > idle\n"
					  "50  cpu0 waking 10 by idle\n"
					  "55  cpu0 switch idle > 10\n"
					  "60  cpu0 exec 10 new old_tid=11\n"
					  "80  cpu0 switch 10:S > idle\n");
	struct thread *leader = model_thread_at(model, 10, SYNTH_US(15));
	struct thread *caller = model_thread_at(model, 11, SYNTH_US(30));

	(void)state;
	assert_ptr_not_equal(leader, caller);
	assert_int_equal(leader->end_ns, SYNTH_US(20));
	assert_ptr_equal(caller, model_thread_at(model, 10, SYNTH_US(70)));
	assert_null(model_thread_at(model, 11, SYNTH_US(70)));
	assert_int_equal(caller->tid, 10);
	assert_string_equal(caller->comm, "new");
	assert_string_equal(caller->process->comm, "new");
	assert_int_equal(caller->on_cpu_ns, (20 + 25) * 1000);
	assert_int_equal(caller->blocked_ns, 10 * 1000);
	assert_int_equal(caller->runnable_ns, 5 * 1000);
	synth_model_free(model);
}

/* As before, but the exec event comes first, and the leader is still thought to be alive. */
static void test_exec_event_first(void **state)
{
	struct model *model = synth_model("thread 10 10 old\n"
					  "thread 11 10 old\n"
					  "0   cpu0 switch idle > 11\n"
					  "60  cpu0 exec 10 new old_tid=11\n"
					  "80  cpu0 switch 10:S > idle\n");

	(void)state;
	assert_true(model_thread_at(model, 10, SYNTH_US(50))->has_ended);
	assert_int_equal(model_thread_at(model, 10, SYNTH_US(70))->on_cpu_ns, 80000);
	assert_int_equal(model_thread_count(model), 3);
	synth_model_free(model);
}

static void test_unknown_process_is_learned(void **state)
{
	struct model *model = synth_model("thread 20 20 server\n"
					  "0   cpu0 switch idle > 21\n"
					  "50  cpu0 switch 21:S > 22\n"
					  "90  cpu0 waking 21 by 22\n"
					  "95  cpu0 switch 22:S > 21\n"
					  "95  cpu0 wait 21 pid=20 blocked=40 runnable=5\n");

	(void)state;
	assert_int_equal(check_thread(model, 21)->process->pid, 20);
	assert_string_equal(check_thread(model, 21)->comm, "server");
	assert_int_equal(check_thread(model, 22)->process->pid, MODEL_NONE);
	synth_model_free(model);
}

/* A thread event may be of a thread whose birth the recording has, or of one born unseen. */
static void test_thread_event_of_a_birth_in_the_recording(void **state)
{
	struct model *model = synth_model("thread 10 10 old\n"
					  "thread 11 11 made ppid=3 start=95ms\n"
					  "thread 12 12 unseen start=50ms\n"
					  "0     cpu0 switch idle > 10\n"
					  "99ms  cpu0 fork 10 > 11 comm=old\n"
					  "100ms cpu0 waking 11 by 10 flags=1\n"
					  "110ms cpu0 waking 12 by 10\n"
					  "120ms cpu0 switch 10:R > idle\n");

	(void)state;
	assert_int_equal(check_thread(model, 11)->start_ns, SYNTH_US(99000));
	assert_true(check_thread(model, 11)->was_born_here);
	assert_int_equal(check_thread(model, 12)->start_ns, SYNTH_US(50000));
	assert_false(check_thread(model, 12)->was_born_here);
	assert_int_equal(check_thread(model, 12)->blocked_ns, 60 * 1000 * 1000);
	synth_model_free(model);
}

/* A thread that is there before the recording is known by two events: only the younger was alive.
 */
static void test_two_births_before_the_start(void **state)
{
	struct model *model = synth_model("thread 10 10 dead start_ns=5\n"
					  "thread 10 10 alive start_ns=500000000\n"
					  "0 cpu0 clock\n");

	(void)state;
	assert_string_equal(check_thread(model, 10)->comm, "alive");
	assert_ptr_equal(model_thread_at(model, 10, 0), check_thread(model, 10));
	synth_model_free(model);
}

/* Its last switch-out was not seen, its tid is met again: what the first is, and the second was. */
static void test_tid_met_again(void **state)
{
	struct model *model = synth_model("0  cpu0 switch idle > 11\n"
					  "10 cpu0 switch 11:X > 10\n"
					  "50 cpu0 waking 11 by 10\n"
					  "60 cpu0 switch 10:S > 11\n");
	const struct thread *second = model_thread_at(model, 11, SYNTH_US(60));

	(void)state;
	assert_int_equal(second->start_ns, SYNTH_US(50));
	assert_int_equal(second->runnable_ns, 10000);
	assert_false(second->was_born_here);
	synth_model_free(model);
}

static void test_exit_without_a_last_switch(void **state)
{
	struct model *model = CHECK("thread 10 10 gone\n"
				    "0   cpu0 switch idle > 11\n"
				    "50  cpu1 exit 10 exit_code=9 process_ended=1\n"
				    "100 cpu0 switch 11:S > idle\n",
				    {10, 0, 0, 0, 50});

	(void)state;
	assert_true(check_thread(model, 10)->has_ended);
	assert_int_equal(check_thread(model, 10)->process->exit_code, 9);
	synth_model_free(model);
}

static void test_child_has_its_parents_command_line(void **state)
{
	struct model *model = synth_model("thread 10 10 sh cmdline='sh -c x'\n"
					  "0  cpu0 switch idle > 10\n"
					  "10 cpu0 fork 10 > 11 comm=sh\n");

	(void)state;
	assert_string_equal(check_thread(model, 11)->process->cmdline, "sh -c x");
	synth_model_free(model);
}

/* ---- what is kept ---- */

static void test_min_wait(void **state)
{
	static const char text[] = "meta min_wait_ns 30000\n"
				   "0   cpu0 switch idle > 10\n"
				   "50  cpu0 switch 10:S > 11\n"
				   "60  cpu0 switch 11:S > 10\n"
				   "70  cpu0 switch 10:S > 11\n"
				   "80  cpu0 switch 11:S > 10\n"
				   "80  cpu0 wait 10 pid=10 blocked=10\n"
				   "85  cpu0 switch 10:S > 12\n"
				   "115 cpu0 switch 12:X > 10\n";
	struct recording *recording = synth_recording(text);
	struct model_options options = {.min_wait_ns = UINT64_MAX};
	struct model *model;

	(void)state;
	assert_int_equal(model_new(&model, recording, &options), 0);
	assert_int_equal(model_min_wait_ns(model), 30000);
	/* of 10: the one with evidence and the one that is long enough; 11 sleeps at the end */
	assert_int_equal(model_wait_count(model), 3);
	check_wait(check_wait_of(model, 10, 0), 70, 80, 80);
	check_wait(check_wait_of(model, 10, 1), 85, 115, 115);
	check_wait(check_wait_of(model, 11, 0), 80, 115, 115);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(model_wait(model, i)->id, i);
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocked_and_woken),
		cmocka_unit_test(test_second_waking_is_ignored),
		cmocka_unit_test(test_early_waking),
		cmocka_unit_test(test_waking_that_is_not_early),
		cmocka_unit_test(test_migration),
		cmocka_unit_test(test_first_sight),
		cmocka_unit_test(test_seen_without_switches),
		cmocka_unit_test(test_open_at_the_end),
		cmocka_unit_test(test_life_of_a_thread),
		cmocka_unit_test(test_the_latest_name_counts),
		cmocka_unit_test(test_life_of_a_process),
		cmocka_unit_test(test_reused_tid),
		cmocka_unit_test(test_exec_by_another_thread),
		cmocka_unit_test(test_exec_event_first),
		cmocka_unit_test(test_unknown_process_is_learned),
		cmocka_unit_test(test_thread_event_of_a_birth_in_the_recording),
		cmocka_unit_test(test_two_births_before_the_start),
		cmocka_unit_test(test_tid_met_again),
		cmocka_unit_test(test_exit_without_a_last_switch),
		cmocka_unit_test(test_child_has_its_parents_command_line),
		cmocka_unit_test(test_min_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
