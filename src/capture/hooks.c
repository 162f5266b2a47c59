/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/hooks.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/function_probes.h"
#include "capture/returns.h"

#define BTF_PATH              "/sys/kernel/btf/vmlinux"
#define MACHINE_PID_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO */

const struct probe probes[] = {
	[PROBE_SCHED] = {"sched", PROBE_ALWAYS,
			 "every switch and wake-up; evidence of long waits; births, deaths, names"},
	[PROBE_SAMPLE] = {"sample", PROBE_BY_DEFAULT,
			  "what runs on each CPU, --rate times a second, with stacks"},
	[PROBE_IRQ] = {"irq", PROBE_BY_DEFAULT,
		       "what interrupts, and the hypervisor, take from threads; told from wakers"},
	[PROBE_SIGNAL] = {"signal", PROBE_WHEN_ASKED, "who sent which signal to whom"},
	[PROBE_DISK] = {"disk", PROBE_BY_DEFAULT,
			"each disk request: who queued it, for which file, how long it took"},
	[PROBE_MEMORY] = {"memory", PROBE_BY_DEFAULT,
			  "threads that had to free memory before they got some"},
	[PROBE_TCP] = {"tcp", PROBE_BY_DEFAULT,
		       "what TCP sent again; the state of connections that were waited for"},
	[PROBE_FUNCTION] = {"function", PROBE_WHEN_ASKED,
			    "calls of functions that you name with -F or --span, entry to return"},
};

_Static_assert(ARRAY_SIZE(probes) == PROBE_COUNT, "a row for each probe");

const char *probe_mode_text(enum probe_mode mode)
{
	static const char *const texts[] = {
		[PROBE_ALWAYS] = "always on",
		[PROBE_BY_DEFAULT] = "on by default",
		[PROBE_WHEN_ASKED] = "when asked for",
	};

	return texts[mode];
}

