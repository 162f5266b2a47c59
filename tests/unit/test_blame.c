/* SPDX-License-Identifier: BSD-2-Clause */
/* From the time of a thread to who caused it: scenes beside their causes (see scene.h). */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "analysis/account.h"
#include "base/memory.h"
#include "support/lossy.h"
#include "support/nonsense.h"
#include "support/scene.h"
#include "support/synth.h"

#define SEEDS          6
#define NONSENSE_SEEDS 40

/* Three threads of a process, one of another, each with its CPU; what they compute has a name. */
#define CAST                                                                                       \
	"on cpu0 10 10 main\n"                                                                     \
	"on cpu1 11 10 worker\n"                                                                   \
	"on cpu2 12 10 helper\n"                                                                   \
	"on cpu3 20 20 other\n"                                                                    \
	"stack burn user burn main\n"                                                              \
	"stack pause user libc.so.6!nanosleep retry main\n"                                        \
	"stack write kernel ext4_write vfs_write do_syscall_64\n"                                  \
	"file log /var/log/x mode=0100644\n"                                                       \
	"socket to-server tcp 10.0.0.1:40000 10.0.0.2:80\n"                                        \
	"socket to-client tcp 10.0.0.2:80 10.0.0.1:40000\n"

#define END                                                                                        \
	"20ms cpu0 switch 10:S > idle\n"                                                           \
	"20ms cpu1 switch 11:S > idle\n"                                                           \
	"20ms cpu2 switch 12:S > idle\n"                                                           \
	"20ms cpu3 switch 20:S > idle\n"

static void check(const char *text, const char *want)
{
	struct scene scene = scene_open(text);

	scene_check_blame(&scene, 10, 0, 10000, false, want);
	scene_close(&scene);
}

/* ---- locks ---- */

static void test_busy_holder(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "4ms cpu1 sample 11 user_stack=burn\n",
	      "8000 lock.futex 10 held by 11 = cpu.user worker in burn\n");
	/* without a sample, the stack with which it gave the lock back */
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11 waker_user_stack=burn\n",
	      "8000 lock.futex 10 held by 11 = cpu.user worker in burn\n");
	/* in the kernel, as most of its samples say */
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "3ms cpu1 sample 11 user_stack=burn kernel_stack=write flags=1\n"
		       "4ms cpu1 sample 11 user_stack=burn kernel_stack=write flags=1\n"
		       "5ms cpu1 sample 11 user_stack=burn\n",
	      "8000 lock.futex 10 held by 11 = cpu.kernel worker in burn\n");
	/* who held it is to be asked, not who gave it back for him */
	check(CAST END "1ms..9ms 10 lock by 12 futex_owner_tid=11\n",
	      "8000 lock.futex 10 held by 11 = cpu.user worker\n");
	/* nobody is known to have held it: who woke it */
	check(CAST END "1ms..9ms 10 lock by 12\n",
	      "8000 lock.futex 10 held by 12 = cpu.user helper\n");
}

static void test_sleeping_holder(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "500us..8ms 11 sleep by idle timeout=7ms user_stack=pause\n",
	      "7000 lock.futex 10 held by 11 = wait.sleep worker in retry (asked for 7.00 ms)\n"
	      "1000 lock.futex 10 held by 11 = cpu.user worker\n");
}

static void test_preempted_holder(void **state)
{
	(void)state;
	check(CAST "thread 30 30 hog\n" END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		   "2ms cpu1 switch 11:R > 30 next_prio=49\n"
		   "4ms cpu1 sample 30 user_stack=burn\n"
		   "7ms cpu1 switch 30:S > 11\n",
	      "5000 lock.futex 10 held by 11 behind = cpu.user hog in burn (real-time priority "
	      "50)\n"
	      "3000 lock.futex 10 held by 11 = cpu.user worker\n");
}

static void test_kernel_lock(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 inode by 11\n"
		       "0..8ms 11 disk by idle object=log\n",
	      "7000 lock.kernel 10 held by 11 = io.disk worker in filemap_read (/var/log/x)\n"
	      "1000 lock.kernel 10 held by 11 = cpu.user worker\n");
}

