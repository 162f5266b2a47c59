/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model says beside times: stacks, objects, facts, and who passes a filter. */
#include "unit/unit.h"

#include <string.h>

#include "model/filter.h"
#include "model/model.h"
#include "support/synth.h"

/* The functions of a stack from the N-th on, with ";" between. */
static const char *folded(const struct stack *stack, uint32_t n)
{
	static char text[1024];

	text[0] = '\0';
	for (uint32_t i = n; i < stack->place_count; i++) {
		strcat(text, stack->places[i]->function);
		strcat(text, i + 1 < stack->place_count ? ";" : "");
	}
	return text;
}

static void test_stacks(void **state)
{
	struct model *model = synth_model("stack a kernel schedule do_nanosleep\n"
					  "stack b user libc.so.6!read main@main.c:12\n"
					  "stack c kernel schedule do_nanosleep\n"
					  "stack d user schedule do_nanosleep\n"
					  "0 cpu0 clock\n");
	const struct stack *a = model_stack(model, synth_id("a"));
	const struct stack *b = model_stack(model, synth_id("b"));

	(void)state;
	assert_string_equal(folded(a, 0), "schedule;do_nanosleep");
	assert_true(a->places[0]->is_kernel);
	assert_string_equal(a->places[0]->module, "kernel");
	assert_string_equal(folded(b, 0), "read;main");
	assert_string_equal(b->places[0]->module, "libc.so.6");
	assert_string_equal(b->places[0]->module_path, "/usr/bin/libc.so.6");
	assert_string_equal(b->places[1]->file, "main.c");
	assert_int_equal(b->places[1]->line, 12);
	assert_false(b->places[1]->is_kernel);
	/* the same frames are the same stack; the same names elsewhere are not */
	assert_ptr_equal(a, model_stack(model, synth_id("c")));
	assert_ptr_not_equal(a, model_stack(model, synth_id("d")));
	assert_int_equal(model_stack_count(model), 3);
	assert_ptr_equal(model_stack_at(model, b->index), b);
	assert_null(model_stack(model, 0));
	assert_null(model_stack(model, 12345));
	synth_model_free(model);
}

/* A user and a kernel stack are two even where their numbers are the same. */
static void test_sides_are_kept_apart(void **state)
{
	struct model *model = synth_model("event stack id=7 flags=0 frame_count=1 frames=0x42\n"
					  "event stack id=8 flags=1 frame_count=1 frames=0x42\n"
					  "0 cpu0 clock\n");

	(void)state;
	assert_ptr_not_equal(model_stack(model, 7), model_stack(model, 8));
	synth_model_free(model);
}

static void test_inlined_places(void **state)
{
	struct model *model = synth_model("stack a user leaf^middle^outer main\n"
					  "0 cpu0 clock\n");
	const struct stack *stack = model_stack(model, synth_id("a"));

	(void)state;
	assert_string_equal(folded(stack, 0), "leaf;middle;outer;main");
	assert_true(stack->places[0]->is_inlined);
	assert_true(stack->places[1]->is_inlined);
	assert_false(stack->places[2]->is_inlined);
	assert_int_equal(stack->frames[0], stack->frames[2]);
	assert_int_not_equal(stack->frames[2], stack->frames[3]);
	synth_model_free(model);
}

static void test_unnamed_places(void **state)
{
	struct model *model = synth_model("stack a user app+0x1234 unknown+0x7f00 lib.so+0x99\n"
					  "event frame frame=0x3000000000099 flags=2 text='|'\n"
					  "0 cpu0 clock\n");
	const struct stack *stack = model_stack(model, synth_id("a"));

	(void)state;
	assert_string_equal(folded(stack, 0), "app+0x1234;0x7f00;lib.so+0x99");
	assert_true(stack->places[0]->is_unnamed);
	assert_string_equal(stack->places[1]->module, "");
	synth_model_free(model);
}

/* A frame that is named again: what is known later counts. A stack that could not be unwound at
 * first. */
static void test_defined_again(void **state)
{
	struct model *model = synth_model("stack a user app+0x10\n"
					  "event frame frame=0x2000000000010 flags=2 text='|'\n"
					  "event frame frame=0x2000000000010 depth=0 text='f|f.c'\n"
					  "event stack id=77 flags=17\n"
					  "event stack id=77 flags=1 frame_count=1 "
					  "frames=0x2000000000010\n"
					  "event stack id=77 flags=1 frame_count=0\n"
					  "0 cpu0 clock\n");

	(void)state;
	assert_string_equal(folded(model_stack(model, synth_id("a")), 0), "f");
	assert_string_equal(folded(model_stack(model, 77), 0), "f");
	synth_model_free(model);
}

