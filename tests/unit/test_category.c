/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Categories: the corpus of tests/fixtures/waits.txt, what needs no stack, samples, and names for
 * readers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/category.h"
#include "base/memory.h"
#include "support/synth.h"
#include "unit/unit.h"

#define CORPUS    "tests/fixtures/waits.txt"
#define FIRST_TID 1000
#define SLOT_US   1000

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(category_name(CATEGORY_UNKNOWN), "unknown");
	assert_string_equal(category_name(CATEGORY_LOCK_FUTEX), "lock.futex");
	assert_string_equal(category_name(CATEGORY_STOP), "stop");
	for (int i = 0; i < CATEGORY_COUNT; i++)
		assert_true(category_name(i) && *category_says(i));
}

/* ---- the corpus ---- */

struct expected {
	unsigned int line;
	char category[24];
	char lock[48];
};

struct corpus {
	struct synth *synth;
	struct expected *rows;
	size_t count, capacity;
};

/* LIST ("a,b" or "a;b") as the words of a stack, the innermost function first. */
static void add_stack(struct synth *synth, const char *label, const char *space, char *list,
		      bool outermost_first)
{
	struct buffer text = {0};
	char *functions[128];
	size_t count = 0;

	for (char *next = strtok(list, ",;"); next; next = strtok(NULL, ",;"))
		functions[count++] = next;
	buffer_printf(&text, "stack %s %s", label, space);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&text, " %s", functions[outermost_first ? count - 1 - i : i]);
	buffer_printf(&text, "\n");
	synth_text(synth, text.data);
	buffer_release(&text);
}

/* A detail of a line becomes fields of the wait; or of the thread, or is expected. */
static void add_detail(struct corpus *corpus, struct expected *row, char *word,
		       struct buffer *fields, const char **state, bool *is_kernel)
{
	char *value = strchr(word, '='), label[32];

	snprintf(label, sizeof(label), "%.8s%zu", word, corpus->count);
	if (value)
		*value++ = '\0';
	if (!strcmp(word, "kernel")) {
		*is_kernel = true;
	} else if (!strcmp(word, "state")) {
		*state = value;
	} else if (!strcmp(word, "lock")) {
		snprintf(row->lock, sizeof(row->lock), "%s", value);
		for (char *blank = row->lock; (blank = strchr(blank, '_')) &&
					      strcmp(row->lock, "mmap_lock") &&
					      strcmp(row->lock, "io_uring");)
			*blank = ' ';
	} else if (!strcmp(word, "args")) {
		buffer_printf(fields, " args=%s", value);
	} else if (!strcmp(word, "object")) {
		bool is_file = !strcmp(value, "pipe") || !strcmp(value, "file");

		buffer_printf(fields, " object=%s object_kind=%d", value, is_file ? 1 : 2);
	} else {
		bool is_user = !strcmp(word, "user");

		label[strcspn(label, "=")] = '-';
		add_stack(corpus->synth, label, is_user ? "user" : "kernel", value, false);
		buffer_printf(fields, " %s=%s", is_user ? "user_stack" : "waker_kernel_stack",
			      label);
	}
}

/* One thread, which waits once: 300 us blocked. */
static void add_wait(struct corpus *corpus, unsigned int tid, const char *state, bool is_kernel,
		     const char *syscall, const char *fields)
{
	uint64_t us = (uint64_t)(tid - FIRST_TID) * SLOT_US;

	synth_printf(corpus->synth, "thread %u %u x flags=%d\n", tid, tid, is_kernel);
	synth_printf(corpus->synth, "%lu cpu0 switch idle > %u\n", us, tid);
	synth_printf(corpus->synth, "%lu cpu0 switch %u:%s > idle\n", us + 100, tid, state);
	synth_printf(corpus->synth, "%lu cpu0 waking %u by idle\n", us + 400, tid);
	synth_printf(corpus->synth, "%lu cpu0 switch idle > %u\n", us + 410, tid);
	synth_printf(corpus->synth,
		     "%lu cpu0 wait %u pid=%u blocked=300 runnable=10 prev_state=%s descriptor=-1 "
		     "flags=%d syscall=%s%s\n",
		     us + 410, tid, tid, state, is_kernel ? EVENT_WAIT_KERNEL_THREAD : 0, syscall,
		     fields);
	synth_printf(corpus->synth, "%lu cpu0 switch %u:X > idle\n", us + 500, tid);
}

