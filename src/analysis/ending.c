/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ending.h"

#include <stdlib.h>

#include <linux/futex.h>
#include <string.h>

#include "analysis/category_table.h"
#include "analysis/category_words.h"
#include "analysis/peer.h"
#include "base/memory.h"
#include "base/units.h"

/* Between a wait that timed out and its continuation a thread does no more than look at its timers.
 */
#define CONTINUATION_RUN_NS (NS_PER_MS)
#define CONTINUATIONS_MAX   32

/* Runs before a wait in which the request may have been sent. */
#define REQUEST_RUNS 12
/* A thread that had asked in this part of its waits for somebody asks always: nobody needs to be
 * woken who is awake. */
#define ASKS_OFTEN   4

/* So many waits are looked at to know a thread's habit. */
#define ASKS_LOOKS_MAX 200
/* Tells these from the other habits that are kept in the same map (account.c). */
#define HABIT_ASKS     (UINT64_C(1) << 63)
#define INSIDE         (UINT64_C(1) << 31)
#define HABIT_PARTNER  (UINT64_C(1) << 61)
#define HABIT_WAY      (UINT64_C(1) << 60)
#define HABIT_GOES_ON  (UINT64_C(1) << 59)

/* ---- the way ---- */

/* The innermost row that is on the stack decides. */
static const struct {
	const char *functions;
	enum ending_way way;
} way_rows[] = {
	{"hrtimer_wakeup process_timeout posix_timer_fn it_real_fn timerfd_tmrproc alarm_handle_timer "
	 "posixtimer_send_sigqueue call_timer_fn",
	 ENDING_TIME},
	{"do_notify_parent* complete_vfork_done mm_release exec_mm_release", ENDING_CHILD},
	{"__send_signal_locked __send_signal send_signal_locked send_signal send_sigqueue "
	 "signal_wake_up* complete_signal do_send_sig_info",
	 ENDING_SIGNAL},
	{"zap_other_threads zap_process", ENDING_EXIT},
	{"unix_stream_* unix_dgram_* unix_write_space unix_release* pipe_write anon_pipe_write "
	 "pipe_read anon_pipe_read fifo_pipe_write fifo_pipe_read pipe_release eventfd_write eventfd_signal* "
	 "do_tee splice_pipe*",
	 ENDING_UNIX},
	{"tcp_v4_rcv tcp_v6_rcv udp_rcv udpv6_rcv __udp4_lib_rcv __udp6_lib_rcv tcp_rcv_* "
	 "tcp_data_queue udp_queue_rcv* __netif_receive_skb* ip_rcv ipv6_rcv",
	 ENDING_OUTSIDE},
};

/* Further out than a packet's arrival: who sent it, on this machine, in the same breath. */
static bool is_local_sender(const char *function)
{
	return function_is_one_of(
		function, "tcp_sendmsg* udp_sendmsg* udpv6_sendmsg tcp_recvmsg* tcp_close* "
			  "__tcp_close tcp_shutdown inet_shutdown tcp_v4_connect tcp_v6_connect "
			  "inet_stream_connect __inet_stream_connect tcp_splice* do_exit "
			  "tcp_release_cb release_sock inet_csk_accept* raw_sendmsg icmp_send "
			  "sctp_sendmsg tcp_setsockopt do_tcp_setsockopt");
}

static enum ending_way way_of_function(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(way_rows); i++) {
		if (function_is_one_of(function, way_rows[i].functions))
			return way_rows[i].way;
	}
	return ENDING_UNKNOWN;
}

static enum ending_way way_of_stack(const struct stack *stack)
{
	enum ending_way way = ENDING_UNKNOWN;

	for (uint32_t i = 0; i < stack->place_count; i++) {
		const char *function = stack->places[i]->function;

		if (way == ENDING_UNKNOWN)
			way = way_of_function(function);
		else if (way == ENDING_OUTSIDE && is_local_sender(function))
			return ENDING_LOCAL;
		else if (way == ENDING_SIGNAL && way_of_function(function) == ENDING_EXIT)
			return ENDING_EXIT;
	}
	return way;
}

static enum ending_way way_of_wait(const struct history *history, const struct wait *wait)
{
	const struct stack *stack =
		wait && wait->evidence
			? model_stack(history_model(history), wait->evidence->waker_kernel_stack)
			: NULL;

	struct map64 *habits = history_habits(history);
	uint64_t *known;

	if (!stack)
		return ENDING_UNKNOWN;
	known = map64_get(habits, HABIT_WAY | stack->index);
	if (!known)
		known = map64_put(habits, HABIT_WAY | stack->index, way_of_stack(stack));
	return (enum ending_way) * known;
}

static enum ending_way way_of_turn(const struct history *history, const struct turn *turn)
{
	enum ending_way way = way_of_wait(history, history_wait(history, turn));

