/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/rules.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

#define LONG_NS (20 * NS_PER_MS)

/* A busy machine makes run-queue delays of some per cent without anything being wrong. */
static const struct category_rule rules[CATEGORY_COUNT] = {
	[CATEGORY_UNKNOWN] = {"did something that was not recognised", 0, 1, 0},
	[CATEGORY_CPU_USER] = {"ran its own code", 0.3, 0.5, 0},
	[CATEGORY_CPU_KERNEL] = {"ran in the kernel", 0.4, 0.3, 0},
	[CATEGORY_CPU_IRQ] = {"lost its CPU to interrupts", 1, 0.1, 0},
	[CATEGORY_CPU_STEAL] = {"lost its CPU to the hypervisor", 1, 0.1, 0},
	[CATEGORY_RUNQ_PREEMPTED] = {"was put off its CPU", 1, 0.1, 5 * LONG_NS},
	[CATEGORY_RUNQ_WOKEN] = {"waited for a CPU after it was woken", 1, 0.1, 5 * LONG_NS},
	[CATEGORY_RUNQ_THROTTLED] = {"was stopped by its CPU quota", 1, 0.05, LONG_NS},
	[CATEGORY_RUNQ_LATENCY] = {"could run, while its CPU was idle", 0.5, 0.1, 5 * LONG_NS},
	[CATEGORY_LOCK_FUTEX] = {"waited for a lock", 1, 0.05, LONG_NS},
	[CATEGORY_LOCK_KERNEL] = {"waited for a lock in the kernel", 1, 0.05, LONG_NS},
	[CATEGORY_WAIT_CONDITION] = {"waited for another thread's work", 0.6, 0.1, 5 * LONG_NS},
	[CATEGORY_WAIT_IPC] = {"waited for another process or thread", 0.6, 0.1, 5 * LONG_NS},
	[CATEGORY_WAIT_CHILD] = {"waited for a child process", 0.5, 0.1, 5 * LONG_NS},
	[CATEGORY_WAIT_IDLE] = {"had nothing to do", 0.3, 0.1, 0},
	[CATEGORY_WAIT_SLEEP] = {"slept because it asked to", 0.3, 0.05, 5 * LONG_NS},
	[CATEGORY_IO_DISK] = {"waited for a disk", 1, 0.05, LONG_NS},
	[CATEGORY_IO_FS] = {"waited for a file system", 1, 0.05, LONG_NS},
	[CATEGORY_NET_RECV] = {"waited for data from the network", 0.7, 0.1, 5 * LONG_NS},
	[CATEGORY_NET_SEND] = {"waited for the network to take data", 1, 0.05, LONG_NS},
	[CATEGORY_NET_CONNECT] = {"waited for a connection", 1, 0.05, LONG_NS},
	[CATEGORY_MEM_FAULT] = {"handled page faults", 1, 0.1, LONG_NS},
	[CATEGORY_MEM_RECLAIM] = {"freed memory before it got some", 1, 0.05, LONG_NS},
	[CATEGORY_MEM_COMPACT] = {"moved memory about to get some", 1, 0.05, LONG_NS},
	[CATEGORY_MEM_SWAP] = {"waited for swapped-out memory", 1, 0.05, LONG_NS},
	[CATEGORY_MEM_OOM] = {"was out of memory", 1, 0.01, LONG_NS},
	[CATEGORY_STOP] = {"was stopped", 1, 0.05, LONG_NS},
};

const struct category_rule *rule_of(enum category category)
{
	return &rules[category];
}

/* CATEGORY_COUNT: whatever it is. */
#define ANY CATEGORY_COUNT

struct advice {
	enum category category;
	enum category leaf;
	const char *object; /* a part of it; NULL: whatever it is */
	const char *text;
};

