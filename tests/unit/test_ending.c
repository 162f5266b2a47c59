/* SPDX-License-Identifier: BSD-2-Clause */
/* How waits end: the way by the waker's stack, whose work it was, and which side of a connection
 * asked. */
#include "unit/unit.h"

#include "analysis/ending.h"
#include "analysis/peer.h"
#include "base/memory.h"
#include "support/scene.h"
#include "support/synth.h"

/* The names are those of Debian's 6.12 kernel, innermost first. */
static const struct {
	const char *stack;
	enum ending_way way;
} ways[] = {
	{"hrtimer_wakeup __hrtimer_run_queues hrtimer_interrupt", ENDING_TIME},
	{"process_timeout call_timer_fn __run_timers run_timer_softirq", ENDING_TIME},
	{"__wake_up_common timerfd_tmrproc __hrtimer_run_queues", ENDING_TIME},
	{"signal_wake_up_state complete_signal __send_signal_locked do_send_sig_info kill_pid_info",
	 ENDING_SIGNAL},
	{"__wake_up_parent do_notify_parent exit_notify do_exit do_group_exit", ENDING_CHILD},
	{"complete_with_flags complete_vfork_done mm_release exec_mmap", ENDING_CHILD},
	{"__wake_up_sync_key pipe_write vfs_write ksys_write", ENDING_UNIX},
	{"__wake_up_sync_key anon_pipe_write vfs_write ksys_write", ENDING_UNIX},
	{"ep_poll_callback sock_def_readable unix_stream_sendmsg __sys_sendto", ENDING_UNIX},
	{"ep_poll_callback eventfd_write vfs_write ksys_write", ENDING_UNIX},
	{"sock_def_readable tcp_data_queue tcp_rcv_established tcp_v4_rcv net_rx_action "
	 "handle_softirqs do_softirq __local_bh_enable_ip ip_finish_output2 tcp_sendmsg",
	 ENDING_LOCAL},
	{"sock_def_readable __udp_enqueue_schedule_skb udp_queue_rcv_one_skb __udp4_lib_rcv "
	 "handle_softirqs do_softirq __local_bh_enable_ip udp_sendmsg",
	 ENDING_LOCAL},
	{"sock_def_readable tcp_data_queue tcp_rcv_established tcp_v4_do_rcv __release_sock "
	 "release_sock tcp_recvmsg",
	 ENDING_LOCAL},
	{"futex_wake_mark futex_wake do_futex __x64_sys_futex", ENDING_OTHER},
};

static struct ending ending_in(const struct scene *scene, uint32_t tid, size_t turn)
{
	return ending_of(scene->history, scene_thread(scene, tid), scene_turn(scene, tid, turn));
}

static void test_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *text = xasprintf("on cpu0 10 10 main\n"
						      "on cpu1 20 20 other\n"
						      "stack waker kernel %s\n"
						      "1ms..9ms 10 epoll by 20 "
						      "waker_kernel_stack=waker\n"
						      "10ms cpu0 switch 10:S > idle\n",
						      ways[i].stack);
		struct scene scene = scene_open(text);
		struct ending ending = ending_in(&scene, 10, 1);

		if (ending.way != ways[i].way)
			print_error("%s\n", ways[i].stack);
		assert_int_equal(ending.way, ways[i].way);
		assert_int_equal(ending.waker != NULL, ways[i].way != ENDING_TIME);
		scene_close(&scene);
	}
}

/* A packet that an interrupt brings is not the work of the thread that it stopped. */
static void test_outside(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"on cpu1 20 20 other\n"
					"1ms..4ms 10 recv by 20 waker_kernel_stack=by-packet\n"
					"5ms..9ms 10 recv by idle\n"
					"10ms cpu0 switch 10:S > idle\n");

	(void)state;
	assert_int_equal(ending_in(&scene, 10, 1).way, ENDING_OUTSIDE);
	assert_null(ending_in(&scene, 10, 1).waker);
	/* no stack: an interrupt, of which nothing is known */
	assert_int_equal(ending_in(&scene, 10, 2).way, ENDING_UNKNOWN);
	assert_null(ending_in(&scene, 10, 2).waker);
	scene_close(&scene);
}

#define BY_TIMER " by idle waker_kernel_stack=by-timer\n"

/* The wait that brought the message counts, if the thread only looked at its timers before. */
static void test_past_time_limits(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"on cpu1 20 20 other\n"
					"1ms..3ms 10 epoll" BY_TIMER "3100us..5ms 10 epoll" BY_TIMER
					"5100us..7ms 10 epoll by 20 waker_kernel_stack=by-unix\n"
					"10ms cpu0 switch 10:S > idle\n");
	struct ending ending = ending_in(&scene, 10, 1);

	(void)state;
	assert_int_equal(ending.way, ENDING_UNIX);
	assert_int_equal(ending.waker->tid, 20);
	assert_ptr_equal(ending.turn, scene_turn(&scene, 10, 3));
	scene_close(&scene);
}