/* The one in front stands in the same queue: who held the lock last is to blame, not that one. */
static void test_convoy(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "1ms..5ms 11 lock by 12 futex_owner_tid=12\n",
	      "4000 lock.futex 10 held by 12 = cpu.user helper\n"
	      "4000 lock.futex 10 held by 11 = cpu.user worker\n");
	/* of two locks, both count */
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "1ms..5ms 11 lock by 12 futex_owner_tid=12 futex_address=0x3000\n",
	      "4000 lock.futex 10 held by 11 held by 12 = cpu.user helper\n"
	      "4000 lock.futex 10 held by 11 = cpu.user worker\n");
	/* threads of a pool are one to the reader */
	check("on cpu0 10 10 main\n"
	      "on cpu1 11 10 worker-1\n"
	      "on cpu2 12 10 worker-2\n"
	      "1ms..4ms 10 lock by 11 futex_owner_tid=11\n"
	      "5ms..9ms 10 lock by 12 futex_owner_tid=12\n"
	      "10ms cpu0 switch 10:S > idle\n"
	      "10ms cpu1 switch 11:S > idle\n"
	      "10ms cpu2 switch 12:S > idle\n",
	      "7000 lock.futex 10 held by 12 = cpu.user worker-2 and 1 more\n");
}

static void test_chain_of_three(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "500us..8ms 11 condition by 12\n"
		       "0..7.5ms 12 pipe by 20 waker_kernel_stack=by-pipe\n"
		       "3ms cpu3 sample 20 user_stack=burn\n",
	      "6500 lock.futex 10 held by 11 woken by 12 woken by 20 = cpu.user other in burn\n"
	      "1000 lock.futex 10 held by 11 = cpu.user worker\n"
	      "500 lock.futex 10 held by 11 woken by 12 = cpu.user helper\n");
}

/* ---- chains that do not end ---- */

static void test_deadlock(void **state)
{
	(void)state;
	/* both are killed */
	check(CAST END "1ms..9ms 10 lock by 20 futex_owner_tid=11 waker_kernel_stack=by-signal\n"
		       "1ms..9ms 11 lock by 20 futex_owner_tid=10 waker_kernel_stack=by-signal "
		       "futex_address=0x3000\n",
	      "8000 lock.futex 10 held by 11 = lock.futex worker in main (futex 0x3000), "
	      "deadlock\n");
	/* both give up after a while */
	check(CAST END "1ms..9ms 10 lock by idle futex_owner_tid=11 waker_kernel_stack=by-timer\n"
		       "1ms..9ms 11 lock by idle futex_owner_tid=10 waker_kernel_stack=by-timer "
		       "futex_address=0x3000\n",
	      "8000 lock.futex 10 held by 11 = lock.futex worker in main (futex 0x3000), "
	      "deadlock\n");
	/* of three */
	check(CAST END "1ms..9ms 10 lock by 20 futex_owner_tid=11 waker_kernel_stack=by-signal\n"
		       "1ms..9ms 11 lock by 20 futex_owner_tid=12 waker_kernel_stack=by-signal "
		       "futex_address=0x3000\n"
		       "1ms..9ms 12 lock by 20 futex_owner_tid=10 waker_kernel_stack=by-signal "
		       "futex_address=0x5000\n",
	      "8000 lock.futex 10 held by 11 held by 12 = lock.futex helper in main (futex 0x5000), "
	      "deadlock\n");
}

/* A lock that its owner gave back in the end was none. */
static void test_cycle(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		       "2ms..8ms 11 lock by 12 futex_owner_tid=10 futex_address=0x3000\n",
	      "6000 lock.futex 10 held by 11 = lock.futex worker in main (futex 0x3000), cycle\n"
	      "2000 lock.futex 10 held by 11 = cpu.user worker\n");
	/* nor is one without locks */
	check(CAST END "1ms..9ms 10 condition by 11\n"
		       "2ms..8ms 11 lock by idle futex_owner_tid=10 waker_kernel_stack=by-timer\n",
	      "6000 wait.condition 10 woken by 11 = lock.futex worker in main (futex 0x1000), "
	      "cycle\n"
	      "2000 wait.condition 10 woken by 11 = cpu.user worker\n");
}