const struct hook hooks[] = {
	[HOOK_SWITCH] = {"sched_switch", "on_switch", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, true,
			 "which thread runs on which CPU", "nothing can be recorded",
			 "use a kernel with CONFIG_DEBUG_INFO_BTF=y (6.1 and later)"},
	[HOOK_WAKING] =
		{"sched_waking", "on_waking", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
		 "when a thread became runnable, and who woke it",
		 "who ended a wait, and when: the wait for a CPU that follows counts as part of it",
		 "none known"},
	[HOOK_WAKEUP_NEW] = {"sched_wakeup_new", "on_wakeup_new", PROBE_SCHED, HOOK_TYPE_TRACEPOINT,
			     false, "a new thread's first wait for a CPU",
			     "the first run-queue delay of new threads", "none needed"},
	[HOOK_FORK] = {"sched_process_fork", "on_fork", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
		       "births of threads and processes", "parents of new threads", "none known"},
	[HOOK_EXEC] = {"sched_process_exec", "on_exec", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
		       "programs that processes begin", "command lines of new programs",
		       "none known"},
	[HOOK_EXIT] = {"sched_process_exit", "on_exit", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
		       "deaths and exit codes", "when threads ended and why", "none known"},
	[HOOK_RENAME] = {"task_rename", "on_rename", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
			 "new names of threads", "names given after birth", "none known"},
	[HOOK_CONTENTION_BEGIN] = {"contention_begin", "on_contention_begin", PROBE_SCHED,
				   HOOK_TYPE_TRACEPOINT, false,
				   "the kernel lock a thread sleeps for, and its owner",
				   "kernel lock addresses and most of their owners",
				   "use kernel 5.19 or later"},
	[HOOK_CONTENTION_END] = {"contention_end", "on_contention_end", PROBE_SCHED,
				 HOOK_TYPE_TRACEPOINT, false, "when a kernel lock was got",
				 "kernel lock addresses and most of their owners",
				 "use kernel 5.19 or later"},
	[HOOK_KICK] = {"irq_work_entry", "on_kick", PROBE_SCHED, HOOK_TYPE_TRACEPOINT, false,
		       "evidence of long waits, at no cost to short ones",
		       "evidence comes from another hook, which costs more",
		       "none needed (x86 only)"},
	[HOOK_SCHED_EXIT] = {"sched_exit_tp", "on_sched_exit", PROBE_SCHED, HOOK_TYPE_TRACEPOINT,
			     false, "evidence of every wait (--min-wait 0)",
			     "evidence comes from another hook, which costs more",
			     "use kernel 6.18 or later"},
	[HOOK_FINISH_SWITCH] = {"finish_task_switch", "on_finish_switch", PROBE_SCHED,
				HOOK_TYPE_KPROBE, false,
				"evidence of waits where no tracepoint gives it",
				"evidence comes from another hook",
				"use a kernel with CONFIG_KPROBES=y"},
	[HOOK_SAMPLE] = {"cpu-clock", "on_sample", PROBE_SAMPLE, HOOK_TYPE_PERF_EVENT, false,
			 "what threads do while they are on a CPU", "all on-CPU stacks",
			 "run as root, or give CAP_PERFMON"},
	[HOOK_SIGNAL] = {"signal_generate", "on_signal", PROBE_SIGNAL, HOOK_TYPE_TRACEPOINT, false,
			 "signals sent", "signals", "none known"},
	[HOOK_DISK_START] = {"block_io_start", "on_disk_start", PROBE_DISK, HOOK_TYPE_TRACEPOINT,
			     false, "who queued a disk request, for which file, and when",
			     "disk requests that no scheduler queues begin when they are issued",
			     "use kernel 6.5 or later"},
	[HOOK_DISK_INSERT] = {"block_rq_insert", "on_disk_insert", PROBE_DISK, HOOK_TYPE_TRACEPOINT,
			      false, "who queued a disk request, where block_io_start is missing",
			      "who queued disk requests, and when", "none known"},
	[HOOK_DISK_ISSUE] = {"block_rq_issue", "on_disk_issue", PROBE_DISK, HOOK_TYPE_TRACEPOINT,
			     false, "when a device got a request, and how many it had",
			     "how long requests waited for their device", "none known"},
	[HOOK_DISK_COMPLETE] = {"block_rq_complete", "on_disk_complete", PROBE_DISK,
				HOOK_TYPE_TRACEPOINT, false, "when a disk request was done",
				"disk requests", "none known"},
	[HOOK_RECLAIM_BEGIN] = {"mm_vmscan_direct_reclaim_begin", "on_reclaim_begin", PROBE_MEMORY,
				HOOK_TYPE_TRACEPOINT, false,
				"when a thread began to free memory of the machine",
				"time spent on freeing memory of the machine", "none known"},
	[HOOK_RECLAIM_END] = {"mm_vmscan_direct_reclaim_end", "on_reclaim_end", PROBE_MEMORY,
			      HOOK_TYPE_TRACEPOINT, false, "how long it did, and how much it freed",
			      "time spent on freeing memory of the machine", "none known"},
	[HOOK_CGROUP_RECLAIM_BEGIN] = {"mm_vmscan_memcg_reclaim_begin", "on_cgroup_reclaim_begin",
				       PROBE_MEMORY, HOOK_TYPE_TRACEPOINT, false,
				       "when a thread began to free memory of its cgroup",
				       "time spent on freeing memory of a cgroup",
				       "use a kernel with CONFIG_MEMCG=y"},
	[HOOK_CGROUP_RECLAIM_END] = {"mm_vmscan_memcg_reclaim_end", "on_cgroup_reclaim_end",
				     PROBE_MEMORY, HOOK_TYPE_TRACEPOINT, false,
				     "how long it did, and how much it freed",
				     "time spent on freeing memory of a cgroup",
				     "use a kernel with CONFIG_MEMCG=y"},
	[HOOK_COMPACTION_BEGIN] = {"mm_compaction_begin", "on_compaction_begin", PROBE_MEMORY,
				   HOOK_TYPE_TRACEPOINT, false,
				   "when a thread began to move memory",
				   "time spent on moving memory",
				   "use a kernel with CONFIG_COMPACTION=y"},
	[HOOK_COMPACTION_END] = {"mm_compaction_end", "on_compaction_end", PROBE_MEMORY,
				 HOOK_TYPE_TRACEPOINT, false, "how long it did",
				 "time spent on moving memory",
				 "use a kernel with CONFIG_COMPACTION=y"},
	[HOOK_RETRANSMIT] = {"tcp_retransmit_skb", "on_retransmit", PROBE_TCP, HOOK_TYPE_TRACEPOINT,
			     false, "segments that TCP sent again",
			     "lost packets of TCP connections", "none known"},
	[HOOK_RETRANSMIT_SYNACK] = {"tcp_retransmit_synack", "on_retransmit_synack", PROBE_TCP,
				    HOOK_TYPE_TRACEPOINT, false,
				    "answers to new connections that were sent again",
				    "lost answers to new TCP connections", "none known"},
	[HOOK_SIDE_BAND] = {"mmap2", NULL, PROBE_SCHED, HOOK_TYPE_PERF_EVENT, false,
			    "code that processes map: names of short-lived ones",
			    "names of functions in processes that end quickly",
			    "run as root, or give CAP_PERFMON"},
	[HOOK_OPEN_WAITS] = {"iter/task", "on_open_wait", PROBE_SCHED, HOOK_TYPE_ITERATOR, false,
			     "evidence of waits that had not ended at the end: what hangs",
			     "why threads hang that still wait at the end",
			     "use a kernel with sleepable iterators (5.18 and later)"},
	[HOOK_FUNCTION_ENTRY] = {"function_entry", "on_function_entry", PROBE_FUNCTION,
				 HOOK_TYPE_UPROBE, false, "calls of functions of programs",
				 "traced functions (-F, --span)",
				 "use a kernel with CONFIG_UPROBE_EVENTS=y (5.15 and later)"},
	[HOOK_FUNCTION_RETURN] = {"function_return", "on_function_return", PROBE_FUNCTION,
				  HOOK_TYPE_UPROBE, false, "returns of functions of programs",
				  "traced functions (-F, --span)",
				  "use a kernel with CONFIG_UPROBE_EVENTS=y (5.15 and later)"},
	[HOOK_FUNCTION_MULTI] = {"function_multi", NULL, PROBE_FUNCTION, HOOK_TYPE_UPROBE, false,
				 "probes on many functions at once",
				 "probes on functions go slowly: a tenth of a second for each",
				 "use kernel 6.6 or later"},
	[HOOK_FUNCTION_SESSION] = {"function_session", "on_function_session", PROBE_FUNCTION,
				   HOOK_TYPE_UPROBE, false,
				   "entry and return of functions in one probe",
				   "processes that are not wanted pay for returns of functions",
				   "use kernel 6.13 or later"},
	[HOOK_OPEN_CALLS] = {"iter/task_calls", "on_open_call", PROBE_FUNCTION, HOOK_TYPE_ITERATOR,
			     false, "calls that had not returned at the end",
			     "calls of traced functions that had not returned at the end",
			     "none known"},
	[HOOK_UNWIND] = {"unwind", "on_unwind", PROBE_FUNCTION, HOOK_TYPE_UPROBE, false,
			 "programs that walk their own stack while their functions are traced",
			 "returns of functions that exceptions may go through",
			 "use kernel 6.0 or later"},
	[HOOK_CATCH] = {"catch", "on_catch", PROBE_FUNCTION, HOOK_TYPE_UPROBE, false,
			"where exceptions arrive: calls that they went through end there",
			"ends of calls that exceptions went through", "use kernel 6.0 or later"},
	[HOOK_REPLACED_RETURNS] = {"iter/task_returns", "on_replaced_returns", PROBE_FUNCTION,
				   HOOK_TYPE_ITERATOR, false,
				   "calls whose return address has to be put back at the end",
				   "returns of functions that exceptions may go through",
				   "use kernel 6.0 or later"},
	[HOOK_IRQ_ENTRY] = {"irq_handler_entry", "on_irq_entry", PROBE_IRQ, HOOK_TYPE_TRACEPOINT,
			    false, "when the handler of a device interrupt began",
			    "time that device interrupts took", "none known"},
	[HOOK_IRQ_EXIT] = {"irq_handler_exit", "on_irq_exit", PROBE_IRQ, HOOK_TYPE_TRACEPOINT,
			   false, "when it ended, and what it took from a thread",
			   "time that device interrupts took", "none known"},
	[HOOK_SOFTIRQ_RAISE] = {"softirq_raise", "on_softirq_raise", PROBE_IRQ,
				HOOK_TYPE_TRACEPOINT, false,
				"which softirqs a thread asked for itself",
				"softirqs that a thread asked for count as taken from it",
				"none known"},
	[HOOK_SOFTIRQ_ENTRY] = {"softirq_entry", "on_softirq_entry", PROBE_IRQ,
				HOOK_TYPE_TRACEPOINT, false, "when a softirq began",
				"time that softirqs took", "none known"},
	[HOOK_SOFTIRQ_EXIT] = {"softirq_exit", "on_softirq_exit", PROBE_IRQ, HOOK_TYPE_TRACEPOINT,
			       false, "when it ended, and what it took from a thread",
			       "time that softirqs took", "none known"},
	[HOOK_TIMER_ENTRY] = {"local_timer_entry", "on_timer_entry", PROBE_IRQ,
			      HOOK_TYPE_TRACEPOINT, false, "when an interrupt for the timer began",
			      "time that interrupts for the timer took", "none needed (x86 only)"},
	[HOOK_TIMER_EXIT] = {"local_timer_exit", "on_timer_exit", PROBE_IRQ, HOOK_TYPE_TRACEPOINT,
			     false, "when it ended, and what it took from a thread",
			     "time that interrupts for the timer took", "none needed (x86 only)"},
	[HOOK_RESCHEDULE_ENTRY] = {"reschedule_entry", "on_reschedule_entry", PROBE_IRQ,
				   HOOK_TYPE_TRACEPOINT, false,
				   "when an interrupt for wake-ups from other CPUs began",
				   "time that interrupts for wake-ups from other CPUs took",
				   "none needed (x86 only)"},
	[HOOK_RESCHEDULE_EXIT] = {"reschedule_exit", "on_reschedule_exit", PROBE_IRQ,
				  HOOK_TYPE_TRACEPOINT, false,
				  "when it ended, and what it took from a thread",
				  "time that interrupts for wake-ups from other CPUs took",
				  "none needed (x86 only)"},
	[HOOK_CALL_ENTRY] = {"call_function_entry", "on_call_entry", PROBE_IRQ,
			     HOOK_TYPE_TRACEPOINT, false,
			     "when an interrupt for calls from other CPUs began",
			     "time that interrupts for calls from other CPUs took",
			     "none needed (x86 only)"},
	[HOOK_CALL_EXIT] = {"call_function_exit", "on_call_exit", PROBE_IRQ, HOOK_TYPE_TRACEPOINT,
			    false, "when it ended, and what it took from a thread",
			    "time that interrupts for calls from other CPUs took",
			    "none needed (x86 only)"},
	[HOOK_CALL_SINGLE_ENTRY] = {"call_function_single_entry", "on_call_single_entry", PROBE_IRQ,
				    HOOK_TYPE_TRACEPOINT, false,
				    "when an interrupt for calls from one other CPU began",
				    "time that interrupts for calls from one other CPU took",
				    "none needed (x86 only)"},
	[HOOK_CALL_SINGLE_EXIT] = {"call_function_single_exit", "on_call_single_exit", PROBE_IRQ,
				   HOOK_TYPE_TRACEPOINT, false,
				   "when it ended, and what it took from a thread",
				   "time that interrupts for calls from one other CPU took",
				   "none needed (x86 only)"},
	[HOOK_IRQ_WORK_ENTRY] = {"irq_work_entry", "on_irq_work_entry", PROBE_IRQ,
				 HOOK_TYPE_TRACEPOINT, false,
				 "when an interrupt for the kernel's deferred work began",
				 "time that interrupts for the kernel's deferred work took",
				 "none needed (x86 only)"},
	[HOOK_IRQ_WORK_EXIT] = {"irq_work_exit", "on_irq_work_exit", PROBE_IRQ,
				HOOK_TYPE_TRACEPOINT, false,
				"when it ended, and what it took from a thread",
				"time that interrupts for the kernel's deferred work took",
				"none needed (x86 only)"},
};