static void add_line(struct corpus *corpus, char *line, unsigned int number)
{
	char *words[16] = {NULL}, *rest = NULL, label[32];
	struct buffer fields = {0};
	struct expected *row;
	const char *state = "S";
	bool is_kernel = false;
	size_t count = 0;

	for (char *word = strtok_r(line, " ", &rest); word && count < ARRAY_SIZE(words);
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	assert_true(count >= 4);
	array_reserve((void **)&corpus->rows, &corpus->capacity, corpus->count + 1,
		      sizeof(*corpus->rows));
	row = &corpus->rows[corpus->count];
	*row = (struct expected){.line = number};
	snprintf(row->category, sizeof(row->category), "%s", words[1]);
	for (size_t i = 3; i < count - 1; i++)
		add_detail(corpus, row, words[i], &fields, &state, &is_kernel);
	if (strcmp(words[count - 1], "-") != 0) {
		snprintf(label, sizeof(label), "wait%zu", corpus->count);
		add_stack(corpus->synth, label, "kernel", words[count - 1], true);
		buffer_printf(&fields, " kernel_stack=%s", label);
	}
	add_wait(corpus, FIRST_TID + (unsigned int)corpus->count, state, is_kernel,
		 strcmp(words[2], "-") ? words[2] : "-1", fields.size ? fields.data : "");
	corpus->count++;
	buffer_release(&fields);
}

static struct corpus read_corpus(void)
{
	struct corpus corpus = {.synth = synth_new()};
	FILE *file = fopen(CORPUS, "r");
	unsigned int number = 0;
	size_t size = 0;
	char *line = NULL;

	assert_non_null(file);
	synth_text(corpus.synth, "file pipe /x mode=0010600\nfile file /y mode=0100600\n"
				 "socket unix unix @x\nsocket tcp tcp 10.0.0.1:80 10.0.0.2:50\n");
	while (getline(&line, &size, file) > 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			add_line(&corpus, line, number);
	}
	free(line);
	fclose(file);
	return corpus;
}

static struct model *model_of(struct recording *recording)
{
	struct model_options options = {.min_wait_ns = 0};
	struct model *model;

	assert_int_equal(model_new(&model, recording, &options), 0);
	return model;
}

static const struct wait *only_wait_of(const struct model *model, uint32_t tid)
{
	const struct wait *found = NULL;

	for (size_t i = 0; i < model_wait_count(model); i++) {
		const struct wait *wait = model_wait(model, i);

		if (wait->thread->tid == tid && wait_blocked_ns(wait) == 300000)
			found = wait;
	}
	assert_non_null(found);
	return found;
}

static unsigned int check_row(struct model *model, const struct expected *row, uint32_t tid)
{
	const struct wait *wait = only_wait_of(model, tid);
	const char *category = category_name(category_of_wait(model, wait));
	const char *lock = category_lock_name(model, wait);

	if (!strcmp(category, row->category) && !strcmp(lock ? lock : "", row->lock))
		return 0;
	print_error("%s:%u: category %s, lock %s; expected %s, %s\n", CORPUS, row->line, category,
		    lock ? lock : "-", row->category, *row->lock ? row->lock : "-");
	return 1;
}

static void test_corpus(void **state)
{
	struct corpus corpus = read_corpus();
	struct recording *recording = synth_to_memory(corpus.synth);
	struct model *model = model_of(recording);
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < corpus.count; i++)
		wrong += check_row(model, &corpus.rows[i], FIRST_TID + (uint32_t)i);
	assert_true(corpus.count > 120);
	assert_int_equal(wrong, 0);
	model_free(model);
	recording_close(recording);
	synth_free(corpus.synth);
	free(corpus.rows);
}

/* ---- what needs no stack ---- */

static void check_category(struct model *model, uint32_t tid, unsigned int n, const char *want)
{
	for (size_t i = 0; i < model_wait_count(model); i++) {
		const struct wait *wait = model_wait(model, i);

		if (wait->thread->tid == tid && n-- == 0) {
			assert_string_equal(category_name(category_of_wait(model, wait)), want);
			return;
		}
	}
	assert_null("no such wait");
}