/* What hangs when the recording ends. */
static void test_open_waits(void **state)
{
	(void)state;
	check(CAST "1ms.. 10 lock futex_owner_tid=11\n"
		   "2ms.. 11 lock futex_owner_tid=10 futex_address=0x3000\n"
		   "10ms cpu2 switch 12:S > idle\n",
	      "8000 lock.futex 10 held by 11 = lock.futex worker in main (futex 0x3000), "
	      "deadlock\n"
	      "1000 lock.futex 10 held by 11 = cpu.user worker\n");
	check(CAST "1ms.. 10 lock futex_owner_tid=11\n"
		   "0.. 11 sleep user_stack=pause\n"
		   "10ms cpu2 switch 12:S > idle\n",
	      "9000 lock.futex 10 held by 11 = wait.sleep worker in retry\n");
	/* without evidence: by the call, or as the thread's others in it were */
	check("meta min_wait_ns 50000\n" CAST "100us..300us 10 lock by 11\n"
	      "400us..600us 10 lock by 11\n"
	      "700us..900us 10 lock by 11\n"
	      "1ms.. 10 short prev_syscall=futex\n"
	      "10ms cpu1 switch 11:S > idle\n",
	      "9000 lock.futex 10 = lock.futex, no waker\n"
	      "600 lock.futex 10 held by 11 = cpu.user worker\n");
	check(CAST "1ms.. 10 short\n"
		   "10ms cpu1 switch 11:S > idle\n",
	      "9000 unknown 10 = unknown main, no evidence\n");
}

/* Each of 20 threads waits for a lock of the next. */
static void test_long_chain(void **state)
{
	struct buffer text = {.data = NULL}, want = {.data = NULL};

	(void)state;
	for (unsigned int i = 0; i < 21; i++)
		buffer_printf(&text, "on cpu%u %u 10 link\n", i, 10 + i);
	for (unsigned int i = 0; i < 20; i++)
		buffer_printf(&text,
			      "1ms..9ms %u lock by %u futex_owner_tid=%u futex_address=0x10%02u\n",
			      10 + i, 11 + i, 11 + i, i);
	buffer_printf(&text, "10ms cpu0 switch 10:S > idle\n");
	buffer_printf(&want, "8000 lock.futex 10");
	for (unsigned int i = 1; i < BLAME_HOPS_MAX; i++)
		buffer_printf(&want, " held by %u", 10 + i);
	buffer_printf(&want, " = lock.futex link in main (futex 0x1015), too long\n");
	check(text.data, want.data);
	buffer_release(&text);
	buffer_release(&want);
}

/* ---- other threads' work ---- */

static void test_condition(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 condition by 11\n"
		       "2ms..8ms 11 recv by idle object=to-server waker_kernel_stack=by-packet\n"
		       "1500us cpu1 sample 11 user_stack=burn\n",
	      "6000 wait.condition 10 woken by 11 = net.recv in tcp_recvmsg_locked "
	      "(tcp 10.0.0.1:40000 > 10.0.0.2:80)\n"
	      "2000 wait.condition 10 woken by 11 = cpu.user worker in burn\n");
}

/* What is short is followed as well. */
static void test_small_pieces(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 condition by 11\n"
		       "2ms..2020us 11 lock by 12 futex_owner_tid=12\n"
		       "3ms..3100us 11 lock by 12 futex_owner_tid=12\n",
	      "7880 wait.condition 10 woken by 11 = cpu.user worker\n"
	      "120 wait.condition 10 woken by 11 held by 12 = cpu.user helper\n");
}

/* An interrupt that happens to hit a thread is not that thread's doing. */
static void test_interrupts_are_nobody(void **state)
{
	(void)state;
	check(CAST END "1ms..9ms 10 pipe by 11 flags=8\n",
	      "8000 wait.ipc 10 = wait.ipc main in pipe_read\n");
	check(CAST END "1ms..9ms 10 recv by idle object=to-server waker_kernel_stack=by-packet\n",
	      "8000 net.recv 10 = net.recv in tcp_recvmsg_locked "
	      "(tcp 10.0.0.1:40000 > 10.0.0.2:80)\n");
}

/* ---- sleep, time limits ---- */

static void test_sleep(void **state)
{
	(void)state;
	check(CAST END "1ms..3ms 10 sleep by idle timeout=2ms user_stack=pause\n"
		       "4ms..8ms 10 sleep by idle timeout=1ms user_stack=pause\n",
	      "6000 wait.sleep 10 = wait.sleep main in retry (asked for 1.00 ms, slept 4.00 ms)\n");
}