_Static_assert(ARRAY_SIZE(hooks) == HOOK_COUNT, "a row for each hook");
_Static_assert(HOOK_COUNT <= 64, "HOOK_BIT has room");

/* The type of a tracepoint's handler; -ENOENT if this kernel has no such tracepoint. */
static int find_tracepoint(const struct btf *btf, const char *name)
{
	_cleanup_free_ char *type = xasprintf("btf_trace_%s", name);

	return btf ? btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) : -ENOENT;
}

/* An empty program for a tracepoint found by its BTF type; ATTACH: also on it. */
static int try_tracepoint(const struct btf *btf, const char *name, bool attach)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = find_tracepoint(btf, name);
	_cleanup_close_ int program = -1;
	_cleanup_close_ int link = -1;

	if (id < 0)
		return id;
	options.attach_btf_id = (__u32)id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "hook_try", "GPL", empty, ARRAY_SIZE(empty),
				&options);
	if (program < 0)
		return -errno;
	if (!attach)
		return 0;
	link = bpf_raw_tracepoint_open(NULL, program);
	return link < 0 ? -errno : 0;
}

bool hook_finish_switch_name(char *name, size_t size)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols)) {
		if (sscanf(line, "%*s %*s %255s", symbol) != 1 ||
		    strncmp(symbol, "finish_task_switch", 18) ||
		    (symbol[18] && symbol[18] != '.') ||
		    strstr(symbol, ".cold")) /* never called from its begin */
			continue;
		snprintf(name, size, "%s", symbol);
		found = true;
	}
	if (symbols)
		fclose(symbols);
	return found;
}