	if (way != ENDING_UNKNOWN)
		return way;
	return turn->flags & TURN_WAKER_IRQ ? ENDING_UNKNOWN : ENDING_OTHER;
}

static bool is_named(int syscall, const char *words)
{
	const char *name = syscall >= 0 ? model_syscall_name(syscall) : NULL;

	return name && function_is_one_of(name, words);
}

static bool has_author(enum ending_way way)
{
	return way == ENDING_SIGNAL || way == ENDING_LOCAL || way == ENDING_UNIX ||
	       way == ENDING_CHILD || way == ENDING_OTHER;
}

/* A futex that only threads of one process can see: another's thread cannot have woken it, an
 * interrupt on its CPU did. */
static bool is_of_others(const struct history *history, const struct turn *turn,
			 const struct thread *waker)
{
	const struct wait *wait = history_wait(history, turn);

	return wait && wait->evidence && is_named(wait->evidence->syscall, "futex") &&
	       wait->evidence->args[1] & FUTEX_PRIVATE_FLAG &&
	       waker->process != wait->thread->process;
}

static struct ending look(const struct history *history, const struct turn *turn)
{
	struct ending ending = {.way = way_of_turn(history, turn), .turn = turn};
	const struct thread *waker = history_waker(history, turn);

	if (waker && is_of_others(history, turn, waker))
		ending.way = ENDING_TIME;
	else if (waker && waker->tid && waker->index != turn->thread && has_author(ending.way) &&
		 !(turn->flags & TURN_WAKER_IRQ))
		ending.waker = waker;
	return ending;
}

/* ---- past time limits ---- */

static int syscall_of(const struct history *history, const struct turn *turn)
{
	const struct wait *wait = history_wait(history, turn);

	return wait && wait->evidence ? wait->evidence->syscall : turn->prev_syscall;
}

/* Calls that a program repeats when their time is over. */
static bool may_go_on(const struct history *history, int syscall)
{
	struct map64 *habits = history_habits(history);
	uint64_t key = HABIT_GOES_ON | (uint16_t)syscall, *known = map64_get(habits, key);

	if (!known)
		known = map64_put(habits, key,
				  is_named(syscall,
					   "epoll_wait epoll_pwait epoll_pwait2 poll ppoll select "
					   "pselect6 futex recvfrom recvmsg read accept accept4 "
					   "rt_sigtimedwait io_getevents io_uring_enter"));
	return *known;
}

/* A call that waits for one descriptor. */
static bool waits_for_one(const struct wait *wait)
{
	return wait && wait->evidence && is_named(wait->evidence->syscall, "poll ppoll") &&
	       wait->evidence->args[1] == 1;
}

/* It had asked the one that woke it: in the last runs before the wait it had woken it itself. */
static bool had_asked(const struct history *history, const struct thread *thread,
		      const struct turn *turn, const struct thread *waker)
{
	size_t at = history_turn_after(history, thread, turn->start_ns);
	size_t first = at > REQUEST_RUNS ? at - REQUEST_RUNS : 0;

	if (first >= history_turn_count(history, thread))
		return false;
	return history_woken_by(history, thread, waker,
				history_turn(history, thread, first)->from_ns, turn->start_ns);
}

/* ---- questions without an answer ---- */

/* The thread of another process that answers THREAD: it was asked by it, and woke it. */
static const struct thread *find_partner(const struct history *history, const struct thread *thread)
{
	size_t count = history_turn_count(history, thread);

	for (size_t i = 0, looks = 0; i < count && looks < ASKS_LOOKS_MAX; i++) {
		const struct turn *turn = history_turn(history, thread, i);
		const struct ending ending = look(history, turn);

		if (!ending.waker || ending.waker->process == thread->process ||
		    ending.waker->is_kernel)
			continue;
		looks++;
		if (had_asked(history, thread, turn, ending.waker))
			return ending.waker;
	}
	return NULL;
}

static const struct thread *partner_of(const struct history *history, const struct thread *thread)
{
	struct map64 *habits = history_habits(history);
	uint64_t key = HABIT_PARTNER | thread->index, *known = map64_get(habits, key);
	const struct thread *partner;

	if (!known) {
		partner = find_partner(history, thread);
		known = map64_put(habits, key, partner ? partner->index : MODEL_NONE);
	}
	return *known == MODEL_NONE ? NULL : model_thread(history_model(history), *known);
}

/* When THREAD waited again after TURN, however often it was put off its CPU before. */
static uint64_t next_wait_ns(const struct history *history, const struct thread *thread,
			     const struct turn *turn)
{
	size_t count = history_turn_count(history, thread);
	size_t at = history_turn_after(history, thread, turn->to_ns);

	while (at < count && !history_turn(history, thread, at)->prev_state)
		at++;
	return at < count ? history_turn(history, thread, at)->start_ns : thread->end_ns;
}