/* A loop that looks at its timers every 2 ms waits for who ends the last wait. */
static void test_past_time_limits(void **state)
{
	(void)state;
	check(CAST END "1ms..3ms 10 poll by idle waker_kernel_stack=by-timer\n"
		       "3010us..5ms 10 poll by idle waker_kernel_stack=by-timer\n"
		       "5010us..7ms 10 poll by 20 waker_kernel_stack=by-unix\n"
		       "4ms cpu3 sample 20 user_stack=burn\n",
	      "5980 wait.ipc 10 woken by 20 = cpu.user other in burn\n");
	/* it did more than look at its timers: then that was the end of it */
	check(CAST END "1ms..3ms 10 condition by idle waker_kernel_stack=by-timer\n"
		       "5ms..7ms 10 condition by 11\n",
	      "2000 wait.condition 10 = wait.condition main in main (futex 0x2000)\n"
	      "2000 wait.condition 10 woken by 11 = cpu.user worker\n");
}

/* ---- servers and clients ---- */

#define REQUEST "waker_kernel_stack=by-tcp waker_socket=to-server"
#define ANSWER  "waker_kernel_stack=by-tcp waker_socket=to-client"

static void test_server_and_client(void **state)
{
	(void)state;
	/* a server between two requests, whatever its client did meanwhile */
	check(CAST END "1ms..9ms 10 epoll by 20 " REQUEST "\n"
		       "2ms..8ms 20 sleep by idle user_stack=pause\n",
	      "8000 wait.idle 10 = wait.idle main in ep_poll\n");
	/* a client in its event loop, and the answer */
	check(CAST END "1ms..9ms 10 epoll by 20 " ANSWER "\n"
		       "2ms..8ms 20 sleep by idle user_stack=pause\n",
	      "6000 net.recv 10 woken by 20 = wait.sleep other in retry\n"
	      "2000 net.recv 10 woken by 20 = cpu.user other\n");
	/* the same in recv */
	check(CAST END "1ms..9ms 10 recv by 20 object=to-server " ANSWER "\n"
		       "3ms cpu3 sample 20 user_stack=burn\n",
	      "8000 net.recv 10 woken by 20 = cpu.user other in burn\n");
}

static void test_at_rest(void **state)
{
	struct scene scene =
		scene_open(CAST END "1ms..9ms 10 recv by 20 object=to-client " REQUEST "\n");
	struct blame *blame = blame_new(scene.history, false);

	(void)state;
	blame_add(blame, scene_thread(&scene, 10), SYNTH_US(0), SYNTH_US(10000));
	blame_finish(blame);
	assert_true(blame_cause(blame, 0)->is_at_rest);
	blame_free(blame);
	scene_close(&scene);

	scene = scene_open(CAST END "1ms..9ms 10 recv by 20 object=to-server " ANSWER "\n");
	blame = blame_new(scene.history, false);
	blame_add(blame, scene_thread(&scene, 10), SYNTH_US(0), SYNTH_US(10000));
	blame_finish(blame);
	assert_false(blame_cause(blame, 0)->is_at_rest);
	blame_free(blame);
	scene_close(&scene);
}

/* Inside of a span a thread has something to do: what looks idle is followed. */
static void test_idle_counts(void **state)
{
	struct scene scene = scene_open(CAST END "1ms..9ms 10 epoll by 11\n");

	(void)state;
	scene_check_blame(&scene, 10, 0, 10000, false,
			  "8000 wait.idle 10 = wait.idle main in ep_poll\n");
	scene_check_blame(&scene, 10, 0, 10000, true,
			  "8000 wait.idle 10 woken by 11 = cpu.user worker\n");
	scene_close(&scene);
}

static void test_network(void **state)
{
	(void)state;
	/* sent again twice, and once on another connection */
	check(CAST END "1ms..9ms 10 recv by idle object=to-server waker_kernel_stack=by-packet\n"
		       "2ms cpu0 retransmit local_port=40000 remote_port=80\n"
		       "3ms cpu0 retransmit local_port=80 remote_port=40000\n"
		       "4ms cpu0 retransmit local_port=50000 remote_port=80\n"
		       "9ms cpu0 tcp_state tid=10 srtt_us=65300 min_rtt_us=25300 state=1\n",
	      "8000 net.recv 10 = net.recv in tcp_recvmsg_locked (tcp 10.0.0.1:40000 > "
	      "10.0.0.2:80, 2 retransmissions, round trip 25 ms)\n");
	check(CAST END "1ms..9ms 10 send by idle object=to-server waker_kernel_stack=by-packet\n"
		       "9ms cpu0 tcp_state tid=10 state=1 unsent_bytes=9000 unacked_bytes=500 "
		       "send_window_bytes=500\n",
	      "8000 net.send 10 = net.send in sk_stream_wait_memory (tcp 10.0.0.1:40000 > 10.0.0.2:80, its "
	      "peer takes no data (window full))\n");
	/* the one that should accept is asked what it does */
	check(CAST "socket listening tcp 10.0.0.2:80 0.0.0.0:0\n" END
		   "100us..200us 20 accept by idle object=listening\n"
		   "1ms..9ms 10 connect by idle object=to-server waker_kernel_stack=by-packet\n"
		   "5ms cpu3 sample 20 user_stack=burn\n",
	      "8000 net.connect 10 woken by 20 = cpu.user other in burn\n");
}