/* The number that a kind of perf event has on this kernel; -ENOENT if it has none. */
static int event_type(const char *name)
{
	_cleanup_free_ char *path = xasprintf("/sys/bus/event_source/devices/%s/type", name);
	FILE *file = fopen(path, "re");
	int type, got;

	if (!file)
		return -ENOENT;
	got = fscanf(file, "%d", &type);
	fclose(file);
	return got == 1 ? type : -ENOENT;
}

static int try_kprobe(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	_cleanup_close_ int event = -1;
	int type = event_type("kprobe");
	char name[256];

	if (type < 0 || !hook_finish_switch_name(name, sizeof(name)))
		return -ENOENT;
	attr.type = (__u32)type;
	attr.config1 = (uintptr_t)name;
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return event < 0 ? -errno : 0;
}

/* At a place that no file has: a kernel that only refuses that would take another. */
static int try_uprobe_event(enum hook_id id)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	_cleanup_close_ int event = -1;
	int type = event_type("uprobe");

	if (type < 0)
		return type;
	attr.type = (__u32)type;
	attr.config = id == HOOK_FUNCTION_RETURN;
	attr.config1 = (uintptr_t) "/proc/self/exe";
	attr.config2 = INT64_MAX;
	event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return event >= 0 || errno == EINVAL ? 0 : -errno;
}

