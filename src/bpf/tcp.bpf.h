/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The state of a TCP connection, written beside the evidence of a wait for it.
 *
 * By the end of a wait to send, the peer has made room and what was stuck has gone out. What held
 * the thread up is seen when the wait begins, so that is noted then, in the thread's slot.
 */
#ifndef DASHCAM_BPF_TCP_BPF_H
#define DASHCAM_BPF_TCP_BPF_H

#include "bpf/object.bpf.h"

#define SOCKET_USERS_MAX 4096

struct socket_user {
	__u32 tid;
	__u32 pid;
};

/* Who waited for a socket last, by its id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOCKET_USERS_MAX);
	__type(key, __u64);
	__type(value, struct socket_user);
} socket_users SEC(".maps");

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, sk_type) == SOCK_STREAM &&
	       BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

/* The kernel notes the time of data and acknowledgements in ticks, and no more of it than 32 bits.
 */
static __always_inline __u64 since_tick_ns(__u32 tick)
{
	__u32 ticks = (__u32)bpf_jiffies64() - tick;

	return tick && (__s32)ticks > 0 ? ticks * settings.tick_ns : 0;
}

static __always_inline void read_flight(struct tcp_flight *flight, struct tcp_sock *tcp)
{
	__u32 sent = BPF_CORE_READ(tcp, snd_nxt);

	flight->send_window_bytes = BPF_CORE_READ(tcp, snd_wnd);
	flight->unsent_bytes = BPF_CORE_READ(tcp, write_seq) - sent;
	flight->unacked_bytes = sent - BPF_CORE_READ(tcp, snd_una);
	flight->is_taken = 1;
}

/* TASK leaves its CPU in system call NUMBER: if it waits to send, notes why it has to. */
static __always_inline void note_flight(struct thread_slot *slot, struct task_struct *task,
					__s16 number)
{
	struct pt_regs *regs;
	struct sock *sk;

	slot->flight.is_taken = 0;
	if (!settings.tcp_states || number == EVENT_NO_SYSCALL ||
	    !is_in_set(settings.send_syscalls, number))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	sk = sock_of(file_of(task, (int)regs->di));
	if (sk && is_tcp(sk))
		read_flight(&slot->flight, (struct tcp_sock *)sk);
}

/* The wait of TASK was for the socket SK, which WAIT names. */
static __always_inline void describe_connection(const struct event_wait *wait,
						struct thread_slot *slot, struct sock *sk,
						struct log_head *log)
{
	struct socket_user user = {.tid = wait->tid, .pid = wait->pid};
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	struct tcp_flight now;
	struct event_tcp_state *event;
	__u64 socket = wait->object, position;
	__u32 mark;

	if (!settings.tcp_states || !is_tcp(sk))
		return;
	bpf_map_update_elem(&socket_users, &socket, &user, BPF_ANY);
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_TCP_STATE, sizeof(*event), wait->header.time_ns);
	event->socket = socket;
	event->tid = wait->tid;
	event->pid = wait->pid;
	event->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
	event->flags = (BPF_CORE_READ_BITFIELD_PROBED(tcp, nonagle) & 1 ? EVENT_TCP_NODELAY : 0) |
		       (slot->flight.is_taken ? EVENT_TCP_AT_BEGIN : 0);
	read_flight(&now, tcp);
	if (slot->flight.is_taken)
		now = slot->flight;
	event->send_window_bytes = now.send_window_bytes;
	event->unsent_bytes = now.unsent_bytes;
	event->unacked_bytes = now.unacked_bytes;
	event->retransmits = BPF_CORE_READ(tcp, total_retrans);
	event->backlog = BPF_CORE_READ(sk, sk_ack_backlog);
	event->backlog_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	event->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	event->since_received_ns = since_tick_ns(BPF_CORE_READ(tcp, inet_conn.icsk_ack.lrcvtime));
	event->since_acked_ns = since_tick_ns(BPF_CORE_READ(tcp, rcv_tstamp));
	event->min_rtt_us = BPF_CORE_READ(tcp, rtt_min.s[0].v);
	if (event->min_rtt_us == ~0U)
		event->min_rtt_us = 0;
	event->reserved = 0;
	event_commit(&event->header, mark);
}

#endif