static const struct advice advices[] = {
	{CATEGORY_LOCK_FUTEX, ANY, "lock of malloc",
	 "many threads allocate at the same time: allocate less in {function}, allow more arenas "
	 "(MALLOC_ARENA_MAX), or take another allocator (jemalloc, tcmalloc)"},
	{CATEGORY_LOCK_FUTEX, ANY, "lock of stdio",
	 "many threads use one FILE: collect the text first and write it in one go, or let one thread "
	 "write"},
	{CATEGORY_LOCK_FUTEX, ANY, "GIL",
	 "threads of one Python program compute one at a time: use processes (multiprocessing), or code "
	 "that lets the lock go"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_CPU_USER, NULL,
	 "shorten the critical section: do the work of {function} before {culprit} takes the lock, "
	 "or split the lock"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_CPU_KERNEL, NULL,
	 "move the system calls of {culprit} in {function} out of the critical section"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_WAIT_SLEEP, NULL,
	 "{culprit} sleeps in {function} while it holds the lock: let it go before sleeping"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_RUNQ_PREEMPTED, NULL,
	 "the holder lacks CPU time: keep {culprit} off its CPU; where {target} has the higher priority, "
	 "a mutex that passes it on helps (PTHREAD_PRIO_INHERIT)"},
	{ANY, CATEGORY_RUNQ_PREEMPTED, NULL,
	 "the one that is waited for lacks CPU time, because {culprit} runs: keep them apart, or raise "
	 "the priority of the one that is waited for"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_IO_DISK, NULL,
	 "do the input and output in {function} outside of the lock"},
	{CATEGORY_LOCK_FUTEX, CATEGORY_IO_FS, NULL,
	 "do the input and output in {function} outside of the lock"},
	{CATEGORY_LOCK_FUTEX, ANY, NULL,
	 "see what {culprit} does in {function} while it holds the lock"},
	{CATEGORY_LOCK_KERNEL, ANY, "mmap_lock",
	 "{culprit} works on the whole address space in {function}: fork, unmap, and read smaps (or "
	 "smaps_rollup) less often or in smaller parts"},
	{CATEGORY_LOCK_KERNEL, ANY, "rtnl",
	 "{culprit} changes the network configuration: do it less often or in one batch"},
	{CATEGORY_LOCK_KERNEL, ANY, "inode",
	 "{culprit} writes to the same file or directory: write to files of their own, or from one "
	 "thread"},
	{CATEGORY_LOCK_KERNEL, ANY, "cgroup",
	 "creating, removing and moving between cgroups waits for all CPUs: do it less often"},
	{CATEGORY_LOCK_KERNEL, ANY, "file lock",
	 "{culprit} holds the file's lock: shorten what it does in {function} meanwhile"},
	{CATEGORY_LOCK_KERNEL, ANY, NULL,
	 "see what {culprit} does in {function} while it holds {object}"},
	{CATEGORY_WAIT_CONDITION, CATEGORY_CPU_USER, NULL,
	 "make {function} in {culprit} faster, or give the work to more threads"},
	{CATEGORY_WAIT_CONDITION, CATEGORY_WAIT_SLEEP, NULL,
	 "{culprit} sleeps in {function}: wake it by an event instead of a timer"},
	{CATEGORY_WAIT_CONDITION, ANY, NULL,
	 "the work is late because of {culprit}: see what it does in {function}"},
	{CATEGORY_WAIT_IPC, CATEGORY_CPU_USER, NULL, "make {function} in {culprit} faster"},
	{CATEGORY_WAIT_IPC, CATEGORY_WAIT_SLEEP, NULL,
	 "{culprit} sleeps in {function} before it answers"},
	{CATEGORY_WAIT_IPC, ANY, NULL, "see what {culprit} does in {function} before it answers"},
	{CATEGORY_WAIT_CHILD, CATEGORY_CPU_USER, NULL,
	 "the child {culprit} computes in {function}: do not wait for it in this thread"},
	{CATEGORY_WAIT_CHILD, ANY, NULL,
	 "start fewer processes, or wait for {culprit} in another thread"},
	{CATEGORY_WAIT_SLEEP, ANY, ", slept",
	 "sleeps in {function} last longer than asked for ({object}): see the thread's timer slack (prctl "
	 "PR_SET_TIMERSLACK), and deep idle states or a hypervisor that delays timers"},
	{CATEGORY_WAIT_SLEEP, ANY, NULL, "{function} sleeps: wait for the event itself instead"},
	{CATEGORY_WAIT_IDLE, ANY, NULL, "nothing: it waits for requests"},
	{CATEGORY_RUNQ_THROTTLED, ANY, NULL,
	 "raise the CPU quota ({object}), or use fewer threads at a time"},
	{CATEGORY_RUNQ_PREEMPTED, ANY, "real-time",
	 "{culprit} runs before all ordinary threads ({object}): pin it to another CPU or lower its "
	 "priority"},
	{CATEGORY_RUNQ_WOKEN, ANY, "real-time",
	 "{culprit} runs before all ordinary threads ({object}): pin it to another CPU or lower its "
	 "priority"},
	{CATEGORY_RUNQ_PREEMPTED, ANY, NULL,
	 "too many threads want this CPU: pin {culprit} and {target} apart, or lower the priority of "
	 "{culprit} (nice, cpu.shares)"},
	{CATEGORY_RUNQ_WOKEN, ANY, NULL,
	 "too many threads want this CPU: pin {culprit} and {target} apart, or lower the priority of "
	 "{culprit} (nice, cpu.shares)"},
	{CATEGORY_RUNQ_LATENCY, ANY, NULL,
	 "the idle CPU was slow to begin: see deep idle states (cpuidle, latency limits) and the "
	 "hypervisor"},
	{CATEGORY_CPU_IRQ, ANY, "NET_",
	 "network packets are handled on this CPU: move the device's interrupts or its packet steering "
	 "(smp_affinity, rps_cpus) to another one"},
	{CATEGORY_CPU_IRQ, ANY, NULL,
	 "move the interrupts ({object}) to another CPU (/proc/irq/N/smp_affinity)"},
	{CATEGORY_CPU_STEAL, ANY, NULL, "the host has too little CPU time: ask for more"},
	{CATEGORY_IO_DISK, ANY, "throttled",
	 "its cgroup's disk limit is used up: raise it (blkio.throttle, io.max)"},
	{CATEGORY_IO_DISK, ANY, ", written",
	 "write less, or in another thread[; if {culprit} fills the disk's queue, limit it (ionice, "
	 "io.max)]"},
	{CATEGORY_IO_DISK, ANY, ", to be flushed",
	 "sync less often, or in another thread[; if {culprit} fills the disk's queue, limit it (ionice, "
	 "io.max)]"},
	{CATEGORY_IO_DISK, ANY, NULL,
	 "read ahead or keep the data in memory[; if {culprit} fills the disk's queue, limit it (ionice, "
	 "io.max)]"},
	{CATEGORY_IO_FS, ANY, NULL,
	 "write and sync less often or in another thread; see what {culprit} does in {function}"},
	{CATEGORY_NET_RECV, ANY, "no answer",
	 "questions or answers get lost ({object}): see whether {culprit} got them, drops them or has too "
	 "small a receive buffer (ss -u, nstat); shorten the time limit"},
	{CATEGORY_NET_RECV, ANY, "held back",
	 "send a question in one write, or set TCP_NODELAY on {target}'s socket"},
	{CATEGORY_NET_RECV, CATEGORY_CPU_USER, NULL,
	 "the network is fine, the peer {culprit} computes in {function}"},
	{CATEGORY_NET_RECV, ANY, "retransmission",
	 "packets are lost on the way of {object}: look at the network"},
	{CATEGORY_NET_RECV, CATEGORY_NET_RECV, NULL,
	 "the answer comes from outside of this machine ({object}): measure the way and the peer"},
	{CATEGORY_NET_RECV, ANY, NULL,
	 "the network is fine, the peer {culprit} is late: see {function}"},
	{CATEGORY_NET_SEND, CATEGORY_NET_SEND, NULL,
	 "the receiver does not read ({object}): see what it does meanwhile"},
	{CATEGORY_NET_SEND, ANY, NULL,
	 "the receiver does not read in time: see what {culprit} does in {function}"},
	{CATEGORY_NET_CONNECT, CATEGORY_NET_CONNECT, NULL,
	 "the peer does not answer or does not accept ({object}): see its backlog (ss -lt) and the "
	 "way"},
	{CATEGORY_NET_CONNECT, ANY, NULL,
	 "the peer does not accept in time: see what {culprit} does in {function}, and its backlog (ss "
	 "-lt)"},
	{CATEGORY_MEM_FAULT, ANY, NULL,
	 "touch the memory before it is needed (MAP_POPULATE, readahead, mlock), use larger pages, or "
	 "reuse it"},
	{CATEGORY_MEM_RECLAIM, ANY, "cgroup",
	 "the memory limit is too small for what it uses ({object}): raise it, or use less"},
	{CATEGORY_MEM_RECLAIM, ANY, NULL,
	 "memory is short: use less, or raise vm.min_free_kbytes so that it is freed in time"},
	{CATEGORY_MEM_COMPACT, ANY, NULL,
	 "large pages are made on the spot: set transparent_hugepage/defrag to defer"},
	{CATEGORY_MEM_SWAP, ANY, NULL,
	 "memory is short: use less, or lock what must be fast (mlock)"},
	{CATEGORY_MEM_OOM, ANY, NULL, "memory is used up: use less, or raise the limit"},
	{CATEGORY_STOP, ANY, NULL, "{culprit} stopped it: see why, and let it go on sooner"},
	{CATEGORY_CPU_USER, ANY, NULL,
	 "{function} is where it computes: make it faster or call it less"},
	{CATEGORY_CPU_KERNEL, ANY, NULL,
	 "fewer system calls: {function} keeps the kernel busy with {object}"},
	{ANY, ANY, NULL, "look at the chain (--chain)"},
};

static bool fits(enum category wanted, enum category is)
{
	return wanted == ANY || wanted == is ||
	       (wanted == CATEGORY_RUNQ_PREEMPTED && is == CATEGORY_RUNQ_WOKEN);
}

const char *advice_for(enum category category, enum category leaf, const char *object)
{
	size_t i = 0;

	for (; i + 1 < ARRAY_SIZE(advices); i++) {
		const struct advice *row = &advices[i];

		if (fits(row->category, category) && fits(row->leaf, leaf) &&
		    (!row->object || strstr(object, row->object)))
			break;
	}
	return advices[i].text;
}

const char *advice_for_deadlock(void)
{
	return "take the locks in the same order everywhere: {function} waits for one while its thread "
	       "holds another";
}

const char *advice_for_waiting_holder(void)
{
	return "{holder} keeps the lock while it waits for others: let it go before, or make {culprit} "
	       "faster in {function}";
}