static void test_run_queue(void **state)
{
	struct model *model = synth_model("thread 10 10 a\nthread 11 11 b\n"
					  "0   cpu0 switch idle > 10\n"
					  "100 cpu0 switch 10 > 11\n"
					  "200 cpu0 switch 11 > 10 flags=2\n"
					  "300 cpu0 switch 10:S > 11\n"
					  "310 cpu0 waking 10 by 11\n"
					  "350 cpu0 fork 11 > 12 pid=12 comm=new\n"
					  "360 cpu0 waking 12 by 11 flags=1\n"
					  "400 cpu0 switch 11:S > 10\n"
					  "500 cpu0 switch 10:S > 12\n"
					  "600 cpu0 switch 12:S > idle\n");

	(void)state;
	check_category(model, 10, 0, "runq.preempted");
	check_category(model, 11, 0, "runq.throttled");
	check_category(model, 10, 1, "runq.woken");
	check_category(model, 12, 0, "runq.woken");
	synth_model_free(model);
}

/* No evidence: only what the state says. */
static void test_state_alone(void **state)
{
	struct model *model = synth_model("thread 10 10 a\nthread 11 11 k flags=1\n"
					  "0   cpu0 switch idle > 10\n"
					  "100 cpu0 switch 10:S > 11\n"
					  "200 cpu0 switch 11:0x402 > idle\n"
					  "300 cpu0 waking 10 by idle\n"
					  "301 cpu0 switch idle > 10\n"
					  "400 cpu0 switch 10:T > idle\n"
					  "500 cpu0 waking 11 by idle\n"
					  "501 cpu0 switch idle > 11\n"
					  "600 cpu0 switch 11:S > idle\n"
					  "700 cpu0 waking 10 by idle\n"
					  "701 cpu0 switch idle > 10\n"
					  "800 cpu0 waking 11 by idle\n"
					  "801 cpu1 switch idle > 11\n"
					  "900 cpu0 switch 10:S > idle\n");

	(void)state;
	check_category(model, 10, 0, "unknown");
	check_category(model, 11, 0, "wait.idle");
	check_category(model, 10, 1, "stop");
	check_category(model, 11, 1, "unknown");
	synth_model_free(model);
}

/* ---- samples ---- */

