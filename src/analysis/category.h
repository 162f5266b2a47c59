/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Categories: every nanosecond of a thread's life is in one of them.
 *
 * A wait's category comes from a table of kernel functions matched against its kernel stack,
 *refined by system call, descriptor, futex operation, owner, and the names in the user and waker's
 *stacks. A sample's comes from the rows of the same table that are about memory. To extend:
 *	category_table.c	kernel functions and what a thread waits for in them
 *	category_words.c	names of kernel locks; functions that are only ways to wait
 *	category_user.c		functions of C libraries and runtimes that wait or lock
 * and add a line to tests/fixtures/waits.txt.
 */
#ifndef DASHCAM_ANALYSIS_CATEGORY_H
#define DASHCAM_ANALYSIS_CATEGORY_H

#include <stdint.h>

#include "model/model.h"

/* NAME, text, what it means to a reader */
#define CATEGORIES(X)                                                                              \
	X(UNKNOWN, "unknown", "not observed, or not recognised")                                   \
	X(CPU_USER, "cpu.user", "ran its own code")                                                \
	X(CPU_KERNEL, "cpu.kernel", "ran in the kernel")                                           \
	X(CPU_IRQ, "cpu.irq", "interrupts took its CPU")                                           \
	X(CPU_STEAL, "cpu.steal", "the hypervisor ran something else")                             \
	X(RUNQ_PREEMPTED, "runq.preempted", "was put off its CPU while it could run")              \
	X(RUNQ_WOKEN, "runq.woken", "woken, then waited for a CPU")                                \
	X(RUNQ_THROTTLED, "runq.throttled", "its cgroup's CPU quota was spent")                    \
	X(RUNQ_LATENCY, "runq.latency", "could run, and its CPU was idle")                         \
	X(LOCK_FUTEX, "lock.futex", "a lock of the program")                                       \
	X(LOCK_KERNEL, "lock.kernel", "a lock in the kernel, or a file lock")                      \
	X(WAIT_CONDITION, "wait.condition", "another thread's work: condition, join, semaphore")   \
	X(WAIT_IPC, "wait.ipc", "pipe, unix socket, eventfd, signal")                              \
	X(WAIT_CHILD, "wait.child", "a child process")                                             \
	X(WAIT_IDLE, "wait.idle", "had nothing to do: epoll, poll, select, accept")                \
	X(WAIT_SLEEP, "wait.sleep", "sleep that it asked for")                                     \
	X(IO_DISK, "io.disk", "a disk")                                                            \
	X(IO_FS, "io.fs", "a file system: journal, writeback, user-space server")                  \
	X(NET_RECV, "net.recv", "data from the network")                                           \
	X(NET_SEND, "net.send", "the network to take data")                                        \
	X(NET_CONNECT, "net.connect", "a connection")                                              \
	X(MEM_FAULT, "mem.fault", "page faults")                                                   \
	X(MEM_RECLAIM, "mem.reclaim", "freeing memory before it got some")                         \
	X(MEM_COMPACT, "mem.compact", "moving memory to make it contiguous")                       \
	X(MEM_SWAP, "mem.swap", "memory that was swapped out")                                     \
	X(MEM_OOM, "mem.oom", "out of memory")                                                     \
	X(STOP, "stop", "stopped: SIGSTOP, debugger, freezer")

enum category {
#define X(NAME, text, says) CATEGORY_##NAME,
	CATEGORIES(X)
#undef X
	CATEGORY_COUNT,
};

/* "lock.futex", for people and machines alike. */
const char *category_name(enum category category);
/* What it means, a phrase. */
const char *category_says(enum category category);

/*
 * Why the blocked part of WAIT was: never one of cpu.* or runq.*. UNKNOWN without evidence, unless
 * the task state alone says it (stopped; a kernel thread that is parked or idle), or it is of the
 * recorder or of a command that it still holds back (wait.idle). Without a kernel stack, or with
 * one that has no row, the system call and its object say what they can. What a function means is
 * kept in the model's places, so asking again is cheap: about 0.3 us a wait.
 */
enum category category_of_block(struct model *model, const struct wait *wait);

/*
 * Why the runnable part of WAIT was, from its switch-out and wake-up alone: runq.throttled,
 * runq.preempted (yields too) or runq.woken (newborn threads too); runq.latency needs to know who
 * ran meanwhile.
 */
enum category category_of_runnable(const struct wait *wait);
/* The same by its parts: how it left its CPU, and whether somebody woke it. */
enum category category_of_queue(uint16_t prev_state, uint8_t switch_flags, bool was_woken);

/* The whole of WAIT in one word: the longer of its two parts. What SQL's wait.category shows. */
enum category category_of_wait(struct model *model, const struct wait *wait);

/*
 * What the CPU time a sample stands for was used for: cpu.user, cpu.kernel, mem.fault (page faults
 * and zeroing), mem.reclaim, mem.compact, mem.swap or cpu.irq (the tick found interrupt work that
 * was not the thread's own).
 */
enum category category_of_sample(struct model *model, const struct sample *sample);

/*
 * What a lock in the kernel is called, from the frame that took it: "rtnl", "inode lock",
 * "mmap_lock", "pipe", "cgroup", "RCU grace period", "file lock", ...; NULL if the wait is not
 * lock.kernel or nothing names it: then category_kernel_place gives the function that took it.
 * Static text.
 */
const char *category_lock_name(struct model *model, const struct wait *wait);

/*
 * The function that stands for the wait to a reader: the innermost user function that is not part
 * of the C library, the dynamic loader or a language runtime's waiting, named if there is such a
 * one ("app+0x12" else), else the innermost named one. KERNEL stacks: the innermost function below
 * the system call's entry that says what it was: never schedule, mutex_lock, wait_for_completion
 * and the like, unless there is nothing else. NULL if the stack is not known.
 */
const struct place *category_user_place(struct model *model, uint64_t user_stack);
const struct place *category_kernel_place(struct model *model, uint64_t kernel_stack);

#endif