static int try_perf_event(enum hook_id id)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE};
	_cleanup_close_ int event = -1;

	attr.config = id == HOOK_SAMPLE ? PERF_COUNT_SW_CPU_CLOCK : PERF_COUNT_SW_DUMMY;
	attr.sample_period = 10000000;
	attr.disabled = 1;
	attr.mmap = attr.mmap2 = id == HOOK_SIDE_BAND;
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return event < 0 ? -errno : 0;
}

static int try_uprobe(enum hook_id id)
{
	if (id == HOOK_FUNCTION_MULTI)
		return function_engine_try(FUNCTION_ENGINE_MULTI);
	if (id == HOOK_FUNCTION_SESSION)
		return function_engine_try(FUNCTION_ENGINE_SESSION);
	return try_uprobe_event(id);
}

/* Whether the program loads is seen when it is loaded; it needs this. */
static int try_iterator(const struct btf *btf)
{
	int id = btf ? btf__find_by_name_kind(btf, "bpf_iter_task", BTF_KIND_FUNC) : -ENOENT;

	return id < 0 ? id : 0;
}

static struct hook_state try_hook(const struct btf *btf, enum hook_id id, bool attach)
{
	int err = -EINVAL;

	switch (hooks[id].type) {
	case HOOK_TYPE_TRACEPOINT:
		err = try_tracepoint(btf, hooks[id].name, attach);
		break;
	case HOOK_TYPE_KPROBE:
		err = try_kprobe();
		break;
	case HOOK_TYPE_PERF_EVENT:
		err = try_perf_event(id);
		break;
	case HOOK_TYPE_UPROBE:
		err = try_uprobe(id);
		if (!err && id == HOOK_UNWIND && !returns_can_be_repaired(NULL))
			err = -EOPNOTSUPP;
		break;
	case HOOK_TYPE_ITERATOR:
		err = try_iterator(btf);
		break;
	}
	return (struct hook_state){.works = err == 0, .error = err};
}

/* 5.18 gave sched_switch a fourth argument, the state: so says the tracepoint's own type. */
static bool has_prev_state_argument(const struct btf *btf)
{
	int id = find_tracepoint(btf, "sched_switch");
	const struct btf_type *type;

	if (id <= 0)
		return false;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	if (btf_is_ptr(type))
		type = btf__type_by_id(btf, type->type);
	/* void *data, preempt, prev, next, prev_state */
	return btf_is_func_proto(type) && btf_vlen(type) >= 5;
}

bool hook_is_evidence(enum hook_id id)
{
	return id == HOOK_KICK || id == HOOK_SCHED_EXIT || id == HOOK_FINISH_SWITCH;
}

