/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe disk: each request to a disk, from when it was queued to when it was completed. All of
 * them, whatever the filter: who fills a queue makes others wait.
 *
 * What is known of a request is kept by its address. The kernel has a fixed number of requests for
 * each disk and uses them again and again, so that one whose end was not seen is put right when its
 * address begins anew.
 */
#include "bpf/follow.bpf.h"
#include "bpf/irq.bpf.h"
#include "bpf/wait.bpf.h"

#define REQUESTS_MAX 8192
#define DISKS_MAX    512

struct disk_request {
	__u64 queued_ns;
	__u64 issued_ns; /* 0: not yet */
	__u64 sector;
	__u64 inode;
	__u64 disk; /* key of disk_depths */
	__u32 size_bytes;
	__u32 device;
	__u32 tid;
	__u32 pid;
	__u16 flags;
	__u16 depth;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REQUESTS_MAX);
	__type(key, __u64);
	__type(value, struct disk_request);
} disk_requests SEC(".maps");

/* Requests in flight by the address of the disk's queue. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DISKS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} disk_depths SEC(".maps");

/* Adds one. Returns how many are in flight now, 0 if that is not known. */
static __always_inline __u32 depth_up(__u64 disk)
{
	__u32 *depth = bpf_map_lookup_elem(&disk_depths, &disk);
	__u32 none = 0;

	if (!depth) {
		bpf_map_update_elem(&disk_depths, &disk, &none, BPF_NOEXIST);
		depth = bpf_map_lookup_elem(&disk_depths, &disk);
	}
	return depth ? __sync_fetch_and_add(depth, 1) + 1 : 0;
}

static __always_inline void depth_down(__u64 disk)
{
	__u32 *depth = bpf_map_lookup_elem(&disk_depths, &disk);

	if (depth && *depth > 0)
		__sync_fetch_and_add(depth, -1);
}

/* ---- what a request says about itself ---- */

/* The partition that the program used, or the disk. */
static __always_inline __u32 device_of(struct request *rq)
{
	struct gendisk *disk;

	if (rq->bio)
		return rq->bio->bi_bdev->bd_dev;
	disk = compat_disk(rq);
	return disk ? (__u32)BPF_CORE_READ(disk, major) << 20 | BPF_CORE_READ(disk, first_minor)
		    : 0;
}

#define FLAG_IF(word, bit, flag)                                                                   \
	((word) & (1ULL << bpf_core_enum_value(enum req_flag_bits, bit)) ? (flag) : 0)

static __always_inline __u16 request_flags(__u32 word)
{
	return FLAG_IF(word, __REQ_SYNC, EVENT_DISK_SYNC) |
	       FLAG_IF(word, __REQ_META, EVENT_DISK_META) |
	       FLAG_IF(word, __REQ_PREFLUSH, EVENT_DISK_FLUSH) |
	       FLAG_IF(word, __REQ_FUA, EVENT_DISK_FUA) |
	       FLAG_IF(word, __REQ_RAHEAD, EVENT_DISK_READAHEAD) |
	       ((word & REQ_OP_MASK) == REQ_OP_FLUSH ? EVENT_DISK_FLUSH : 0);
}

/*
 * The inode whose page cache the first page of BIO is in. Pages that belong to no file (a program's
 * memory, the kernel's own) have something else where others have their mapping: what it points to
 * is believed only if it points back.
 */
static __always_inline __u64 inode_of_page(struct bio *bio)
{
	__u64 at = (__u64)bio->bi_iter.bi_idx * bpf_core_type_size(struct bio_vec);
	/* read, not followed: 6.1 lets nothing be added to a pointer whose type it knows */
	struct bio_vec *vector = BPF_CORE_READ(bio, bi_io_vec);
	struct address_space *mapping;
	struct inode *host;
	struct page *page;

	vector = (void *)vector + at;
	page = compat_head_page(BPF_CORE_READ(vector, bv_page));
	mapping = BPF_CORE_READ(page, mapping);
	if (!mapping || ((unsigned long)mapping & 3))
		return 0;
	host = BPF_CORE_READ(mapping, host);
	return host && BPF_CORE_READ(host, i_mapping) == mapping ? BPF_CORE_READ(host, i_ino) : 0;
}

/* The file that TASK, which is current, reads or writes past the page cache. */
static __always_inline __u64 inode_of_direct_call(struct task_struct *task)
{
	__s16 number = syscall_of(task);
	struct pt_regs *regs;
	struct file *file;

	if (number == EVENT_NO_SYSCALL || !takes_descriptor(number))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	file = file_of(task, (int)regs->di);
	if (!file || !(BPF_CORE_READ(file, f_flags) & O_DIRECT))
		return 0;
	return BPF_CORE_READ(file, f_inode, i_ino);
}

static __always_inline __u64 inode_of(struct request *rq, struct task_struct *task)
{
	struct bio *bio = rq->bio;
	__u64 inode;

	/* reads and writes; the others have no pages of a file */
	if (!bio || !rq->__data_len || (rq->cmd_flags & REQ_OP_MASK) > REQ_OP_WRITE)
		return 0;
	inode = inode_of_page(bio);
	return inode ? inode : inode_of_direct_call(task);
}

/* Requests that a cgroup's limit held back are queued by the workers of a work queue of that name.
 */
static __always_inline bool is_throttle_worker(struct task_struct *task)
{
	struct worker *worker;

	if (!(task->flags & PF_WQ_WORKER))
		return false;
	worker = compat_kthread_data(task);
	return begins_with(worker->desc, "kthrotld");
}