/* Where it does something else than to go on, the time limit was the end. */
static void test_not_past_time_limits(void **state)
{
	static const char *const others[] = {
		/* computed for a while, called something else, asked to sleep */
		"1ms..3ms 10 epoll" BY_TIMER "4100us..7ms 10 epoll by 20\n",
		"1ms..3ms 10 epoll" BY_TIMER "3100us..7ms 10 pipe by 20\n",
		"1ms..3ms 10 sleep" BY_TIMER "3100us..7ms 10 sleep by 20\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *text = xasprintf("on cpu0 10 10 main\n"
						      "on cpu1 20 20 other\n"
						      "%s10ms cpu0 switch 10:S > idle\n",
						      others[i]);
		struct scene scene = scene_open(text);
		struct ending ending = ending_in(&scene, 10, 1);

		assert_int_equal(ending.way, ENDING_TIME);
		assert_null(ending.waker);
		assert_ptr_equal(ending.turn, scene_turn(&scene, 10, 1));
		scene_close(&scene);
	}
}

/* ---- which side ---- */

#define SOCKETS                                                                                    \
	"socket client tcp 10.0.0.1:40000 10.0.0.2:80\n"                                           \
	"socket server tcp 10.0.0.2:80 10.0.0.1:40000\n"                                           \
	"socket high-a tcp 10.0.0.1:40000 10.0.0.2:50000\n"                                        \
	"socket high-b tcp 10.0.0.2:50000 10.0.0.1:40000\n"                                        \
	"socket one-of-many tcp 10.0.0.1:41000 10.0.0.2:51000\n"                                   \
	"socket of-many tcp 10.0.0.2:51000 10.0.0.1:41001\n"                                       \
	"socket low tcp 10.0.0.1:700 10.0.0.2:800\n"                                               \
	"socket listening tcp 10.0.0.2:50000 0.0.0.0:0\n"                                          \
	"socket bound unix /run/x.sock\n"                                                          \
	"socket unbound unix ''\n"

static const struct event_socket *socket_of(const struct scene *scene, const char *label)
{
	const struct event_socket *socket = model_socket(scene->model, synth_id(label));

	assert_non_null(socket);
	return socket;
}

static void test_roles(void **state)
{
	static const char *const text = SOCKETS "on cpu0 10 10 main\n"
						"10ms cpu0 switch 10:S > idle\n";
	struct scene scene = scene_open(text);

	(void)state;
	assert_int_equal(peer_role(scene.history, NULL), PEER_UNKNOWN);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "client")), PEER_CLIENT);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "server")), PEER_SERVER);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "low")), PEER_UNKNOWN);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "high-a")), PEER_UNKNOWN);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "one-of-many")), PEER_CLIENT);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "of-many")), PEER_SERVER);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "listening")), PEER_UNKNOWN);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "bound")), PEER_SERVER);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "unbound")), PEER_UNKNOWN);
	scene_close(&scene);
}

/* Ports that say nothing do where somebody was seen to accept. */
static void test_acceptor(void **state)
{
	struct scene scene = scene_open(SOCKETS "on cpu0 10 10 main\n"
						"1ms..3ms 10 accept by idle object=listening\n"
						"10ms cpu0 switch 10:S > idle\n");

	(void)state;
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "high-b")), PEER_SERVER);
	assert_int_equal(peer_role(scene.history, socket_of(&scene, "high-a")), PEER_CLIENT);
	assert_int_equal(peer_acceptor(scene.history, socket_of(&scene, "high-a"))->tid, 10);
	assert_null(peer_acceptor(scene.history, socket_of(&scene, "client")));
	assert_null(peer_acceptor(scene.history, NULL));
	scene_close(&scene);
}

static void test_mirror(void **state)
{
	struct scene scene = scene_open(SOCKETS "on cpu0 10 10 main\n");

	(void)state;
	assert_true(peer_is_mirror(socket_of(&scene, "client"), socket_of(&scene, "server")));
	assert_false(peer_is_mirror(socket_of(&scene, "client"), socket_of(&scene, "client")));
	assert_false(peer_is_mirror(socket_of(&scene, "client"), socket_of(&scene, "high-b")));
	assert_false(peer_is_mirror(socket_of(&scene, "unbound"), socket_of(&scene, "unbound")));
	assert_false(peer_is_mirror(NULL, socket_of(&scene, "server")));
	scene_close(&scene);
}

/* ---- idle, or waiting for an answer ---- */

