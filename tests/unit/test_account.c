/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time of a thread went: small scenes beside their account, and random machines. */
#include "unit/unit.h"

#include <stdio.h>

#include "analysis/account.h"
#include "base/memory.h"
#include "support/lossy.h"
#include "support/nonsense.h"
#include "support/scene.h"
#include "support/synth.h"

#define SEEDS              12
#define NONSENSE_SEEDS     60
#define NONSENSE_EVENTS    300
#define INTERVALS_A_THREAD 8

static void check(const char *text, uint32_t tid, uint64_t from_us, uint64_t to_us,
		  const char *want)
{
	struct scene scene = scene_open(text);

	scene_check_account(&scene, tid, from_us, to_us, want);
	scene_close(&scene);
}

static void test_lock(void **state)
{
	static const char text[] = "on cpu0 10 10 main\n"
				   "on cpu1 11 10 worker\n"
				   "1ms..4ms 10 lock by 11\n"
				   "10ms cpu0 switch 10:S > idle\n"
				   "10ms cpu1 switch 11:S > idle\n";

	(void)state;
	check(text, 10, 0, 10000, "cpu.user 7000 lock.futex 3000");
	/* intervals that cut pieces, lie inside one, are empty, or go beyond the recording */
	check(text, 10, 2000, 5000, "cpu.user 1000 lock.futex 2000");
	check(text, 10, 2000, 3000, "lock.futex 1000");
	check(text, 10, 2000, 2000, "");
	check(text, 10, 9000, 12000, "unknown 2000 cpu.user 1000");
	check(text, 11, 0, 10000, "cpu.user 10000");
}

/* Each of the kinds of waits that threads of the other tests do. */
static void test_kinds(void **state)
{
	(void)state;
	check("on cpu0 10 10 main\n"
	      "socket peer tcp 10.0.0.1:40000 10.0.0.2:80\n"
	      "socket here tcp 10.0.0.1:80 0.0.0.0:0\n"
	      "file log /var/log/x mode=0100644\n"
	      "1ms..2ms 10 condition by idle\n"
	      "3ms..5ms 10 sleep by idle\n"
	      "6ms..9ms 10 recv by idle object=peer\n"
	      "10ms..14ms 10 send by idle object=peer\n"
	      "15ms..20ms 10 connect by idle object=peer\n"
	      "21ms..27ms 10 accept by idle object=here\n"
	      "28ms..35ms 10 epoll by idle\n"
	      "36ms..44ms 10 pipe by idle\n"
	      "45ms..54ms 10 child by idle\n"
	      "55ms..65ms 10 disk by idle object=log\n"
	      "66ms..77ms 10 inode by idle\n"
	      "78ms cpu0 switch 10:S > idle\n",
	      10, 0, 78000,
	      "cpu.user 12000 lock.kernel 11000 wait.condition 1000 wait.ipc 8000 wait.child 9000 "
	      "wait.idle 13000 wait.sleep 2000 io.disk 10000 net.recv 3000 net.send 4000 "
	      "net.connect 5000");
}

/* ---- without evidence ---- */

/* Some calls have one meaning. */
static void test_short_waits_by_call(void **state)
{
	(void)state;
	check("meta min_wait_ns 100000000\n"
	      "on cpu0 10 10 main\n"
	      "1ms..2ms 10 short by idle prev_syscall=clock_nanosleep\n"
	      "3ms..5ms 10 short by idle prev_syscall=epoll_wait\n"
	      "6ms..9ms 10 short by idle prev_syscall=wait4\n"
	      "10ms..14ms 10 short by idle prev_syscall=read\n"
	      "15ms..20ms 10 short by idle prev_syscall=flock\n"
	      "21ms cpu0 switch 10:S > idle\n",
	      10, 0, 21000,
	      "unknown 4000 cpu.user 6000 lock.kernel 5000 wait.child 3000 wait.idle 2000 "
	      "wait.sleep 1000");
}

#define THREE_LOCKS                                                                                \
	"meta min_wait_ns 5000000\n"                                                               \
	"on cpu0 10 10 main\n"                                                                     \
	"on cpu1 11 10 worker\n"                                                                   \
	"10ms..20ms 10 lock by 11\n"                                                               \
	"30ms..40ms 10 lock by 11\n"                                                               \
	"50ms..60ms 10 lock by 11\n"

