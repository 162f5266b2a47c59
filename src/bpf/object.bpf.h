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

static __always_inline void read_addresses(struct event_socket *event, struct sock *sk)
{
	event->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	event->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (event->family == AF_INET) {
		*(__u32 *)event->local_address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)event->remote_address = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) { /* CONFIG_IPV6 */
		BPF_CORE_READ_INTO(&event->local_address, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&event->remote_address, sk, __sk_common.skc_v6_daddr);
	}
}

static __always_inline __u64 define_socket(struct file *file, struct log_head *log, __u32 cpu,
					   __u64 now_ns, __u32 pid)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
	struct unix_address *name = NULL;
	struct event_socket *event;
	__u16 family;
	__u64 position, id;
	__u32 mark;

	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	/* not its address: that of one that is gone may be the next one's */
	id = hash_step(0x736f636bULL, BPF_CORE_READ(file, f_inode, i_ino));
	id = hash_step(id, ((__u64)BPF_CORE_READ(sk, __sk_common.skc_dport) << 16) |
				   BPF_CORE_READ(sk, __sk_common.skc_num));
	id = hash_step(id, BPF_CORE_READ(sk, __sk_common.skc_daddr) | ((__u64)family << 32));
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
	if (family == AF_INET || family == AF_INET6)
		read_addresses(event, sk);
	else if (family == AF_UNIX)
		name = unix_name_of(sk);
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

/* Fills object, object_kind and descriptor of a wait in a system call that takes a descriptor
 * first. */
static __always_inline void describe_descriptor(struct event_wait *wait, struct task_struct *task,
						struct log_head *log, __u32 cpu, __u64 now_ns)
{
	__u32 number = wait->syscall;
	struct file *file;

	if (number >= SYSCALL_LIMIT ||
	    !(settings.descriptor_syscalls[(number / 8) & 63] & (1u << (number & 7))))
		return;
	wait->descriptor = (__s32)wait->args[0];
	file = file_of(task, wait->descriptor);
	if (!file)
		return;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFSOCK) {
		wait->object = define_socket(file, log, cpu, now_ns, task->tgid);
		wait->object_kind = wait->object ? EVENT_OBJECT_SOCKET : EVENT_OBJECT_NONE;
	} else {
		wait->object = define_file(file, log, cpu, now_ns, task->tgid, wait->descriptor);
		wait->object_kind = EVENT_OBJECT_FILE;
	}
}

#endif