static void test_samples(void **state)
{
	static const char *const wanted[] = {
		"cpu.user", "cpu.kernel",  "cpu.kernel", "mem.fault",  "mem.reclaim",
		"mem.swap", "mem.compact", "cpu.irq",    "cpu.kernel", "cpu.kernel",
	};
	struct model *model = synth_model(
		"thread 10 10 a\nthread 11 11 ksoftirqd/0 flags=1\n"
		"stack call kernel vfs_read ksys_read do_syscall_64\n"
		"stack fault kernel clear_page_erms handle_mm_fault exc_page_fault "
		"asm_exc_page_fault\n"
		"stack reclaim kernel shrink_folio_list shrink_node try_to_free_pages "
		"__alloc_pages_slowpath handle_mm_fault exc_page_fault asm_exc_page_fault\n"
		"stack swap kernel lz4_decompress do_swap_page handle_mm_fault\n"
		"stack compact kernel isolate_migratepages_block compact_zone "
		"try_to_compact_pages __alloc_pages_slowpath handle_mm_fault\n"
		"stack softirq kernel net_rx_action handle_softirqs __irq_exit_rcu "
		"sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt "
		"handle_mm_fault asm_exc_page_fault\n"
		"stack own kernel net_rx_action handle_softirqs __local_bh_enable_ip "
		"ip_finish_output2 tcp_sendmsg do_syscall_64\n"
		"stack thread kernel net_rx_action handle_softirqs run_ksoftirqd "
		"smpboot_thread_fn kthread\n"
		"0   cpu0 switch idle > 10\n"
		"100 cpu0 sample 10 pid=10 syscall=-1\n"
		"110 cpu0 sample 10 pid=10 syscall=read flags=1\n"
		"120 cpu0 sample 10 pid=10 syscall=read flags=1 kernel_stack=call\n"
		"130 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=fault\n"
		"140 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=reclaim\n"
		"150 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=swap\n"
		"160 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=compact\n"
		"170 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=softirq\n"
		"180 cpu0 sample 10 pid=10 syscall=-1 flags=1 kernel_stack=own\n"
		"190 cpu0 switch 10:S > 11\n"
		"200 cpu0 sample 11 pid=11 syscall=-1 flags=3 kernel_stack=thread\n"
		"210 cpu0 switch 11:S > idle\n");

	(void)state;
	assert_int_equal(model_sample_count(model), ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_string_equal(
			category_name(category_of_sample(model, model_sample(model, i))),
			wanted[i]);
	synth_model_free(model);
}

/* ---- places ---- */

static const char *user_function(struct model *model, const char *label)
{
	const struct place *place = category_user_place(model, synth_id(label));

	return place ? place->function : "";
}

static const char *kernel_function(struct model *model, const char *label)
{
	const struct place *place = category_kernel_place(model, synth_id(label));

	return place ? place->function : "";
}

static void test_places(void **state)
{
	struct model *model = synth_model(
		"stack lock user libc.so.6!__lll_lock_wait libc.so.6!pthread_mutex_lock work main\n"
		"stack static user clock_nanosleep retry main __libc_start_main\n"
		"stack rust user std::sys::sync::mutex::futex::Mutex::lock_contended store main\n"
		"stack go user runtime.futex runtime.notesleep main.work\n"
		"stack library user libc.so.6!read libssl.so.3!BIO_read app!fetch\n"
		"stack stripped user libc.so.6!read app+0x12 app+0x34\n"
		"stack partly user libc.so.6!read libfoo.so+0x12 libfoo.so!foo_read app!fetch\n"
		"stack only user libc.so.6+0x12 libc.so.6!clone3\n"
		"stack nothing user libc.so.6+0x12\n"
		"stack mutex kernel schedule __mutex_lock.constprop.0 rtnl_lock dev_ioctl "
		"do_syscall_64\n"
		"stack page kernel io_schedule folio_wait_bit_common filemap_read vfs_read "
		"do_syscall_64\n"
		"stack page_fault kernel schedule rwsem_down_read_slowpath down_read_killable "
		"lock_mm_and_find_vma exc_page_fault asm_exc_page_fault\n"
		"stack bare kernel schedule do_syscall_64\n"
		"0 cpu0 switch idle > 10\n");

	(void)state;
	assert_string_equal(user_function(model, "lock"), "work");
	assert_string_equal(user_function(model, "static"), "retry");
	assert_string_equal(user_function(model, "rust"), "store");
	assert_string_equal(user_function(model, "go"), "main.work");
	assert_string_equal(user_function(model, "library"), "BIO_read");
	assert_string_equal(user_function(model, "stripped"), "app+0x12");
	assert_string_equal(user_function(model, "partly"), "foo_read");
	assert_string_equal(user_function(model, "only"), "clone3");
	assert_string_equal(user_function(model, "nothing"), "libc.so.6+0x12");
	assert_string_equal(user_function(model, "missing"), "");
	assert_string_equal(kernel_function(model, "mutex"), "rtnl_lock");
	assert_string_equal(kernel_function(model, "page"), "filemap_read");
	assert_string_equal(kernel_function(model, "page_fault"), "lock_mm_and_find_vma");
	assert_string_equal(kernel_function(model, "bare"), "do_syscall_64");
	assert_string_equal(kernel_function(model, "missing"), "");
	synth_model_free(model);
}

/* A damaged recording: one asks what the other table says of the same function. */
static void test_exchanged_stacks(void **state)
{
	struct model *model =
		synth_model("thread 10 10 x\n"
			    "stack sleeping kernel schedule do_nanosleep do_syscall_64\n"
			    "stack locking user pthread_mutex_lock main\n"
			    "0   cpu0 switch idle > 10\n"
			    "100 cpu0 switch 10:S > idle\n"
			    "400 cpu0 waking 10 by idle\n"
			    "400 cpu0 switch idle > 10\n"
			    "400 cpu0 wait 10 pid=10 blocked=300 prev_state=S syscall=futex "
			    "kernel_stack=locking user_stack=sleeping\n"
			    "500 cpu0 switch 10:S > idle\n"
			    "800 cpu0 waking 10 by idle\n"
			    "800 cpu0 switch idle > 10\n"
			    "800 cpu0 wait 10 pid=10 blocked=300 prev_state=S syscall=read "
			    "kernel_stack=sleeping user_stack=locking\n"
			    "900 cpu0 switch 10:S > idle\n");

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(category_of_block(model, model_wait(model, 0)),
				 CATEGORY_WAIT_CONDITION);
		assert_int_equal(category_of_block(model, model_wait(model, 1)),
				 CATEGORY_WAIT_SLEEP);
	}
	assert_string_equal(category_user_place(model, synth_id("locking"))->function, "main");
	synth_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_run_queue),
		cmocka_unit_test(test_state_alone),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_exchanged_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