/* Others mean what they meant when there was evidence: nine in ten, of at least three. */
static void test_short_waits_by_habit(void **state)
{
	(void)state;
	check(THREE_LOCKS "70ms..71ms 10 short by 11 prev_syscall=futex\n"
			  "80ms cpu0 switch 10:S > idle\n",
	      10, 61000, 80000, "cpu.user 18000 lock.futex 1000");
	/* another call, another thread, another habit, too little of it */
	check(THREE_LOCKS "70ms..71ms 10 short by 11 prev_syscall=read\n"
			  "80ms cpu0 switch 10:S > idle\n",
	      10, 61000, 80000, "unknown 1000 cpu.user 18000");
	check(THREE_LOCKS "70ms..71ms 11 short by 10 prev_syscall=futex\n"
			  "80ms cpu1 switch 11:S > idle\n",
	      11, 61000, 80000, "unknown 1000 cpu.user 18000");
	check(THREE_LOCKS "70ms..75ms 10 condition by 11\n"
			  "76ms..77ms 10 short by 11 prev_syscall=futex\n"
			  "80ms cpu0 switch 10:S > idle\n",
	      10, 76000, 80000, "unknown 1000 cpu.user 3000");
	check("meta min_wait_ns 5000000\n"
	      "on cpu0 10 10 main\n"
	      "10ms..20ms 10 lock by idle\n"
	      "30ms..40ms 10 lock by idle\n"
	      "70ms..71ms 10 short by idle prev_syscall=futex\n"
	      "80ms cpu0 switch 10:S > idle\n",
	      10, 61000, 80000, "unknown 1000 cpu.user 18000");
}

/* Being put off a CPU is no habit of waiting, whichever call it was in. */
static void test_preemption_is_no_habit(void **state)
{
	struct buffer text = {.data = NULL};

	(void)state;
	buffer_printf(&text, "meta min_wait_ns 3000000\n"
			     "thread 10 10 main\n"
			     "thread 20 20 hog\n"
			     "0 cpu0 switch idle > 10\n");
	for (unsigned int at = 10; at < 50; at += 10)
		buffer_printf(&text,
			      "%ums cpu0 switch 10:R > 20\n"
			      "%ums cpu0 switch 20:R > 10\n"
			      "%ums cpu0 wait 10 pid=10 runnable=5ms\n",
			      at, at + 5, at + 5);
	buffer_printf(&text, "60ms cpu0 switch 10:S > idle\n"
			     "61ms cpu0 waking 10 by idle\n"
			     "61ms cpu0 switch idle > 10\n"
			     "70ms cpu0 switch 10:S > idle\n");
	check(text.data, 10, 50000, 70000, "unknown 1000 cpu.user 19000");
	buffer_release(&text);
}

/* What is only inferred is said to be. */
static void test_evidence_is_counted(void **state)
{
	struct scene scene = scene_open(THREE_LOCKS "70ms..71ms 10 short by 11 prev_syscall=futex\n"
						    "72ms..74ms 10 short by 11 prev_syscall=read\n"
						    "80ms cpu0 switch 10:S > idle\n");
	struct account account = {.on_cpu_ns = 0};
	const struct thread *thread = scene_thread(&scene, 10);

	(void)state;
	account_add(&account, scene.history, thread, SYNTH_US(0), SYNTH_US(80000));
	assert_int_equal(account.no_evidence_ns, 3000000 - 2);
	assert_int_equal(account.inferred_ns, 1000000 - 1);
	assert_int_equal(account.on_cpu_ns, 47000000);
	scene_close(&scene);
}

/* ---- run queues ---- */

#define QUEUE                                                                                      \
	"thread 10 10 main\n"                                                                      \
	"thread 20 20 hog\n"                                                                       \
	"0    cpu0 switch idle > 10\n"

static void test_run_queues(void **state)
{
	(void)state;
	/* put off its CPU by another, which then ends: the CPU is idle, and main still waits */
	check(QUEUE "1ms  cpu0 switch 10:R > 20\n"
		    "4ms  cpu0 switch 20:S > idle\n"
		    "6ms  cpu0 switch idle > 10\n"
		    "7ms  cpu0 switch 10:S > idle\n",
	      10, 0, 7000, "cpu.user 2000 runq.preempted 3000 runq.latency 2000");
	/* woken, with the CPU taken */
	check(QUEUE "1ms  cpu0 switch 10:S > 20\n"
		    "2ms  cpu0 waking 10 by 20\n"
		    "4ms  cpu0 switch 20:R > 10\n"
		    "5ms  cpu0 switch 10:S > 20\n"
		    "6ms  cpu0 switch 20:S > idle\n",
	      10, 2000, 5000, "cpu.user 1000 runq.woken 2000");
	/* the CPU's quota is spent: whoever runs meanwhile has nothing to do with it */
	check(QUEUE "1ms  cpu0 switch 10:R > 20 flags=2\n"
		    "2ms  cpu0 switch 20:S > idle\n"
		    "6ms  cpu0 switch idle > 10\n"
		    "7ms  cpu0 switch 10:S > idle\n",
	      10, 0, 7000, "cpu.user 2000 runq.throttled 5000");
}