enum hook_id hook_end(enum hook_id id)
{
	switch (id) {
	case HOOK_CONTENTION_BEGIN:
	case HOOK_RECLAIM_BEGIN:
	case HOOK_CGROUP_RECLAIM_BEGIN:
	case HOOK_COMPACTION_BEGIN:
	case HOOK_IRQ_ENTRY:
	case HOOK_SOFTIRQ_ENTRY:
	case HOOK_TIMER_ENTRY:
	case HOOK_RESCHEDULE_ENTRY:
	case HOOK_CALL_ENTRY:
	case HOOK_CALL_SINGLE_ENTRY:
	case HOOK_IRQ_WORK_ENTRY:
		return id + 1;
	case HOOK_DISK_START:
	case HOOK_DISK_INSERT:
	case HOOK_DISK_ISSUE:
		return HOOK_DISK_COMPLETE;
	default:
		return HOOK_COUNT;
	}
}

bool hook_has_stand_in(enum hook_id id, const struct hook_state *states)
{
	bool one_works = false;

	if (id == HOOK_FUNCTION_MULTI || id == HOOK_FUNCTION_SESSION)
		return states[HOOK_FUNCTION_ENTRY].works;
	if (id == HOOK_DISK_START)
		return states[HOOK_DISK_INSERT].works;
	if (id == HOOK_DISK_INSERT)
		return states[HOOK_DISK_START].works;
	for (enum hook_id other = 0; other < HOOK_COUNT; other++)
		one_works |= other != id && hook_is_evidence(other) && states[other].works;
	return hook_is_evidence(id) && one_works;
}

void hooks_try(struct hook_state *ret_states, bool attach_all, bool *ret_has_prev_state_arg)
{
	struct btf *btf = btf__load_vmlinux_btf();

	for (enum hook_id id = 0; id < HOOK_COUNT; id++)
		ret_states[id] = try_hook(btf, id, attach_all || hooks[id].is_required);
	if (ret_has_prev_state_arg)
		*ret_has_prev_state_arg = has_prev_state_argument(btf);
	btf__free(btf);
}

/* The kernel side knows threads by the machine's numbers, /proc shows those of our namespace. */
static int check_namespace(void)
{
	char name[64];
	ssize_t n = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	if (n < 0)
		return 0;
	name[n] = '\0';
	return strcmp(name, MACHINE_PID_NAMESPACE) == 0
		       ? 0
		       : fail(-EOPNOTSUPP,
			      "this is not the machine's own pid namespace, threads would be "
			      "taken for others: run it outside, or start the container with "
			      "--pid=host");
}

/* What libbpf has to say is for those who ask for it: a hook that is missing is no error. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!getenv("DASHCAM_DEBUG") || level > LIBBPF_INFO)
		return 0;
	return vfprintf(stderr, format, args);
}

/* 5.12 brought the atomic add that gives the old value, by which a log is written. */
static bool has_atomic_fetch(void)
{
	const struct bpf_insn fetch[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_0,
		 .off = -8,
		 .imm = BPF_ADD | BPF_FETCH},
		{.code = BPF_JMP | BPF_EXIT},
	};
	_cleanup_close_ int program = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "fetch_try", "GPL",
						    fetch, ARRAY_SIZE(fetch), NULL);

	return program != -EINVAL;
}

int hooks_check_machine(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	int map;

	libbpf_set_print(print_libbpf);
	if (access(BTF_PATH, R_OK))
		return fail_errno(-errno,
				  "the kernel does not describe its types (%s); a kernel with "
				  "CONFIG_DEBUG_INFO_BTF=y is needed (Debian 12, Ubuntu 24.04, "
				  "RHEL 10 and later have it)",
				  BTF_PATH);
	map = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (map >= 0) {
		close(map);
		if (!has_atomic_fetch())
			return fail(-EOPNOTSUPP, "this kernel is too old: dashcam records on 6.1 "
						 "and later");
		return check_namespace();
	}
	if (errno == EPERM && geteuid() != 0)
		return fail(-EPERM, "recording needs root (or the capabilities CAP_BPF and "
				    "CAP_PERFMON): try it with sudo");
	if (errno == EPERM)
		return fail(-EPERM,
			    "the kernel refuses BPF to root: in a container give it "
			    "CAP_BPF and CAP_PERFMON, and see /sys/kernel/security/lockdown");
	return fail_errno(-errno, "the kernel refuses BPF");
}
