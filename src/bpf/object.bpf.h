/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a descriptor stands for: a file or a socket, defined once and named by a hash of its
 * content.
 */
#ifndef DASHCAM_BPF_OBJECT_BPF_H
#define DASHCAM_BPF_OBJECT_BPF_H

#include "bpf/stack.bpf.h"

#define FILE_NAME_MAX 64
#define UNIX_PATH_MAX 108

static __always_inline struct file *file_of(struct task_struct *task, int descriptor)
{
	struct fdtable *table;
	struct file *file = NULL;

	if (descriptor < 0 || !task->files)
		return NULL;
	table = task->files->fdt;
	if ((__u32)descriptor >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor);
	return file;
}

static __always_inline __u64 define_file(struct file *file, struct log_head *log, __u32 cpu,
					 __u64 now_ns, __u32 pid, int descriptor)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u64 inode_number = BPF_CORE_READ(inode, i_ino), position, id;
	__u32 device = BPF_CORE_READ(inode, i_sb, s_dev), mark;
	struct event_file *event;

	id = hash_step(hash_step(0x66696c65ULL, device), inode_number);
	/* eventfd, epoll, timerfd and their like share one inode: what they do tells them apart */
	id = hash_step(id, (__u64)BPF_CORE_READ(file, f_op));
	if (is_defined(id))
		return id;
	event = evidence_reserve(log, sizeof(*event) + FILE_NAME_MAX, &mark, &position);
	event_begin(&event->header, mark, EVENT_FILE, sizeof(*event) + FILE_NAME_MAX, now_ns);
	event->id = id;
	event->inode = inode_number;
	event->device = device;
	event->mode = BPF_CORE_READ(inode, i_mode);
	event->pid = pid;
	event->descriptor = descriptor;
	event->path[0] = '\0';
	bpf_probe_read_kernel_str(event->path, FILE_NAME_MAX,
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	event_commit(&event->header, mark);
	remember_definition(id, cpu, position);
	return id;
}

/* The name a unix socket is bound to, or else its peer's: a client has none of its own. */
static __always_inline struct unix_address *unix_name_of(struct sock *sk)
{
	struct unix_sock *local = (struct unix_sock *)sk;
	struct unix_address *address = BPF_CORE_READ(local, addr);
	struct unix_sock *peer;

	if (address)
		return address;
	peer = (struct unix_sock *)BPF_CORE_READ(local, peer);
	return peer ? BPF_CORE_READ(peer, addr) : NULL;
}

/* Fills both addresses, of 16 bytes each, of an IPv4 or IPv6 socket. */
static __always_inline void read_addresses(__u8 *local, __u8 *remote, struct sock *sk, __u16 family)
{
	__builtin_memset(local, 0, 16);
	__builtin_memset(remote, 0, 16);
	if (family == AF_INET) {
		*(__u32 *)local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) { /* CONFIG_IPV6 */
		BPF_CORE_READ_INTO((struct in6_addr *)local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)remote, sk, __sk_common.skc_v6_daddr);
	}
}

/* NULL if FILE, which may be NULL, is no socket. */
static __always_inline struct sock *sock_of(struct file *file)
{
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

/* Not its address: that of one that is gone may be the next one's. */
static __always_inline __u64 socket_id(struct sock *sk, struct file *file)
{
	__u64 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u64 id = hash_step(0x736f636bULL, BPF_CORE_READ(file, f_inode, i_ino));

	id = hash_step(id, ((__u64)BPF_CORE_READ(sk, __sk_common.skc_dport) << 16) |
				   BPF_CORE_READ(sk, __sk_common.skc_num));
	return hash_step(id, BPF_CORE_READ(sk, __sk_common.skc_daddr) | (family << 32));
}

static __always_inline __u64 define_socket(struct sock *sk, struct file *file, struct log_head *log,
					   __u32 cpu, __u64 now_ns, __u32 pid)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u64 id = socket_id(sk, file), position;
	struct unix_address *name = NULL;
	struct event_socket *event;
	__u32 mark;

	if (is_defined(id))
		return id;
	event = evidence_reserve(log, sizeof(*event) + UNIX_PATH_MAX + 4, &mark, &position);
	event_begin(&event->header, mark, EVENT_SOCKET, sizeof(*event) + UNIX_PATH_MAX + 4, now_ns);
	event->id = id;
	event->family = family;
	event->type = BPF_CORE_READ(sk, sk_type);
	event->protocol = BPF_CORE_READ(sk, sk_protocol);
	event->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	event->pid = pid;
	event->local_port = event->remote_port = 0;
	__builtin_memset(event->local_address, 0, 32);
	__builtin_memset(event->path, 0, UNIX_PATH_MAX + 4);
	if (family == AF_INET || family == AF_INET6) {
		event->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
		event->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
		read_addresses(event->local_address, event->remote_address, sk, family);
	} else if (family == AF_UNIX) {
		name = unix_name_of(sk);
	}
	/* an abstract name begins with NUL */
	if (name &&
	    bpf_probe_read_kernel_str(event->path, UNIX_PATH_MAX, name->name[0].sun_path) <= 1 &&
	    BPF_CORE_READ(name, len) > 3) {
		event->path[0] = '@';
		bpf_probe_read_kernel_str(event->path + 1, UNIX_PATH_MAX - 1,
					  name->name[0].sun_path + 1);
	}
	event_commit(&event->header, mark);
	remember_definition(id, cpu, position);
	return id;
}

/* The number is hidden from the compiler, which would test one copy of it and use another: the
 * verifier cannot follow that. */
static __always_inline bool is_in_set(const volatile __u8 *syscalls, __s16 number)
{
	__u32 bit = (__u16)number;

	asm volatile("" : "+r"(bit));
	return bit < SYSCALL_LIMIT && syscalls[bit / 8] & (1u << (bit & 7));
}

static __always_inline bool takes_descriptor(__s16 number)
{
	return is_in_set(settings.descriptor_syscalls, number);
}

/* Fills object, object_kind and descriptor of a wait in a system call that takes a descriptor
 * first. Returns its socket, NULL if it is none. */
static __always_inline struct sock *describe_descriptor(struct event_wait *wait,
							struct task_struct *task,
							struct log_head *log, __u32 cpu,
							__u64 now_ns)
{
	struct file *file;
	struct sock *sk;

	if (!takes_descriptor(wait->syscall))
		return NULL;
	wait->descriptor = (__s32)wait->args[0];
	file = file_of(task, wait->descriptor);
	if (!file)
		return NULL;
	sk = sock_of(file);
	if (sk) {
		wait->object = define_socket(sk, file, log, cpu, now_ns, task->tgid);
		wait->object_kind = EVENT_OBJECT_SOCKET;
	} else {
		wait->object = define_file(file, log, cpu, now_ns, task->tgid, wait->descriptor);
		wait->object_kind = EVENT_OBJECT_FILE;
	}
	return sk;
}

#endif