/*
 * The wait of ENDING came to its time limit. If THREAD then asked its partner, and that one had had
 * nothing to do since half time, it was asked again and had not answered: says so in ENDING.
 */
static bool note_silence(struct ending *ending, const struct history *history,
			 const struct thread *thread)
{
	const struct turn *turn = ending->turn, *asked;
	uint64_t half_ns = turn->start_ns + (turn->wake_ns - turn->start_ns) / 2;
	const struct thread *partner;

	if (ending->way != ENDING_TIME ||
	    !(waits_for_one(history_wait(history, turn)) ||
	      is_named(syscall_of(history, turn), "recvfrom recvmsg")))
		return false;
	partner = partner_of(history, thread);
	asked = partner ? history_woken_by(history, thread, partner, turn->wake_ns,
					   next_wait_ns(history, thread, turn))
			: NULL;
	if (!asked || asked->start_ns > half_ns)
		return false;
	ending->unanswered_by = model_thread(history_model(history), asked->thread);
	ending->asked_way = look(history, asked).way;
	return true;
}

/* THREAD sent CLIENT something as a server does: what CLIENT wants next is another thing. */
static bool has_answered(const struct history *history, const struct thread *thread,
			 const struct thread *client, uint64_t from_ns, uint64_t to_ns)
{
	const struct turn *woken = history_woken_by(history, thread, client, from_ns, to_ns);

	return woken && peer_role(history, peer_sender(history, history_wait(history, woken))) ==
				PEER_SERVER;
}

struct ending ending_of(const struct history *history, const struct thread *thread,
			const struct turn *turn)
{
	struct ending ending = look(history, turn), next;
	int syscall = syscall_of(history, turn);
	uint64_t ran_ns;
	size_t count;

	if (ending.waker || !may_go_on(history, syscall) ||
	    (ending.way != ENDING_TIME && !(turn->flags & TURN_WAKER_IRQ)))
		return ending;
	if (note_silence(&ending, history, thread))
		return ending;
	count = history_turn_count(history, thread);
	ran_ns = turn->to_ns - turn->from_ns;
	for (size_t i = history_turn_after(history, thread, turn->to_ns), looks = 0;
	     i < count && looks < CONTINUATIONS_MAX; i++, looks++) {
		const struct turn *later = history_turn(history, thread, i);

		if (ran_ns > CONTINUATION_RUN_NS)
			break;
		ran_ns += later->to_ns - later->from_ns;
		/* put off its CPU on the way */
		if (!later->prev_state)
			continue;
		if (syscall_of(history, later) != syscall)
			break;
		next = look(history, later);
		if (next.waker &&
		    has_answered(history, thread, next.waker, turn->wake_ns, later->start_ns))
			break;
		if (next.waker || next.way == ENDING_OUTSIDE)
			return next;
		ran_ns = later->to_ns - later->from_ns;
	}
	return ending;
}

/* ---- idle, or waiting for an answer ---- */

bool ending_is_of_loop(const struct wait *wait)
{
	if (!wait || !wait->evidence)
		return false;
	if (is_named(wait->evidence->syscall, "poll ppoll"))
		return wait->evidence->args[1] > 1;
	return is_named(wait->evidence->syscall,
			"epoll_wait epoll_pwait epoll_pwait2 select pselect6");
}

/* Whom a thread waits for: a process; in its own one, a thread. */
static uint64_t asks_key(const struct thread *thread, const struct thread *waker)
{
	bool is_inside = waker->process == thread->process;

	return HABIT_ASKS | (uint64_t)thread->index << 32 |
	       (is_inside ? INSIDE | waker->index : waker->process->index);
}

/* What is known of a thread's waits for somebody. */
struct asking {
	uint64_t key;
	size_t waits;
	size_t asked;
	bool is_of_client; /* it was seen to be served by the thread: it does not serve it */
	enum ending_way way;
};

struct askings {
	struct asking *items;
	size_t count;
	size_t capacity;
	struct map64 numbers; /* of keys */
};

static struct asking *asking_of(struct askings *askings, uint64_t key)
{
	uint64_t *known = map64_get(&askings->numbers, key);

	if (known)
		return &askings->items[*known];
	map64_put(&askings->numbers, key, askings->count);
	array_reserve((void **)&askings->items, &askings->capacity, askings->count + 1,
		      sizeof(*askings->items));
	askings->items[askings->count] = (struct asking){.key = key};
	return &askings->items[askings->count++];
}

