/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel hooks: one table says which there are, what each gives, and what to do where one is
 * missing. Whether one works is found out by trying it with an empty program, never by the kernel's
 * version.
 */
#ifndef DASHCAM_CAPTURE_HOOKS_H
#define DASHCAM_CAPTURE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a user can ask for by name; each is one or more hooks. */
enum probe_id {
	PROBE_SCHED,
	PROBE_SAMPLE,
	PROBE_IRQ,
	PROBE_SIGNAL,
	PROBE_DISK,
	PROBE_MEMORY,
	PROBE_TCP,
	PROBE_FUNCTION,
	PROBE_COUNT,
};

enum probe_mode {
	PROBE_ALWAYS,
	PROBE_BY_DEFAULT,
	PROBE_WHEN_ASKED
};

struct probe {
	const char *name;
	enum probe_mode mode;
	const char *gives; /* one sentence */
};

#define PROBE_BIT(id) (1u << (id))

/* PROBE_COUNT rows in the order of enum probe_id. */
extern const struct probe probes[];

/* "on by default" */
const char *probe_mode_text(enum probe_mode mode);

enum hook_id {
	HOOK_SWITCH,
	HOOK_WAKING,
	HOOK_WAKEUP_NEW,
	HOOK_FORK,
	HOOK_EXEC,
	HOOK_EXIT,
	HOOK_RENAME,
	HOOK_CONTENTION_BEGIN,
	HOOK_CONTENTION_END,
	HOOK_KICK,
	HOOK_SCHED_EXIT,
	HOOK_FINISH_SWITCH,
	HOOK_SAMPLE,
	HOOK_SIGNAL,
	HOOK_DISK_START,
	HOOK_DISK_INSERT,
	HOOK_DISK_ISSUE,
	HOOK_DISK_COMPLETE,
	HOOK_RECLAIM_BEGIN,
	HOOK_RECLAIM_END,
	HOOK_CGROUP_RECLAIM_BEGIN,
	HOOK_CGROUP_RECLAIM_END,
	HOOK_COMPACTION_BEGIN,
	HOOK_COMPACTION_END,
	HOOK_RETRANSMIT,
	HOOK_RETRANSMIT_SYNACK,
	HOOK_SIDE_BAND,
	HOOK_OPEN_WAITS,
	HOOK_FUNCTION_ENTRY,
	HOOK_FUNCTION_RETURN,
	HOOK_FUNCTION_MULTI,
	HOOK_FUNCTION_SESSION,
	HOOK_OPEN_CALLS,
	HOOK_UNWIND,
	HOOK_CATCH,
	HOOK_REPLACED_RETURNS,
	/* of a pair the end comes behind, and is attached first: no interrupt seems to last */
	HOOK_IRQ_ENTRY,
	HOOK_IRQ_EXIT,
	HOOK_SOFTIRQ_RAISE,
	HOOK_SOFTIRQ_ENTRY,
	HOOK_SOFTIRQ_EXIT,
	HOOK_TIMER_ENTRY,
	HOOK_TIMER_EXIT,
	HOOK_RESCHEDULE_ENTRY,
	HOOK_RESCHEDULE_EXIT,
	HOOK_CALL_ENTRY,
	HOOK_CALL_EXIT,
	HOOK_CALL_SINGLE_ENTRY,
	HOOK_CALL_SINGLE_EXIT,
	HOOK_IRQ_WORK_ENTRY,
	HOOK_IRQ_WORK_EXIT,
	HOOK_COUNT,
};

#define HOOK_BIT(id) (UINT64_C(1) << (id))

enum hook_type {
	HOOK_TYPE_TRACEPOINT,
	HOOK_TYPE_KPROBE,
	HOOK_TYPE_PERF_EVENT,
	HOOK_TYPE_UPROBE,
	HOOK_TYPE_ITERATOR, /* run once, when the capture stops */
};

struct hook {
	const char *name;    /* of the tracepoint, function or perf event */
	const char *program; /* in the BPF object; NULL: none */
	enum probe_id probe;
	enum hook_type type;
	bool is_required;
	const char *gives;   /* what it is for, one sentence */
	const char *without; /* what is not known where it is missing */
	const char *mend;    /* what the user can do about that */
};

/* HOOK_COUNT rows in the order of enum hook_id. */
extern const struct hook hooks[];

struct hook_state {
	bool works;
	int error; /* the negative errno that refused it, or -EVENT_HOOK_LEFT_OUT; 0 if it works */
};

/* One of those that stand in for one another: evidence of waits is taken at the best that works. */
bool hook_is_evidence(enum hook_id id);

/* The hook that ends what ID begins: without it ID is worse than nothing, since whatever began
 * would seem to last. HOOK_COUNT: ID begins nothing. */
enum hook_id hook_end(enum hook_id id);

/*
 * Adds the bits of the hooks in NAMES, which have commas between them: of hooks as `doctor` names
 * them, or of probes, which stand for all their hooks. Fails with a sentence on a name that there
 * is not (and says which are near), and on a hook that every recording needs.
 */
int hook_names_read(const char *names, uint64_t *ret_bits);

/* Does another hook that works give the same? Then this one is not needed, or not missed. */
bool hook_has_stand_in(enum hook_id id, const struct hook_state *states);

/*
 * Tries all, HOOK_COUNT states. Leaves nothing attached. A kernel that takes the program for a
 * tracepoint takes it there too, if it does for one; but to put it there takes up to 15 ms, because
 * code is patched on all CPUs. So without ATTACH_ALL only those that every recording needs are
 * tried in full. Says too (unless NULL) whether sched_switch gives the state of who leaves as an
 * argument.
 */
void hooks_try(struct hook_state *ret_states, bool attach_all, bool *ret_has_prev_state_arg);

/* The kernel's own name of finish_task_switch (compilers add suffixes). False: not found. */
bool hook_finish_switch_name(char *name, size_t size);

/*
 * Can this process record at all? Checks, in this order: BTF, privileges and the bpf system call,
 * the kernel's age, the pid namespace. From then on libbpf is quiet, unless DASHCAM_DEBUG is set.
 * Call it before anything else here. Returns 0 or a negative errno with a sentence that says what
 * to do.
 */
int hooks_check_machine(void);

#endif