/* Both ends wait for data from each other, 40 ms long: Nagle. */
static void test_held_back(void **state)
{
	struct scene scene = scene_open(CAST "1ms..42ms 10 recv by 20 object=to-server " ANSWER "\n"
					     "500us..41ms 20 recv by idle object=to-client\n"
					     "45ms cpu0 switch 10:S > idle\n"
					     "45ms cpu3 switch 20:S > idle\n");

	(void)state;
	scene_check_blame(&scene, 10, 0, 45000, false,
			  "40000 net.recv 10 woken by 20 = net.recv main in tcp_recvmsg_locked "
			  "(tcp 10.0.0.1:40000 > 10.0.0.2:80, its own data is held back: Nagle and "
			  "delayed acknowledgement)\n"
			  "1000 net.recv 10 woken by 20 = cpu.user other\n");
	scene_close(&scene);
}

/* ---- run queues, quotas ---- */

static void test_run_queue(void **state)
{
	(void)state;
	check(CAST "thread 30 30 hog\n"
		   "thread 31 31 small\n" END "1ms cpu0 switch 10:R > 30\n"
		   "3ms cpu0 sample 30 user_stack=burn\n"
		   "5ms cpu0 switch 30:R > 31\n"
		   "6ms cpu0 switch 31:S > idle\n"
		   "9ms cpu0 switch idle > 10\n",
	      "4000 runq.preempted 10 behind = cpu.user hog in burn\n"
	      "3000 runq.latency 10 = runq.latency (CPU 0, idle)\n"
	      "1000 runq.preempted 10 behind = cpu.user small\n");
	check(CAST "0 cpu0 event cgroup id=7 pid=10 tid=10 quota_us=20000 period_us=100000 "
		   "text=/batch|/batch\n"
		   "thread 30 30 hog\n" END "1ms cpu0 switch 10:R > 30 flags=2\n"
		   "9ms cpu0 switch 30:S > 10\n",
	      "8000 runq.throttled 10 = runq.throttled main (cgroup /batch, quota 20.0 ms of CPU in "
	      "each 100 ms)\n");
}

/* ---- disks, memory, stops ---- */

static void test_disk(void **state)
{
	(void)state;
	/* its own request was the one that took long */
	check(CAST END "1ms..9ms 10 disk by idle object=log\n"
		       "8900us cpu0 disk queued=1ms issued=2ms tid=10 device=0x800001 depth=1\n",
	      "8000 io.disk 10 = io.disk in filemap_read (/var/log/x on disk 8:1, read)\n");
	/* it stood behind another's */
	check(CAST END
	      "1ms..9ms 10 disk by idle object=log\n"
	      "8000us cpu0 disk queued=0 issued=1ms tid=20 device=0x800001 depth=1\n"
	      "8500us cpu0 disk queued=0 issued=1ms tid=20 device=0x800001 depth=2\n"
	      "8900us cpu0 disk queued=1ms issued=8.5ms tid=10 device=0x800001 depth=9 flags=32\n",
	      "8000 io.disk 10 = io.disk other in filemap_read (/var/log/x on disk 8:1, read, 9 "
	      "requests in its queue, throttled by its cgroup)\n");
}

static void test_stop(void **state)
{
	(void)state;
	check(CAST END "1ms cpu0 switch 10:T > idle\n"
		       "8999999ns cpu3 waking 10 by 20\n"
		       "9ms cpu0 switch idle > 10\n",
	      "8000 stop 10 = stop other\n");
}

/* ---- what was not seen ---- */