static void check_skip(const char *functions, const char *shown)
{
	struct synth *synth = synth_new();
	struct recording *recording;
	struct model *model;
	const struct stack *stack;

	synth_printf(synth, "stack a %s\n0 cpu0 clock\n", functions);
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
	stack = model_stack(model, synth_id("a"));
	assert_string_equal(folded(stack, model_stack_skip(stack)), shown);
	synth_model_free(model);
	synth_free(synth);
}

static void test_skip(void **state)
{
	(void)state;
	check_skip("kernel bpf_prog_1234 irq_work_run __sysvec_irq_work sysvec_irq_work "
		   "asm_sysvec_irq_work finish_task_switch.isra.0 __schedule schedule "
		   "futex_do_wait __futex_wait do_syscall_64",
		   "futex_do_wait;__futex_wait;do_syscall_64");
	check_skip("kernel __schedule schedule schedule_hrtimeout_range_clock ep_poll", "ep_poll");
	check_skip("kernel __schedule io_schedule folio_wait_bit_common", "folio_wait_bit_common");
	check_skip("kernel schedule_tail ret_from_fork", "schedule_tail;ret_from_fork");
	check_skip("kernel asm_sysvec_irq_work exit_to_user_mode_loop", "exit_to_user_mode_loop");
	check_skip("kernel pipe_read schedule_nothing", "pipe_read;schedule_nothing");
	check_skip("kernel __schedule schedule", "schedule");
	check_skip("user schedule main", "schedule;main");
}

/* Thread 10 is woken by 11, in whose kernel stack are FUNCTIONS: was it an interrupt? */
static void check_interrupt(const char *functions, bool want)
{
	struct synth *synth = synth_new();
	struct recording *recording;
	struct model *model;
	unsigned int seen = 0;

	synth_printf(synth,
		     "stack waker kernel try_to_wake_up %s\n"
		     "0   cpu0 switch idle > 10\n"
		     "50  cpu0 switch 10:S > 11\n"
		     "60  cpu0 waking 10 by 11\n"
		     "70  cpu0 switch 11:S > 10\n"
		     "70  cpu0 wait 10 pid=10 waker_kernel_stack=waker waker_tid=11\n",
		     functions);
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
	for (size_t i = 0; i < model_wait_count(model); i++) {
		if (!model_wait(model, i)->evidence)
			continue;
		assert_int_equal(model_wait(model, i)->waker_is_irq, want);
		seen++;
	}
	assert_int_equal(seen, 1);
	synth_model_free(model);
	synth_free(synth);
}

static void test_waker_in_interrupt(void **state)
{
	(void)state;
	check_interrupt("pipe_write do_syscall_64", false);
	check_interrupt(
		"hrtimer_wakeup sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt "
		"pipe_write do_syscall_64",
		true);
	check_interrupt("tcp_rcv_established handle_softirqs __irq_exit_rcu common_interrupt",
			true);
	check_interrupt("tcp_rcv_established handle_softirqs run_ksoftirqd kthread", true);
	check_interrupt("tcp_rcv_established __do_softirq", true);
	/* a packet over loopback: the sender woke the receiver */
	check_interrupt(
		"tcp_rcv_established handle_softirqs do_softirq.part.0 __local_bh_enable_ip "
		"__dev_queue_xmit tcp_sendmsg do_syscall_64",
		false);
}

static void check_object(const char *definition, const char *fields, const char *text)
{
	struct synth *synth = synth_new();
	struct recording *recording;
	struct model *model;
	char found[128];

	synth_printf(synth, "%s\n0 cpu0 wait 10 pid=10 %s\n", definition, fields);
	recording = synth_to_memory(synth);
	assert_int_equal(model_new(&model, recording, &(struct model_options){0}), 0);
	assert_string_equal(
		model_object_text(model, model_wait(model, 0)->evidence, found, sizeof(found)),
		text);
	assert_string_equal(model_object_text(model, model_wait(model, 0)->evidence, found, 4),
			    strncpy((char[4]){0}, text, 3));
	synth_model_free(model);
	synth_free(synth);
}

