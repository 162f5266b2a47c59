/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Stacks by content: a 64-bit hash is the id, the definition is written once.
 *
 * `definitions` remembers where each id was last defined. A definition that the log may soon
 * overwrite (older than half the log) is written again, so that no event that is still readable
 * names a stack that is not.
 *
 * A user stack is copied, not walked: Debian's programs have no frame pointers. Its id hashes the
 * registers that say where the thread is and every word of the copy that may be a return address,
 * so that the same chain of callers is copied once, and another chain is never mistaken for it.
 */
#ifndef DASHCAM_BPF_STACK_BPF_H
#define DASHCAM_BPF_STACK_BPF_H

#include "bpf/returns.bpf.h"
#include "bpf/slot.bpf.h"

#define STACK_WORDS (EVENT_USER_COPY_MAX / 8)
#define HASH_CHUNK  32
#define STACK_BYTES                                                                                \
	(9ULL << 20) /* the default limit of 8 MB, and a bit below the stack pointer               \
		      */
#define MAPPED_BYTES                                                                               \
	(64ULL << 30) /* below mmap_base: libraries are mapped from there downwards                \
		       */

struct definition {
	__u32 cpu;
	__u32 reserved;
	__u64 position; /* units, in that CPU's evidence log */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct definition);
} definitions SEC(".maps");

/* Where a program prepares a stack before it knows whether the log needs it. One of each per CPU,
 * because a sample or a waking in an interrupt may come in the middle of another's work. */
enum scratch_use {
	SCRATCH_WAIT = 0,
	SCRATCH_WAKER = 1,
	SCRATCH_SAMPLE = 2,
	SCRATCH_OPEN = 3,
	SCRATCH_USES = 4
};