/* Looks at all of THREAD's waits once, for all that ended any. */
static void find_asks(const struct history *history, const struct thread *thread)
{
	size_t count = history_turn_count(history, thread);
	struct askings askings = {.count = 0};

	for (size_t i = 0; i < count; i++) {
		const struct turn *turn = history_turn(history, thread, i);
		struct asking *asking;
		struct ending ending;

		if (!ending_is_of_loop(history_wait(history, turn)))
			continue;
		ending = look(history, turn);
		if (!ending.waker)
			continue;
		asking = asking_of(&askings, asks_key(thread, ending.waker));
		if (asking->waits == ASKS_LOOKS_MAX)
			continue;
		asking->waits++;
		asking->way = ending.way;
		asking->asked += had_asked(history, thread, turn, ending.waker);
		if (peer_role(history, peer_sender(history, history_wait(history, turn))) ==
		    PEER_CLIENT)
			asking->is_of_client = true;
	}
	for (size_t i = 0; i < askings.count; i++) {
		const struct asking *asking = &askings.items[i];
		bool asks = asking->asked && !asking->is_of_client &&
			    asking->asked * ASKS_OFTEN >= asking->waits;

		map64_put(history_habits(history), asking->key,
			  asks ? asking->way : ENDING_UNKNOWN);
	}
	map64_release(&askings.numbers);
	free(askings.items);
}

/* On which way the answers come, if THREAD waits for WAKER's process as one that has asked it for
 * something; in its own process, for WAKER. Else ENDING_UNKNOWN. */
static enum ending_way asks(const struct history *history, const struct thread *thread,
			    const struct thread *waker)
{
	struct map64 *habits = history_habits(history);
	uint64_t key = asks_key(thread, waker), *known = map64_get(habits, key);

	if (!known) {
		find_asks(history, thread);
		known = map64_get(habits, key);
	}
	/* it only ended a wait that went on after a time limit */
	if (!known)
		known = map64_put(habits, key, ENDING_UNKNOWN);
	return (enum ending_way) * known;
}

/* It waited inside of a function that asks a server, so it did not wait for others' questions. */
static bool is_in_request(const struct history *history, const struct wait *wait)
{
	const struct stack *stack = model_stack(history_model(history), wait->evidence->user_stack);

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		if (asks_a_server(stack->places[i]->function))
			return true;
	}
	return false;
}

static enum category category_of_way(enum ending_way way)
{
	switch (way) {
	case ENDING_LOCAL:
	case ENDING_OUTSIDE:
		return CATEGORY_NET_RECV;
	case ENDING_UNIX:
	case ENDING_SIGNAL:
		return CATEGORY_WAIT_IPC;
	default:
		return CATEGORY_WAIT_IDLE;
	}
}

/* It ended because somebody connected: that is no answer. */
static bool is_new_client(const struct history *history, const struct wait *wait)
{
	const struct stack *stack =
		wait && wait->evidence
			? model_stack(history_model(history), wait->evidence->waker_kernel_stack)
			: NULL;

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		if (function_is_one_of(stack->places[i]->function,
				       "tcp_child_process unix_stream_connect"))
			return true;
	}
	return false;
}

enum category ending_category(const struct history *history, const struct thread *thread,
			      const struct turn *turn)
{
	const struct wait *wait = history_wait(history, turn);
	struct ending ending = ending_of(history, thread, turn);
	const struct event_socket *sender;
	enum ending_way way;

	if (waits_for_one(wait) && ending.unanswered_by)
		return category_of_way(ending.asked_way);
	if (waits_for_one(wait) && ending.way == ENDING_TIME && is_in_request(history, wait))
		return CATEGORY_NET_RECV;
	if (waits_for_one(wait))
		return category_of_way(ending.way);
	/* a request never comes as a signal from a thread */
	if (ending.waker && ending.way == ENDING_SIGNAL)
		return CATEGORY_WAIT_IPC;
	if (!ending_is_of_loop(wait) || !ending.waker ||
	    is_new_client(history, history_wait(history, ending.turn)))
		return CATEGORY_WAIT_IDLE;
	sender = peer_sender(history, history_wait(history, ending.turn));
	switch (peer_role(history, sender)) {
	case PEER_SERVER:
		return category_of_way(ending.way);
	case PEER_CLIENT:
		return CATEGORY_WAIT_IDLE;
	case PEER_UNKNOWN:
		break;
	}
	/* threads of one program hand work to each other by pipes and eventfds; over sockets one is
	 * the server */
	if (ending.waker->process == thread->process && (sender || ending.way != ENDING_UNIX))
		return CATEGORY_WAIT_IDLE;
	way = asks(history, thread, ending.waker);
	if (way == ENDING_UNKNOWN)
		return CATEGORY_WAIT_IDLE;
	/* of a wait too short for evidence the way is that of the others */
	return category_of_way(ending.way == ENDING_OTHER ? way : ending.way);
}