static void test_lost_events(void **state)
{
	(void)state;
	check(CAST "1ms..9ms 10 lock by 11 futex_owner_tid=11\n"
		   "0 cpu1 loss 4ms..6ms events=10\n"
		   "8ms cpu1 switch 11:S > idle\n"
		   "8.5ms cpu1 waking 11 by idle\n"
		   "8.5ms cpu1 switch idle > 11\n"
		   "10ms cpu0 switch 10:S > idle\n"
		   "10ms cpu1 switch 11:S > idle\n",
	      "4000 lock.futex 10 held by = unknown worker, not seen\n"
	      "3500 lock.futex 10 held by 11 = cpu.user worker\n"
	      "500 lock.futex 10 held by 11 = unknown worker, no evidence\n");
	/* the target itself */
	check(CAST "0 cpu0 loss 2ms..6ms events=10\n"
		   "8ms cpu0 switch 10:S > idle\n"
		   "9ms cpu0 waking 10 by idle\n"
		   "9ms cpu0 switch idle > 10\n"
		   "10ms cpu0 switch 10:S > idle\n",
	      "6000 unknown = unknown, not seen\n"
	      "1000 unknown 10 = unknown main, no evidence\n");
}

/* A wait of the target that was never known to be for anything. */
static void test_no_evidence(void **state)
{
	(void)state;
	check("meta min_wait_ns 1000000000\n" CAST END "1ms..9ms 10 short by idle\n",
	      "8000 unknown 10 = unknown main, no evidence\n");
}

/* ---- what the target did itself ---- */

static void test_own_time(void **state)
{
	(void)state;
	check(CAST END
	      "meta irq_hidden_ns 100000\n"
	      "2ms cpu0 sample 10 user_stack=burn\n"
	      "4ms cpu0 sample 10 user_stack=burn kernel_stack=write flags=1 syscall=write\n"
	      "9ms cpu0 irq tid=10 from=0 soft_count=0,0,0,1 soft_ns=0,0,0,700000 "
	      "hard_count=1 hard_ns=200000\n",
	      "10000 cpu.user = cpu.user main in burn\n"
	      "10000 cpu.kernel = cpu.kernel main in burn (write in ext4_write)\n"
	      "1000 cpu.irq = cpu.irq (NET_RX softirq and device interrupts)\n");
}

/* ---- random machines ---- */

/* All that a thread did not do on a CPU is somebody's fault, once. */
static void check_sums(const struct scene *scene, const struct thread *thread, bool is_exact)
{
	uint64_t from_ns = thread->start_ns, to_ns = thread->end_ns, blamed_ns = 0;
	struct blame *blame = blame_new(scene->history, true);
	struct account account = {.on_cpu_ns = 0};

	blame_add(blame, thread, from_ns, to_ns);
	blame_finish(blame);
	for (size_t i = 0; i < blame_cause_count(blame); i++) {
		const struct blame_cause *cause = blame_cause(blame, i);

		assert_true(cause->hop_count <= BLAME_HOPS_MAX);
		assert_true(i == 0 || cause->ns <= blame_cause(blame, i - 1)->ns);
		if (cause->hop_count || cause->category == CATEGORY_UNKNOWN)
			blamed_ns += cause->ns;
	}
	account_add(&account, scene->history, thread, from_ns, to_ns);
	if (is_exact)
		assert_int_equal(blamed_ns, to_ns - from_ns - account.on_cpu_ns);
	blame_free(blame);
}

static void check_scene(struct scene *scene, bool is_exact)
{
	for (size_t i = 1; i < model_thread_count(scene->model); i++)
		check_sums(scene, model_thread(scene->model, i), is_exact);
	scene_close(scene);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scene whole = scene_of(lossy_recording(seed, false, NULL, NULL));
		struct scene lossy = scene_of(lossy_recording(seed, true, NULL, NULL));

		check_scene(&whole, true);
		check_scene(&lossy, true);
	}
}

/* Runs of one CPU may lie over each other there. */
static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= NONSENSE_SEEDS; seed++) {
		struct scene scene = scene_of(nonsense_recording(seed, 300));

		check_scene(&scene, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_holder),
		cmocka_unit_test(test_sleeping_holder),
		cmocka_unit_test(test_preempted_holder),
		cmocka_unit_test(test_kernel_lock),
		cmocka_unit_test(test_convoy),
		cmocka_unit_test(test_chain_of_three),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_cycle),
		cmocka_unit_test(test_open_waits),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_condition),
		cmocka_unit_test(test_small_pieces),
		cmocka_unit_test(test_interrupts_are_nobody),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_past_time_limits),
		cmocka_unit_test(test_server_and_client),
		cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_idle_counts),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_held_back),
		cmocka_unit_test(test_run_queue),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_no_evidence),
		cmocka_unit_test(test_own_time),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