/* ---- its life ---- */

static __always_inline void queue_request(struct request *rq, __u64 now_ns)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 key = (__u64)rq;
	struct disk_request request = {
		.queued_ns = now_ns,
		.disk = (__u64)rq->q,
		.size_bytes = rq->__data_len,
		.sector = rq->__data_len ? rq->__sector : 0,
		.device = device_of(rq),
		.inode = inode_of(rq, task),
		.tid = task->pid,
		.pid = task->tgid,
		/* of a flush the flag is gone once it is under way */
		.flags = request_flags(rq->cmd_flags) |
			 (is_throttle_worker(task) ? EVENT_DISK_THROTTLED : 0),
	};

	bpf_map_update_elem(&disk_requests, &key, &request, BPF_ANY);
}

/* The end of a request was not seen. */
static __always_inline void forget_unended(struct disk_request *request)
{
	struct capture_counters *counter = counters_here();

	if (request->issued_ns)
		depth_down(request->disk);
	if (counter)
		counter->unseen_requests++;
}

/* 6.5 and later: a request begins, in the thread that makes it. */
SEC("tp_btf/block_io_start")
int on_disk_start(__u64 *ctx)
{
	struct request *rq = (void *)ctx[0];
	__u64 key = (__u64)rq;
	struct disk_request *was = bpf_map_lookup_elem(&disk_requests, &key);

	if (was)
		forget_unended(was);
	queue_request(rq, bpf_ktime_get_ns());
	return 0;
}

/* Before 6.5. One that was known already is queued a second time: it began at the first. */
SEC("tp_btf/block_rq_insert")
int on_disk_insert(__u64 *ctx)
{
	struct request *rq = (void *)ctx[0];
	__u64 key = (__u64)rq;

	if (!bpf_map_lookup_elem(&disk_requests, &key))
		queue_request(rq, bpf_ktime_get_ns());
	return 0;
}

/* The device gets it; perhaps once more, after it had been too busy. */
SEC("tp_btf/block_rq_issue")
int on_disk_issue(__u64 *ctx)
{
	struct request *rq = (void *)ctx[0];
	__u64 key = (__u64)rq, now_ns = bpf_ktime_get_ns();
	struct disk_request *request = bpf_map_lookup_elem(&disk_requests, &key);
	__u32 depth;

	if (!request) { /* without a queue, or from before the capture */
		queue_request(rq, now_ns);
		request = bpf_map_lookup_elem(&disk_requests, &key);
		if (!request)
			return 0;
	}
	if (!request->issued_ns) {
		depth = depth_up(request->disk);
		request->depth = depth < 0xffff ? depth : 0xffff;
	}
	request->issued_ns = now_ns;
	/* others may have been merged with it since it was queued */
	request->size_bytes = rq->__data_len;
	request->sector = rq->__data_len ? rq->__sector : 0;
	return 0;
}

/*
 * The thread that did a request's work itself, and completes it now: disks that are files (loop) or
 * elsewhere (nbd) have one, of the kernel or a file system's server. Mostly it leaves the rest to
 * the softirq of finished requests, which runs somewhat later in whatever is current. 0: a device
 * completes it. Who waits for the request waits for that thread, which is followed.
 */
static __always_inline __u32 server_of(struct disk_request *request, __u32 cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct irq_account *account = irq_account_of(cpu);
	struct thread_slot *slot;
	__u32 tid = 0;

	if (!settings.knows_irqs || !account)
		return 0;
	if (account->block_raiser_tid)
		tid = account->block_raiser_tid;
	else if (task->flags & PF_KTHREAD && !is_in_interrupt(cpu) && !is_ksoftirqd(task))
		tid = task->pid;
	if (!tid || tid == request->tid)
		return 0;
	slot = slot_of(request->tid);
	if (slot && slot->tid == request->tid && slot->is_wanted)
		follow(tid);
	return tid;
}

static __always_inline void emit_disk(struct request *rq, struct disk_request *request, int error)
{
	__u32 cpu = bpf_get_smp_processor_id(), mark;
	struct log_head *log = evidence_log_of(cpu);
	struct event_disk *event;
	__u64 position;

	if (!log)
		return;
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_DISK, sizeof(*event), bpf_ktime_get_ns());
	event->queued_ns = request->queued_ns;
	event->issued_ns = request->issued_ns ? request->issued_ns : request->queued_ns;
	event->sector = request->sector;
	event->inode = request->inode;
	event->size_bytes = request->size_bytes;
	event->device = request->device;
	event->tid = request->tid;
	event->pid = request->pid;
	event->operation = rq->cmd_flags & REQ_OP_MASK;
	event->flags = request->flags;
	event->depth = request->depth;
	event->cpu = cpu;
	event->error = error;
	event->server_tid = server_of(request, cpu);
	event_commit(&event->header, mark);
}

SEC("tp_btf/block_rq_complete")
int on_disk_complete(__u64 *ctx)
{
	struct request *rq = (void *)ctx[0];
	__u64 key = (__u64)rq;
	struct disk_request *request;

	if ((__u32)ctx[2] < rq->__data_len) /* a part of it */
		return 0;
	request = bpf_map_lookup_elem(&disk_requests, &key);
	if (!request)
		return 0;
	emit_disk(rq, request, compat_disk_error(ctx[1]));
	if (request->issued_ns)
		depth_down(request->disk);
	bpf_map_delete_elem(&disk_requests, &key);
	return 0;
}
