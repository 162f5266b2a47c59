/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe tcp: what TCP had to send again. Timers and acknowledgements make it do so, in whatever
 * thread was running: that one has nothing to do with it.
 */
#include "bpf/tcp.bpf.h"

/* The id that a wait for SK would carry; 0 if no program has it open. */
static __always_inline __u64 id_of_open(struct sock *sk)
{
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	return file ? socket_id(sk, file) : 0;
}

/* CONNECTION has the addresses and the state: SK itself, or one that SK, which listens, is about to
 * accept. */
static __always_inline int emit_retransmit(struct sock *sk, struct sock *connection)
{
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_retransmit *event;
	__u64 socket = id_of_open(sk), position;
	struct socket_user *user;
	__u32 mark;

	if (!log)
		return 0;
	user = bpf_map_lookup_elem(&socket_users, &socket);
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_RETRANSMIT, sizeof(*event), bpf_ktime_get_ns());
	event->family = BPF_CORE_READ(connection, __sk_common.skc_family);
	event->local_port = BPF_CORE_READ(connection, __sk_common.skc_num);
	event->remote_port = __builtin_bswap16(BPF_CORE_READ(connection, __sk_common.skc_dport));
	event->state = BPF_CORE_READ(connection, __sk_common.skc_state);
	read_addresses(event->local_address, event->remote_address, connection, event->family);
	event->tid = user ? user->tid : 0;
	event->pid = user ? user->pid : 0;
	event->socket = socket;
	event_commit(&event->header, mark);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int on_retransmit(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];

	return emit_retransmit(sk, sk);
}

/* A struct request_sock begins with the same struct sock_common as a struct sock. */
SEC("tp_btf/tcp_retransmit_synack")
int on_retransmit_synack(__u64 *ctx)
{
	return emit_retransmit((void *)ctx[0], (void *)ctx[1]);
}