/* ---- on the CPU ---- */

#define SAMPLED                                                                                    \
	"on cpu0 10 10 main\n"                                                                     \
	"stack burn user burn main\n"                                                              \
	"stack write kernel ext4_write vfs_write do_syscall_64\n"

static void test_samples(void **state)
{
	(void)state;
	check(SAMPLED "2ms  cpu0 sample 10 user_stack=burn\n"
		      "4ms  cpu0 sample 10 user_stack=burn\n"
		      "6ms  cpu0 sample 10 user_stack=burn\n"
		      "8ms  cpu0 sample 10 user_stack=burn kernel_stack=write flags=1\n"
		      "9ms  cpu0 sample 10 user_stack=burn\n"
		      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.user 8000 cpu.kernel 2000");
	/* few in the interval: the thread's others are asked too */
	check(SAMPLED "2ms  cpu0 sample 10 user_stack=burn kernel_stack=write flags=1\n"
		      "12ms cpu0 sample 10 user_stack=burn\n"
		      "14ms cpu0 sample 10 user_stack=burn\n"
		      "16ms cpu0 sample 10 user_stack=burn\n"
		      "20ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.user 6000 cpu.kernel 4000");
	/* none at all: nothing is claimed of a kernel thread but that it ran in the kernel */
	check("on cpu0 10 10 main\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.user 10000");
	check("thread 10 10 kworker flags=1\n"
	      "0    cpu0 switch idle > 10\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.kernel 10000");
}

static void test_interrupts(void **state)
{
	(void)state;
	/* 2 timer interrupts, 3 of NET_RX; 100 us hidden behind each hard one */
	check("meta irq_hidden_ns 100000\n"
	      "on cpu0 10 10 main\n"
	      "10ms cpu0 irq tid=10 from=0 hard_count=0,2 hard_ns=0,300000 soft_count=0,0,0,3 "
	      "soft_ns=0,0,0,500000\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.user 9000 cpu.irq 1000");
	/* half of the event's time, half of what it says */
	check("on cpu0 10 10 main\n"
	      "10ms cpu0 irq tid=10 from=0 hard_count=0,2 hard_ns=0,2000000\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 5000, 10000, "cpu.user 4000 cpu.irq 1000");
	/* never more than it ran, and another thread's are not its own */
	check("on cpu0 10 10 main\n"
	      "on cpu1 11 11 other\n"
	      "1ms..9ms 10 lock by 11\n"
	      "10ms cpu0 irq tid=10 from=0 hard_count=0,2 hard_ns=0,7000000\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.irq 2000 lock.futex 8000");
	check("on cpu0 10 10 main\n"
	      "on cpu1 11 11 other\n"
	      "10ms cpu1 irq tid=11 from=0 hard_count=0,2 hard_ns=0,7000000\n"
	      "10ms cpu0 switch 10:S > idle\n",
	      10, 0, 10000, "cpu.user 10000");
}

/* The recorder's own interrupts are part of them, and known. */
static void test_own_interrupts(void **state)
{
	struct scene scene = scene_open("meta irq_hidden_ns 1000\n"
					"on cpu0 10 10 main\n"
					"10ms cpu0 irq tid=10 from=0 hard_count=0,1,0,4 "
					"hard_ns=0,9000,0,6000\n"
					"10ms cpu0 switch 10:S > idle\n");
	struct account account = {.on_cpu_ns = 0};

	(void)state;
	account_add(&account, scene.history, scene_thread(&scene, 10), SYNTH_US(0),
		    SYNTH_US(10000));
	assert_int_equal(account.ns[CATEGORY_CPU_IRQ], 20000);
	assert_int_equal(account.own_irq_ns, 10000);
	scene_close(&scene);
}

static void test_lost_events(void **state)
{
	(void)state;
	check("on cpu0 10 10 main\n"
	      "on cpu1 11 10 worker\n"
	      "2ms..3ms 10 lock by 11\n"
	      "0 cpu0 loss 5ms..8ms events=10\n"
	      "9ms cpu0 switch 10:S > idle\n"
	      "12ms cpu0 waking 10 by idle\n"
	      "12ms cpu0 switch idle > 10\n"
	      "13ms cpu0 switch 10:S > idle\n",
	      10, 0, 9000, "unknown 4000 cpu.user 4000 lock.futex 1000");
}

/* Two threads' accounts in one. */
static void test_merge(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"on cpu1 11 10 worker\n"
					"1ms..4ms 10 lock by 11\n"
					"10ms cpu0 switch 10:S > idle\n"
					"10ms cpu1 switch 11:S > idle\n");
	struct account all = {.on_cpu_ns = 0};

	(void)state;
	for (uint32_t tid = 10; tid <= 11; tid++) {
		struct account one = {.on_cpu_ns = 0};

		account_add(&one, scene.history, scene_thread(&scene, tid), SYNTH_US(0),
			    SYNTH_US(10000));
		account_settle(&one, scene.history, scene_thread(&scene, tid));
		account_merge(&all, &one);
	}
	assert_int_equal(account_total_ns(&all), 20000000);
	assert_int_equal(all.ns[CATEGORY_CPU_USER], 17000000);
	assert_int_equal(all.ns[CATEGORY_LOCK_FUTEX], 3000000 - 1);
	assert_int_equal(all.on_cpu_ns, 17000000);
	scene_close(&scene);
}

/* ---- random machines ---- */

static uint64_t draw(uint64_t *random, uint64_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* The pieces of an interval: one behind the other from its beginning to its end. */
struct pieces {
	const struct scene *scene;
	const struct thread *thread;
	uint64_t from_ns, to_ns;
	uint64_t until_ns;
	uint64_t ns[PIECE_UNKNOWN + 1];
};

static void take_piece(void *context, const struct piece *piece)
{
	struct pieces *pieces = context;
	struct piece found = piece_at(pieces->scene->history, pieces->thread, pieces->from_ns,
				      pieces->to_ns, piece->from_ns + piece_ns(piece) / 2);

	/* found by a time in it, it is the same; what is unknown may be found in parts */
	assert_int_equal(found.kind, piece->kind);
	assert_true(found.from_ns >= piece->from_ns && found.to_ns <= piece->to_ns);
	assert_true(piece->kind == PIECE_UNKNOWN || piece_ns(&found) == piece_ns(piece));
	assert_ptr_equal(found.turn, piece->turn);
	assert_int_equal(piece->from_ns, pieces->until_ns);
	assert_true(piece->to_ns > piece->from_ns);
	assert_true(piece->turn || piece->kind == PIECE_UNKNOWN);
	pieces->until_ns = piece->to_ns;
	pieces->ns[piece->kind] += piece_ns(piece);
}

static void check_interval(const struct scene *scene, const struct thread *thread, uint64_t from_ns,
			   uint64_t to_ns)
{
	struct account account = {.on_cpu_ns = 0};
	struct pieces pieces = {.scene = scene,
				.thread = thread,
				.from_ns = from_ns,
				.to_ns = to_ns,
				.until_ns = from_ns};

	pieces_walk(scene->history, thread, from_ns, to_ns, take_piece, &pieces);
	assert_int_equal(pieces.until_ns, to_ns);
	account_add(&account, scene->history, thread, from_ns, to_ns);
	assert_int_equal(account_total_ns(&account), to_ns - from_ns);
	assert_int_equal(account.on_cpu_ns, pieces.ns[PIECE_RUN]);
	account_settle(&account, scene->history, thread);
	assert_int_equal(account.pending_ns, 0);
	assert_int_equal(account_total_ns(&account), to_ns - from_ns);
}

static void check_scene(struct scene *scene, uint64_t seed)
{
	uint64_t start_ns = model_start_ns(scene->model), end_ns = model_end_ns(scene->model);

	for (size_t i = 1; i < model_thread_count(scene->model); i++) {
		const struct thread *thread = model_thread(scene->model, i);

		check_interval(scene, thread, start_ns, end_ns);
		for (int n = 0; n < INTERVALS_A_THREAD; n++) {
			uint64_t from_ns = start_ns + draw(&seed, end_ns - start_ns);
			uint64_t to_ns = from_ns + draw(&seed, end_ns - from_ns + 1000);

			check_interval(scene, thread, from_ns, to_ns);
		}
	}
	scene_close(scene);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scene whole = scene_of(lossy_recording(seed, false, NULL, NULL));
		struct scene lossy = scene_of(lossy_recording(seed, true, NULL, NULL));

		check_scene(&whole, seed);
		check_scene(&lossy, seed);
	}
}

static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= NONSENSE_SEEDS; seed++) {
		struct scene scene = scene_of(nonsense_recording(seed, NONSENSE_EVENTS));

		check_scene(&scene, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_short_waits_by_call),
		cmocka_unit_test(test_short_waits_by_habit),
		cmocka_unit_test(test_preemption_is_no_habit),
		cmocka_unit_test(test_evidence_is_counted),
		cmocka_unit_test(test_run_queues),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_own_interrupts),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