static void test_objects(void **state)
{
	(void)state;
	check_object("file f /var/lib/x", "object=f object_kind=1", "/var/lib/x");
	check_object("file f '' inode=1234 mode=0x1180", "object=f object_kind=1", "pipe:[1234]");
	check_object("file f '' inode=5 device=0x800001", "object=f object_kind=1",
		     "inode 5 on 8:1");
	check_object("socket s tcp 127.0.0.1:6379 10.0.0.2:51234", "object=s object_kind=2",
		     "tcp 127.0.0.1:6379 > 10.0.0.2:51234");
	check_object("socket s udp ::1:53 ::1:0", "object=s object_kind=2", "udp [::1]:53");
	check_object("socket s unix /run/x.sock", "object=s object_kind=2", "unix /run/x.sock");
	check_object("socket s unix ''", "object=s object_kind=2", "unix (unnamed)");
	check_object("", "futex_address=0x7f12 futex_owner_tid=12", "futex 0x7f12");
	check_object("", "lock_address=0xffff1234 lock_flags=32", "lock 0xffff1234 (mutex)");
	check_object("", "lock_address=0xff lock_flags=4 lock_owner_tid=3",
		     "lock 0xff (rwsem, write)");
	check_object("", "object=7 object_kind=1", "");
	check_object("", "descriptor=3", "");
}

static void test_facts(void **state)
{
	struct model *model = synth_model("meta host box\n"
					  "meta host better\n"
					  "meta empty ''\n"
					  "hook sched_switch every-switch status=1\n"
					  "0 cpu0 clock\n"
					  "5 cpu3 clock\n"
					  "9 cpu0 sample 10 pid=10 period=2ms\n");
	const char *name, *value;

	(void)state;
	assert_string_equal(model_meta(model, "host"), "better");
	assert_string_equal(model_meta(model, "empty"), "");
	assert_null(model_meta(model, "nothing"));
	assert_int_equal(model_meta_count(model), 2);
	model_meta_at(model, 0, &name, &value);
	assert_string_equal(name, "host");
	assert_int_equal(model_hook_count(model), 1);
	assert_string_equal(model_hook(model, 0)->text, "sched_switch");
	assert_int_equal(model_clock_count(model), 2);
	assert_int_equal(model_clock(model, 1)->monotonic_ns, SYNTH_US(5));
	assert_int_equal(model_start_ns(model), SYNTH_US(0));
	assert_int_equal(model_end_ns(model), SYNTH_US(9));
	assert_int_equal(model_sample_period_ns(model), 2000000);
	assert_int_equal(model_cpu_count(model), 4);
	synth_model_free(model);
}

static void test_syscall_names(void **state)
{
	(void)state;
	assert_string_equal(model_syscall_name(0), "read");
	assert_string_equal(model_syscall_name(202), "futex");
	assert_string_equal(model_syscall_name(441), "epoll_pwait2");
	assert_null(model_syscall_name(-1));
	assert_null(model_syscall_name(400));
	assert_null(model_syscall_name(100000));
}

static void test_filter(void **state)
{
	struct model *model = synth_model("thread 10 10 server\n"
					  "thread 11 10 worker-1\n"
					  "thread 12 12 other\n"
					  "0 cpu0 clock\n");
	const uint32_t pids[] = {10}, tids[] = {11, 12};
	const char *comms[] = {"work*", "oth?r"};
	/* which of idle, 10, 11, 12 pass */
	const struct {
		struct filter filter;
		const char *passes;
	} cases[] = {
		{{.to_ns = UINT64_MAX}, "1111"},
		{{.pids = pids, .pid_count = 1}, "0110"},
		{{.tids = tids, .tid_count = 2}, "0011"},
		{{.comms = comms, .comm_count = 2}, "0011"},
		{{.pids = pids, .pid_count = 1, .tids = tids, .tid_count = 2}, "0010"},
		{{.pids = pids, .pid_count = 1, .comms = comms + 1, .comm_count = 1}, "0000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t n = 0; n < 4; n++)
			assert_int_equal(
				filter_takes_thread(&cases[i].filter, model_thread(model, n)),
				cases[i].passes[n] == '1');
		assert_int_equal(filter_is_everything(&cases[i].filter), i == 0);
	}
	assert_false(filter_is_everything(&(struct filter){.from_ns = 1, .to_ns = UINT64_MAX}));
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_sides_are_kept_apart),
		cmocka_unit_test(test_inlined_places),
		cmocka_unit_test(test_unnamed_places),
		cmocka_unit_test(test_defined_again),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_waker_in_interrupt),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_syscall_names),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