struct scratch {
	__u64 hash;
	__u64 regs[EVENT_USER_REGS];
	__u64 frames[EVENT_FRAMES_MAX + 1];
	__u64 copy[STACK_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_USES);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_of(__u32 use)
{
	return bpf_map_lookup_elem(&scratches, &use);
}

/*
 * For loop bounds: a value the verifier does not connect with what it was computed from. Else it
 * would learn the number of bytes from each turn at which a loop may end, and walk all that follows
 * the loop once for each.
 */
static __always_inline __u32 words_in(__u32 bytes)
{
	__u32 words = bytes >> 3;

	asm volatile("" : "+r"(words));
	return words;
}

static __always_inline __u64 hash_step(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

/* True if the definition of ID is safely in a log; else the caller writes it now. */
static __always_inline bool is_defined(__u64 id)
{
	struct definition *was = bpf_map_lookup_elem(&definitions, &id);
	struct log_head *log;
	__u64 age_bytes;

	if (!was)
		return false;
	log = evidence_log_of(was->cpu);
	if (!log)
		return false;
	age_bytes = ((log->position & LOG_UNITS_MASK) - was->position) * LOG_EVIDENCE_UNIT;
	return age_bytes <= settings.evidence_mask / 2;
}

static __always_inline void remember_definition(__u64 id, __u32 cpu, __u64 position)
{
	struct definition now = {.cpu = cpu, .position = position};

	bpf_map_update_elem(&definitions, &id, &now, BPF_ANY);
}

/* Defines the BYTES of kernel addresses in SCRATCH if need be. Returns the id, 0 if there are none.
 */
static __always_inline __u64 define_kernel_stack(long bytes, struct scratch *scratch,
						 struct log_head *log, __u32 cpu, __u64 now_ns)
{
	struct event_raw_kernel_stack *raw;
	__u64 id = 0x6b65726eULL, position;
	__u32 mark, size = (__u32)bytes, count = words_in(size);

	if (bytes <= 0 || bytes > EVENT_FRAMES_MAX * 8)
		return 0;
	for (__u32 i = 0; i < EVENT_FRAMES_MAX; i++) {
		if (i >= count)
			break;
		id = hash_step(id, scratch->frames[i]);
	}
	if (is_defined(id))
		return id;
	raw = evidence_reserve(log, sizeof(*raw) + size, &mark, &position);
	event_begin(&raw->header, mark, EVENT_RAW_KERNEL_STACK, sizeof(*raw) + size, now_ns);
	raw->id = id;
	raw->frame_count = size / 8;
	raw->reserved = 0;
	bpf_probe_read_kernel(raw->addresses, size, scratch->frames);
	event_commit(&raw->header, mark);
	remember_definition(id, cpu, position);
	return id;
}

/* The kernel stack of the running program's context. */
static __always_inline __u64 kernel_stack_id(void *ctx, struct scratch *scratch,
					     struct log_head *log, __u32 cpu, __u64 now_ns)
{
	long bytes = bpf_get_stack(ctx, scratch->frames, EVENT_FRAMES_MAX * 8, 0);

	return define_kernel_stack(bytes, scratch, log, cpu, now_ns);
}

/* The kernel stack of a thread that is not running. */
static __always_inline __u64 task_kernel_stack_id(struct task_struct *task, struct scratch *scratch,
						  struct log_head *log, __u32 cpu, __u64 now_ns)
{
	long bytes = bpf_get_task_stack(task, scratch->frames, EVENT_FRAMES_MAX * 8, 0);

	return define_kernel_stack(bytes, scratch, log, cpu, now_ns);
}

/* Registers by their x86-64 DWARF numbers. */
static __always_inline void read_registers(struct scratch *scratch, struct pt_regs *regs)
{
	scratch->regs[0] = regs->ax;
	scratch->regs[1] = regs->dx;
	scratch->regs[2] = regs->cx;
	scratch->regs[3] = regs->bx;
	scratch->regs[4] = regs->si;
	scratch->regs[5] = regs->di;
	scratch->regs[6] = regs->bp;
	scratch->regs[7] = regs->sp;
	scratch->regs[8] = regs->r8;
	scratch->regs[9] = regs->r9;
	scratch->regs[10] = regs->r10;
	scratch->regs[11] = regs->r11;
	scratch->regs[12] = regs->r12;
	scratch->regs[13] = regs->r13;
	scratch->regs[14] = regs->r14;
	scratch->regs[15] = regs->r15;
	scratch->regs[16] = regs->ip;
}

/*
 * Bytes from the stack pointer to the stack's end, as far as that is known: the main thread's
 * begins at mm->start_stack; other threads' ends at their thread block, to which the thread pointer
 * points (glibc, musl and bionic put it on top of the stack). Elsewhere (signal stacks, coroutines)
 * the maximum.
 */
static __always_inline __u64 stack_extent(struct task_struct *task, __u64 sp)
{
	__u64 top = task->mm->start_stack;

	if (top - sp <= STACK_BYTES)
		return top - sp;
	top = task->thread.fsbase;
	if (top - sp <= STACK_BYTES)
		return top - sp;
	return ~0ULL;
}

/*
 * Copies up to BYTES of the user stack at SP, as much as is in memory. Returns how many. This and
 * the next are global functions: the verifier walks them once, not once for every way that leads to
 * them.
 */
__noinline __u32 copy_stack(struct scratch *scratch, __u64 sp, __u32 bytes)
{
	__u32 done = 0, step;

	if (!scratch)
		return 0;
	if (bytes > EVENT_USER_COPY_MAX)
		bytes = EVENT_USER_COPY_MAX;
	if (!bpf_probe_read_user(scratch->copy, bytes, (void *)sp))
		return bytes;
	step = 4096 - (sp & 4095);
	for (int i = 0; i < 5; i++) {
		if (done + step > bytes || done > EVENT_USER_COPY_MAX - 4096)
			break;
		if (bpf_probe_read_user((void *)scratch->copy + done, step & 8191,
					(void *)(sp + done)))
			break;
		done += step;
		step = 4096;
	}
	return done;
}

/* A walk along the return addresses that the kernel has replaced, beside a stack. */
struct return_walk {
	struct scratch *scratch;
	struct return_instance *instance; /* the next one */
	__u64 trampoline;
	__u32 bytes; /* of the copy; or the number of frames */
};

/* One turn; returns 1 at the end. */
static long restore_word(__u32 turn, void *context)
{
	struct return_walk *walk = context;
	struct return_instance *instance = walk->instance;
	__u64 at;
	__u32 word;

	if (!instance)
		return 1;
	at = BPF_CORE_READ(instance, stack) - walk->scratch->regs[7];
	word = (__u32)(at / 8) % STACK_WORDS;
	if (at < walk->bytes && walk->scratch->copy[word] == walk->trampoline)
		walk->scratch->copy[word] = BPF_CORE_READ(instance, orig_ret_vaddr);
	walk->instance = BPF_CORE_READ(instance, next);
	return 0;
}

/* The same for frames that were walked: they are in the order of the calls. */
static long restore_frame(__u32 turn, void *context)
{
	struct return_walk *walk = context;
	struct return_instance *instance = walk->instance;
	__u32 i = turn % (EVENT_FRAMES_MAX + 1);

	if (!instance || i >= walk->bytes)
		return 1;
	if (walk->scratch->frames[i] != walk->trampoline)
		return 0;
	walk->scratch->frames[i] = BPF_CORE_READ(instance, orig_ret_vaddr);
	walk->instance = BPF_CORE_READ(instance, next);
	return 0;
}

/*
 * Where functions are traced, return addresses on the stack are replaced by the kernel's
 * trampoline, and nobody finds a caller behind it: in the copy of BYTES they become what they were.
 * TASK is current or does not run.
 */
static __noinline int restore_returns(struct task_struct *task, struct scratch *scratch,
				      __u32 bytes)
{
	struct return_walk walk = {
		.scratch = scratch, .instance = first_return(task), .bytes = bytes};

	if (!walk.instance)
		return 0;
	walk.trampoline = return_trampoline(task);
	if (compat_has_loop()) {
		bpf_loop(RETURNS_MAX, restore_word, &walk, 0);
		return 0;
	}
	for (__u32 turn = 0; turn < RETURNS_MAX; turn++) {
		if (restore_word(turn, &walk))
			break;
	}
	return 0;
}

/* The same for COUNT frames. Newer kernels have done it already. */
static __noinline int restore_frames(struct task_struct *task, struct scratch *scratch, __u32 count)
{
	struct return_walk walk = {
		.scratch = scratch, .instance = first_return(task), .bytes = count};

	if (!walk.instance)
		return 0;
	walk.trampoline = return_trampoline(task);
	if (compat_has_loop()) {
		bpf_loop(EVENT_FRAMES_MAX, restore_frame, &walk, 0);
		return 0;
	}
	for (__u32 turn = 0; turn < EVENT_FRAMES_MAX; turn++) {
		if (restore_frame(turn, &walk))
			break;
	}
	return 0;
}

/* What hash_callers looks for, and where. */
struct callers {
	struct scratch *scratch;
	__u64 code;
	__u64 code_size;
	__u64 mapped;
	__u64 stack;
	__u32 words;
};

static __always_inline void hash_word(struct callers *callers, __u64 word)
{
	if (word - callers->code < callers->code_size ||
	    (word - callers->mapped < MAPPED_BYTES && word - callers->stack > STACK_BYTES))
		callers->scratch->hash = hash_step(callers->scratch->hash, word);
}

/* One turn of the loop: HASH_CHUNK words. Returns 1 at the end. The hash is kept in the map,
 * because 6.1 takes what a callback changes on its caller's stack for unchanged. */
static long hash_chunk(__u32 turn, void *context)
{
	struct callers *callers = context;
	__u32 first = (turn & (STACK_WORDS / HASH_CHUNK - 1)) * HASH_CHUNK;

	for (__u32 i = 0; i < HASH_CHUNK; i++) {
		if (first + i >= callers->words)
			return 1;
		hash_word(callers, callers->scratch->copy[first + i]);
	}
	return 0;
}

/*
 * Hashes what tells one chain of callers from another: words that point into the program's CODE or
 * into the region of MAPPED files below mmap_base, but not into the stack itself. Too many words
 * only cost a copy more; a word left out could join two different chains.
 */
__noinline __u64 hash_callers(struct scratch *scratch, __u64 code, __u64 code_size, __u64 mapped,
			      __u32 words)
{
	struct callers callers = {.scratch = scratch,
				  .code = code,
				  .code_size = code_size,
				  .mapped = mapped,
				  .words = words};

	if (!scratch)
		return 0;
	scratch->hash = hash_step(hash_step(0x75736572ULL, scratch->regs[16]), scratch->regs[7]);
	callers.stack = scratch->regs[7] - 65536;
	if (compat_has_loop()) {
		bpf_loop(STACK_WORDS / HASH_CHUNK, hash_chunk, &callers, 0);
		return scratch->hash;
	}
	for (__u32 turn = 0; turn < STACK_WORDS / HASH_CHUNK; turn++) {
		if (hash_chunk(turn, &callers))
			break;
	}
	return scratch->hash;
}

/* By frame pointers, as the kernel walks them. */
static __always_inline __u64 user_frames_id(void *ctx, struct task_struct *task,
					    struct scratch *scratch, struct log_head *log,
					    __u32 cpu, __u64 now_ns)
{
	struct event_raw_user_frames *raw;
	__u64 id = hash_step(0x6672616dULL, task->tgid), position;
	__u32 mark, bytes, count;
	long got;

	got = bpf_get_stack(ctx, scratch->frames, EVENT_FRAMES_MAX * 8, BPF_F_USER_STACK);
	if (got <= 0)
		return 0;
	bytes = (__u32)got;
	count = words_in(bytes);
	if (settings.function_count)
		restore_frames(task, scratch, count);
	for (__u32 i = 0; i < EVENT_FRAMES_MAX; i++) {
		if (i >= count)
			break;
		id = hash_step(id, scratch->frames[i]);
	}
	if (is_defined(id))
		return id;
	if (bytes > EVENT_FRAMES_MAX * 8)
		return 0;
	raw = evidence_reserve(log, sizeof(*raw) + bytes, &mark, &position);
	event_begin(&raw->header, mark, EVENT_RAW_USER_FRAMES, sizeof(*raw) + bytes, now_ns);
	raw->id = id;
	raw->pid = task->tgid;
	raw->frame_count = bytes / 8;
	bpf_probe_read_kernel(raw->addresses, bytes, scratch->frames);
	event_commit(&raw->header, mark);
	remember_definition(id, cpu, position);
	return id;
}

static __always_inline void write_user_copy(struct task_struct *task, struct scratch *scratch,
					    struct log_head *log, __u32 cpu, __u64 now_ns, __u64 id,
					    __u32 copied, bool is_deeper)
{
	struct event_raw_user_stack *raw;
	__u64 position;
	__u32 mark;

	/* hidden from the compiler, which would test one copy of it and use another */
	asm volatile("" : "+r"(copied));
	if (copied > EVENT_USER_COPY_MAX)
		return;
	raw = evidence_reserve(log, sizeof(*raw) + copied, &mark, &position);
	event_begin(&raw->header, mark, EVENT_RAW_USER_STACK, sizeof(*raw) + copied, now_ns);
	raw->id = id;
	raw->tid = task->pid;
	raw->pid = task->tgid;
	raw->copy_bytes = copied;
	raw->flags = EVENT_STACK_USER | (is_deeper ? EVENT_STACK_TRUNCATED : 0);
	bpf_probe_read_kernel(raw->regs, sizeof(raw->regs), scratch->regs);
	bpf_probe_read_kernel(raw->copy, copied, scratch->copy);
	event_commit(&raw->header, mark);
	remember_definition(id, cpu, position);
}

/* The id of the user stack whose first COPIED bytes of EXTENT, and registers, are in SCRATCH;
 * defines it if need be. */
static __always_inline __u64 define_user_stack(struct task_struct *task, struct scratch *scratch,
					       struct log_head *log, __u32 cpu, __u64 now_ns,
					       __u32 copied, __u64 extent)
{
	struct capture_counters *counter = counters_here();
	__u64 id;

	copied &= ~7u;
	if (settings.function_count)
		restore_returns(task, scratch, copied);
	id = hash_callers(scratch, task->mm->start_code, task->mm->end_code - task->mm->start_code,
			  task->mm->mmap_base - MAPPED_BYTES, copied / 8);
	id = hash_step(id, task->tgid);
	if (is_defined(id)) {
		if (counter)
			counter->user_copies_saved++;
		return id;
	}
	if (counter)
		counter->user_copies++;
	write_user_copy(task, scratch, log, cpu, now_ns, id, copied,
			copied == EVENT_USER_COPY_MAX && extent > copied);
	return id;
}

/*
 * The user stack of TASK, which is current. Returns its id; 0 if there is none to have.
 * *RET_UNREADABLE is set if the stack was not in memory: then the stack is the innermost frame
 * alone.
 */
static __always_inline __u64 user_stack_id(void *ctx, struct task_struct *task,
					   struct scratch *scratch, struct log_head *log, __u32 cpu,
					   __u64 now_ns, bool *ret_unreadable)
{
	struct pt_regs *regs;
	__u64 extent;
	__u32 copied;

	if (settings.user_stack == USER_STACK_NONE || (task->flags & PF_KTHREAD) || !task->mm)
		return 0;
	if (settings.user_stack == USER_STACK_FP)
		return user_frames_id(ctx, task, scratch, log, cpu, now_ns);
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	read_registers(scratch, regs);
	if (!scratch->regs[7])
		return 0; /* a worker of io_uring or vhost: the user's memory, but no user side */
	extent = stack_extent(task, scratch->regs[7]);
	copied = copy_stack(scratch, scratch->regs[7],
			    extent < EVENT_USER_COPY_MAX ? (__u32)extent : EVENT_USER_COPY_MAX);
	*ret_unreadable = copied == 0;
	return define_user_stack(task, scratch, log, cpu, now_ns, copied, extent);
}

#endif