static void check_category(const char *text, enum category want)
{
	_cleanup_free_ char *whole = xasprintf(SOCKETS "on cpu0 10 10 main\n"
						       "on cpu1 11 10 mate\n"
						       "on cpu2 20 20 other\n"
						       "%s50ms cpu0 switch 10:S > idle\n",
					       text);
	struct scene scene = scene_open(whole);
	const struct thread *thread = scene_thread(&scene, 10);
	size_t last = history_turn_count(scene.history, thread) - 2;
	enum category category =
		ending_category(scene.history, thread, scene_turn(&scene, 10, last));

	assert_string_equal(category_name(category), category_name(want));
	scene_close(&scene);
}

static void test_event_loops(void **state)
{
	(void)state;
	/* by the socket through which it came */
	check_category("1ms..9ms 10 epoll by 20 waker_kernel_stack=by-tcp waker_socket=client\n",
		       CATEGORY_WAIT_IDLE);
	check_category("1ms..9ms 10 epoll by 20 waker_kernel_stack=by-tcp waker_socket=server\n",
		       CATEGORY_NET_RECV);
	check_category("1ms..9ms 10 epoll by 20 waker_kernel_stack=by-unix waker_socket=bound\n",
		       CATEGORY_WAIT_IPC);
	/* its own thread gives it work; nobody is known; a signal from another */
	check_category("1ms..9ms 10 epoll by 11 waker_kernel_stack=by-pipe\n", CATEGORY_WAIT_IDLE);
	check_category("1ms..9ms 10 epoll by idle\n", CATEGORY_WAIT_IDLE);
	check_category("1ms..9ms 10 epoll by 20 waker_kernel_stack=by-signal\n", CATEGORY_WAIT_IPC);
	/* one descriptor is one peer */
	check_category("1ms..9ms 10 poll by 20 waker_kernel_stack=by-tcp\n", CATEGORY_NET_RECV);
	check_category("1ms..9ms 10 poll by idle waker_kernel_stack=by-packet\n",
		       CATEGORY_NET_RECV);
	check_category("1ms..9ms 10 poll by idle waker_kernel_stack=by-timer\n",
		       CATEGORY_WAIT_IDLE);
	/* many are a loop */
	check_category("1ms..9ms 10 poll by 20 args=0x1000,7 waker_kernel_stack=by-tcp\n",
		       CATEGORY_WAIT_IDLE);
}

/* Where sockets do not say it: whom it wakes before it waits, from him it expects an answer. */
static void test_asks(void **state)
{
	(void)state;
	check_category("1ms..9ms 10 epoll by 20 waker_kernel_stack=by-pipe\n", CATEGORY_WAIT_IDLE);
	/* 20 sleeps until 10 writes to it, and answers */
	check_category("0..1ms 20 pipe by 10 waker_kernel_stack=by-pipe\n"
		       "1100us..9ms 10 epoll by 20 waker_kernel_stack=by-pipe\n",
		       CATEGORY_WAIT_IPC);
	/* it has not asked that one */
	check_category("0..1ms 11 pipe by 10 waker_kernel_stack=by-pipe\n"
		       "1100us..9ms 10 epoll by 20 waker_kernel_stack=by-pipe\n",
		       CATEGORY_WAIT_IDLE);
	/* it asks rarely: most of what comes is not an answer */
	check_category("0..1ms 20 pipe by 10 waker_kernel_stack=by-pipe\n"
		       "2ms..4ms 10 epoll by 20 waker_kernel_stack=by-pipe\n"
		       "5ms..6ms 10 short by idle\n6.1ms..6.2ms 10 short by idle\n"
		       "6.3ms..6.4ms 10 short by idle\n6.5ms..6.6ms 10 short by idle\n"
		       "6.7ms..6.8ms 10 short by idle\n6.9ms..7ms 10 short by idle\n"
		       "7.1ms..7.2ms 10 short by idle\n7.3ms..7.4ms 10 short by idle\n"
		       "7.5ms..7.6ms 10 short by idle\n7.7ms..7.8ms 10 short by idle\n"
		       "7.9ms..8ms 10 short by idle\n8.1ms..8.2ms 10 short by idle\n"
		       "10ms..12ms 10 epoll by 20 waker_kernel_stack=by-pipe\n"
		       "13ms..14ms 10 epoll by 20 waker_kernel_stack=by-pipe\n"
		       "15ms..16ms 10 epoll by 20 waker_kernel_stack=by-pipe\n"
		       "17ms..18ms 10 epoll by 20 waker_kernel_stack=by-pipe\n",
		       CATEGORY_WAIT_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_past_time_limits),
		cmocka_unit_test(test_not_past_time_limits),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_acceptor),
		cmocka_unit_test(test_mirror),
		cmocka_unit_test(test_event_loops),
		cmocka_unit_test(test_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
