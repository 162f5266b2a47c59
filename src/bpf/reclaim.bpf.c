/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probe memory: threads that have to free memory, or move it, before they get some.
 */
#include "bpf/slot.bpf.h"

#define RECLAIM_MIN_NS 100000
#define SPANS_MAX      4096

/* One kind may be inside another, but not inside itself. */
struct reclaim_key {
	__u32 tid;
	__u32 kind; /* enum event_reclaim_kind */
};

struct reclaim_span {
	__u64 begin_ns;
	__u32 order;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SPANS_MAX);
	__type(key, struct reclaim_key);
	__type(value, struct reclaim_span);
} reclaim_spans SEC(".maps");

/* The id of TASK's memory cgroup: the inode of its directory. */
static __always_inline __u64 memory_cgroup(struct task_struct *task)
{
	struct css_set *groups = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *state = NULL;
	__u64 at;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return 0;
	at = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * sizeof(state);
	bpf_probe_read_kernel(&state, sizeof(state), (void *)&groups->subsys + at);
	return state ? BPF_CORE_READ(state, cgroup, kn, id) : 0;
}

static __always_inline int reclaim_begin(enum event_reclaim_kind kind, __u32 order)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct reclaim_key key = {.tid = task->pid, .kind = kind};
	struct reclaim_span span = {.begin_ns = bpf_ktime_get_ns(), .order = order};

	bpf_map_update_elem(&reclaim_spans, &key, &span, BPF_ANY);
	return 0;
}

static __always_inline void emit_reclaim(struct task_struct *task, enum event_reclaim_kind kind,
					 const struct reclaim_span *span, __u64 now_ns, __u64 pages)
{
	struct log_head *log = evidence_log_of(bpf_get_smp_processor_id());
	struct event_reclaim *event;
	__u64 position;
	__u32 mark;

	if (!log)
		return;
	event = evidence_reserve(log, sizeof(*event), &mark, &position);
	event_begin(&event->header, mark, EVENT_RECLAIM, sizeof(*event), now_ns);
	event->duration_ns = now_ns - span->begin_ns;
	event->cgroup = kind == EVENT_RECLAIM_CGROUP ? memory_cgroup(task) : 0;
	event->pages = pages;
	event->tid = task->pid;
	event->pid = task->tgid;
	event->order = span->order;
	event->kind = kind;
	event_commit(&event->header, mark);
}

static __always_inline int reclaim_end(enum event_reclaim_kind kind, __u64 pages)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct reclaim_key key = {.tid = task->pid, .kind = kind};
	struct reclaim_span *span = bpf_map_lookup_elem(&reclaim_spans, &key);
	__u64 now_ns = bpf_ktime_get_ns();

	if (!span)
		return 0;
	if (now_ns - span->begin_ns >= RECLAIM_MIN_NS)
		emit_reclaim(task, kind, span, now_ns, pages);
	bpf_map_delete_elem(&reclaim_spans, &key);
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int on_reclaim_begin(__u64 *ctx)
{
	return reclaim_begin(EVENT_RECLAIM_DIRECT, compat_reclaim_order(ctx));
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int on_reclaim_end(__u64 *ctx)
{
	return reclaim_end(EVENT_RECLAIM_DIRECT, ctx[0]);
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int on_cgroup_reclaim_begin(__u64 *ctx)
{
	return reclaim_begin(EVENT_RECLAIM_CGROUP, compat_reclaim_order(ctx));
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int on_cgroup_reclaim_end(__u64 *ctx)
{
	return reclaim_end(EVENT_RECLAIM_CGROUP, ctx[0]);
}

/* kcompactd does this for nobody in particular. */
static __always_inline bool is_kcompactd(struct task_struct *task)
{
	return (task->flags & PF_KTHREAD) && begins_with(task->comm, "kcompact");
}

SEC("tp_btf/mm_compaction_begin")
int on_compaction_begin(__u64 *ctx)
{
	if (is_kcompactd(bpf_get_current_task_btf()))
		return 0;
	return reclaim_begin(EVENT_RECLAIM_COMPACTION, compat_compaction_order(ctx));
}

SEC("tp_btf/mm_compaction_end")
int on_compaction_end(__u64 *ctx)
{
	return reclaim_end(EVENT_RECLAIM_COMPACTION, 0);
}
