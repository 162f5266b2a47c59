/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's types as far as we touch them. Offsets are put right at load time (CO-RE), so only
 * the names and types of the members used are here, in any order. Variants of older kernels are in
 * compat.bpf.h.
 */
#ifndef DASHCAM_BPF_KERNEL_H
#define DASHCAM_BPF_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long long counter;
} atomic64_t;

typedef atomic64_t atomic_long_t;

struct rq {
	__u64 clock;
};

struct cfs_rq {
	struct rq *rq;
	int throttle_count;
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long long last_arrival;
};

struct mm_struct {
	unsigned long start_code;
	unsigned long end_code;
	unsigned long start_stack;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long mmap_base;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct super_block {
	__u32 s_dev;
};

struct address_space {
	struct inode *host;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
	struct address_space *i_mapping;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	unsigned int f_flags;
	const void *f_op;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct in6_addr {
	struct {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	__u16 skc_dport;
	__u16 skc_num;
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	struct socket *sk_socket;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct inet_connection_sock {
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct minmax_sample {
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 srtt_us; /* 8 times what it says */
	__u32 snd_wnd;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 write_seq;
	__u32 rcv_tstamp;
	__u32 total_retrans;
	struct minmax rtt_min;
	__u8 nonagle : 4;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct thread_struct {
	unsigned long fsbase; /* x86 */
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
};

enum cgroup_subsys_id {
	memory_cgrp_id,
};

/* Of uprobes: a thread that has met one. */
struct uprobe_task {
	unsigned int depth; /* calls under way with a probe on their return */
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	unsigned int flags;
	int prio;
	void *stack;
	int exit_code;
	struct mm_struct *mm;
	struct files_struct *files;
	struct signal_struct *signal;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct sched_entity se;
	struct sched_info sched_info;
	struct thread_struct thread;
	struct css_set *cgroups;
	unsigned long sas_ss_sp; /* stack that the program set aside for signal handlers */
	__u64 sas_ss_size;
	struct uprobe_task *utask;
};

struct page {
	struct address_space *mapping;
};

struct bio_vec {
	struct page *bv_page;
};

struct bvec_iter {
	unsigned int bi_idx;
};

struct gendisk {
	int major;
	int first_minor;
};

struct block_device {
	__u32 bd_dev;
};

struct bio {
	struct block_device *bi_bdev;
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
};

struct request_queue {
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int __data_len;
	__u64 __sector;
	struct bio *bio;
};

enum req_flag_bits {
	__REQ_SYNC,
	__REQ_META,
	__REQ_FUA,
	__REQ_PREFLUSH,
	__REQ_RAHEAD,
};

struct kernel_siginfo {
	int si_code;
};

struct mutex {
	atomic_long_t owner;
};

struct rw_semaphore {
	atomic_long_t count;
	atomic_long_t owner;
};

/* x86-64 */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

struct bpf_perf_event_data_kern {
	struct pt_regs *regs;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#define PF_EXITING   0x00000004
#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD   0x00200000

#define TASK_INTERRUPTIBLE   0x1
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_DEAD            0x80

/* Number of the softirq that ends disk requests (include/linux/interrupt.h). */
#define BLOCK_SOFTIRQ 4

#define SI_KERNEL 0x80

#define S_IFMT   00170000
#define S_IFSOCK 0140000

/* flags of lock:contention_begin */
#define LCB_F_SPIN  1
#define LCB_F_READ  2
#define LCB_F_WRITE 4
#define LCB_F_MUTEX 32

#define O_DIRECT 00040000 /* x86 */

#define SOCK_STREAM 1
#define IPPROTO_TCP 6

#define REQ_OP_MASK  0xff
#define REQ_OP_WRITE 1
#define REQ_OP_FLUSH 2

#define AF_UNIX  1
#define AF_INET  2
#define AF_INET6 10

#endif
