/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/category.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "analysis/category_table.h"
#include "analysis/category_words.h"
#include "base/memory.h"

/* Bits of the task state, as the kernel's include/linux/sched.h numbers them. */
enum {
	STATE_UNINTERRUPTIBLE = 0x2,
	STATE_STOPPED = 0x4,
	STATE_TRACED = 0x8,
	STATE_PARKED = 0x40,
	STATE_NO_LOAD = 0x400,
	STATE_FROZEN = 0x8000,
};

struct category_words {
	const char *name;
	const char *says;
};

static const struct category_words categories[] = {
#define X(NAME, text, says) [CATEGORY_##NAME] = {text, says},
	CATEGORIES(X)
#undef X
};

const char *category_name(enum category category)
{
	return categories[category].name;
}

const char *category_says(enum category category)
{
	return categories[category].says;
}

/* ---- the table on a stack ---- */

static int strength_of(enum row_weight weight)
{
	switch (weight) {
	case ROW_FALLBACK:
		return 1;
	case ROW_HINT:
	case ROW_AROUND_DISK:
		return 2;
	case ROW_REASON:
		return 3;
	case ROW_WHOLE:
		return 4;
	}
	return 0;
}

static bool is_of_memory(const struct category_row *row)
{
	return row->category >= CATEGORY_MEM_FAULT && row->category <= CATEGORY_MEM_OOM;
}

/* The row that decides, NULL if the stack has none. */
static const struct category_row *decide(const struct stack *stack, bool memory_only)
{
	const struct category_row *found = NULL;
	int strength = 0;

	for (uint32_t i = 0; i < stack->place_count; i++) {
		const struct category_row *row = category_row_of(stack->places[i]);
		bool takes_disk;

		if (!row || (memory_only && !is_of_memory(row)))
			continue;
		takes_disk = row->weight == ROW_AROUND_DISK && found &&
			     found->category == CATEGORY_IO_DISK;
		if (!takes_disk && strength_of(row->weight) <= strength)
			continue;
		/* one that takes a disk's place is as strong as that */
		if (!takes_disk)
			strength = strength_of(row->weight);
		found = row;
	}
	return found;
}

/* Does a kernel thread wait in the function that it was made to run? Then for something to do. */
static bool is_own_loop(const struct stack *stack)
{
	uint32_t outermost = stack->place_count - 1;
	bool is_thread = false;

	while (outermost > 0 &&
	       function_is_one_of(stack->places[outermost]->function, "ret_from_fork* kthread")) {
		is_thread = true;
		outermost--;
	}
	return is_thread && model_stack_skip(stack) >= outermost;
}

/* ---- futexes ---- */

static bool is_syscall(const struct event_wait *evidence, const char *words)
{
	const char *name = evidence->syscall < 0 ? NULL : model_syscall_name(evidence->syscall);

	return name && function_is_one_of(name, words);
}

/*
 * What the call itself says: glibc's locks sleep with FUTEX_WAIT while the word is 2, those that
 * keep the owner in the word (robust ones, musl) while it has the bit for waiters; its
 * readers-writer locks with FUTEX_WAIT_BITSET while the word is 3. Its conditions, semaphores and
 * joins use FUTEX_WAIT_BITSET with other values.
 */
static bool looks_like_lock(const struct event_wait *evidence)
{
	uint32_t value = (uint32_t)evidence->args[2];

	if (!is_syscall(evidence, "futex"))
		return false;
	if ((evidence->args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
		return value == 3;
	return value == 2 || (value & FUTEX_WAITERS && value != UINT32_MAX);
}

/* The owner was read where glibc keeps it: it must be a thread that can be meant. */
static bool has_owner(struct model *model, const struct wait *wait)
{
	const struct thread *owner =
		wait->evidence->futex_owner_tid ? model_wait_owner(model, wait) : NULL;

	return owner && owner != wait->thread && owner->process == wait->thread->process;
}

/* A lock may be made of a condition: one on the stack is believed, else the innermost word. */
static enum futex_word user_word(struct model *model, const struct event_wait *evidence)
{
	const struct stack *stack = model_stack(model, evidence->user_stack);
	enum futex_word first = FUTEX_SAYS_NOTHING;

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		enum futex_word word = futex_word_of(stack->places[i]);

		if (word == FUTEX_SAYS_LOCK)
			return word;
		if (first == FUTEX_SAYS_NOTHING)
			first = word;
	}
	return first;
}

static enum category futex_category(struct model *model, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;
	unsigned int command = evidence->args[1] & FUTEX_CMD_MASK;

	if (is_syscall(evidence, "futex")) {
		if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2)
			return CATEGORY_LOCK_FUTEX;
		if (command == FUTEX_WAIT_REQUEUE_PI)
			return CATEGORY_WAIT_CONDITION;
	}
	switch (user_word(model, evidence)) {
	case FUTEX_SAYS_LOCK:
		return CATEGORY_LOCK_FUTEX;
	case FUTEX_SAYS_CONDITION:
		return CATEGORY_WAIT_CONDITION;
	case FUTEX_SAYS_BOTH:
	case FUTEX_SAYS_NOTHING:
		break;
	}
	return looks_like_lock(evidence) || has_owner(model, wait) ? CATEGORY_LOCK_FUTEX
								   : CATEGORY_WAIT_CONDITION;
}

/* ---- what else a row asks ---- */

static bool is_internet(int family)
{
	return family != AF_UNIX && family != AF_NETLINK;
}

/* poll and select without a descriptor: a way to sleep. */
static bool waits_for_no_file(const struct event_wait *evidence)
{
	if (is_syscall(evidence, "poll ppoll"))
		return evidence->args[1] == 0;
	return is_syscall(evidence, "select pselect6") && (uint32_t)evidence->args[0] == 0;
}

static bool was_woken_by_disk(struct model *model, const struct event_wait *evidence)
{
	const struct stack *stack = model_stack(model, evidence->waker_kernel_stack);

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		if (function_is_one_of(stack->places[i]->function,
				       "bio_endio blk_update_request blk_mq_end_request* "
				       "blkdev_bio_end_io* iomap_dio_bio_end_io "
				       "iomap_dio_complete* dio_bio_end_aio"))
			return true;
	}
	return false;
}

static enum category refine(struct model *model, const struct wait *wait,
			    const struct category_row *row)
{
	const struct event_wait *evidence = wait->evidence;
	const struct event_socket *socket;

	switch (row->question) {
	case ROW_AS_IS:
		break;
	case ROW_WHICH_FUTEX:
		return futex_category(model, wait);
	case ROW_WHICH_SOCKET:
		socket = model_socket(model, evidence->object);
		if (socket && !is_internet(socket->family))
			return CATEGORY_WAIT_IPC;
		break;
	case ROW_HAS_FILES:
		if (waits_for_no_file(evidence))
			return CATEGORY_WAIT_SLEEP;
		break;
	case ROW_WHOSE_WORK:
		if (was_woken_by_disk(model, evidence))
			return CATEGORY_IO_DISK;
		break;
	}
	return row->category;
}

/* ---- without a row: no stack, no names in it, or a function that nobody listed ---- */

struct syscall_row {
	const char *names;
	enum category category;
};

static const struct syscall_row syscalls[] = {
	{"nanosleep clock_nanosleep", CATEGORY_WAIT_SLEEP},
	{"epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6 accept accept4 pause "
	 "rt_sigtimedwait io_getevents io_pgetevents io_uring_enter",
	 CATEGORY_WAIT_IDLE},
	{"wait4 waitid vfork", CATEGORY_WAIT_CHILD},
	{"connect", CATEGORY_NET_CONNECT},
	{"flock", CATEGORY_LOCK_KERNEL},
	{"fsync fdatasync sync syncfs sync_file_range msync", CATEGORY_IO_FS},
	{"msgrcv msgsnd mq_timedsend mq_timedreceive rt_sigsuspend", CATEGORY_WAIT_IPC},
	{"semop semtimedop", CATEGORY_WAIT_CONDITION},
};

static enum category category_of_object(struct model *model, const struct event_wait *evidence)
{
	const struct event_socket *socket = model_socket(model, evidence->object);
	const struct event_file *file = model_file(model, evidence->object);

	if (evidence->object_kind == EVENT_OBJECT_SOCKET && socket) {
		if (!is_internet(socket->family))
			return CATEGORY_WAIT_IPC;
		return is_syscall(evidence, "write writev send sendto sendmsg sendmmsg sendfile")
			       ? CATEGORY_NET_SEND
			       : CATEGORY_NET_RECV;
	}
	if (evidence->object_kind != EVENT_OBJECT_FILE || !file)
		return CATEGORY_UNKNOWN;
	if (S_ISFIFO(file->mode))
		return CATEGORY_WAIT_IPC;
	return S_ISREG(file->mode) || S_ISBLK(file->mode) || S_ISDIR(file->mode) ? CATEGORY_IO_DISK
										 : CATEGORY_UNKNOWN;
}

static enum category category_of_call(struct model *model, const struct wait *wait)
{
	const struct event_wait *evidence = wait->evidence;

	if (is_syscall(evidence, "futex futex_wait futex_waitv"))
		return futex_category(model, wait);
	if (waits_for_no_file(evidence))
		return CATEGORY_WAIT_SLEEP;
	for (size_t i = 0; i < ARRAY_SIZE(syscalls); i++) {
		if (is_syscall(evidence, syscalls[i].names))
			return syscalls[i].category;
	}
	return category_of_object(model, evidence);
}

/* ---- waits ---- */

/* What needs no evidence. */
static enum category category_of_state(const struct wait *wait)
{
	const struct process *process = wait->thread->process;
	const uint16_t idle = STATE_UNINTERRUPTIBLE | STATE_NO_LOAD;

	if (wait->prev_state & (STATE_STOPPED | STATE_TRACED | STATE_FROZEN))
		return CATEGORY_STOP;
	if (wait->thread->is_kernel &&
	    (wait->prev_state & STATE_PARKED || (wait->prev_state & idle) == idle))
		return CATEGORY_WAIT_IDLE;
	/* the recorder holds its command back until it is ready */
	if (process->is_recorder ||
	    (process->is_command && process->first_exec_ns != MODEL_TIME_UNKNOWN &&
	     wait->start_ns < process->first_exec_ns))
		return CATEGORY_WAIT_IDLE;
	return CATEGORY_UNKNOWN;
}

enum category category_of_block(struct model *model, const struct wait *wait)
{
	enum category category = category_of_state(wait);
	const struct category_row *row;
	const struct stack *stack;

	if (category != CATEGORY_UNKNOWN || !wait->evidence)
		return category;
	stack = model_stack(model, wait->evidence->kernel_stack);
	if (!stack || stack->place_count == 0)
		return category_of_call(model, wait);
	row = decide(stack, false);
	if (row)
		return refine(model, wait, row);
	/* stacks taken from outside of the thread lack the functions that take locks */
	if (wait->evidence->lock_address)
		return CATEGORY_LOCK_KERNEL;
	return is_own_loop(stack) ? CATEGORY_WAIT_IDLE : category_of_call(model, wait);
}

enum category category_of_queue(uint16_t prev_state, uint8_t switch_flags, bool was_woken)
{
	if (switch_flags & EVENT_SWITCH_THROTTLED)
		return CATEGORY_RUNQ_THROTTLED;
	/* a newborn thread was runnable from the start, but somebody woke it */
	return prev_state == 0 && !was_woken ? CATEGORY_RUNQ_PREEMPTED : CATEGORY_RUNQ_WOKEN;
}

enum category category_of_runnable(const struct wait *wait)
{
	return category_of_queue(wait->prev_state, wait->switch_flags, wait->waker);
}

enum category category_of_wait(struct model *model, const struct wait *wait)
{
	return wait_runnable_ns(wait) > wait_blocked_ns(wait) ? category_of_runnable(wait)
							      : category_of_block(model, wait);
}

/* ---- samples ---- */

/* Kernel threads whose work is that of interrupts. */
static bool is_interrupt_thread(const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->place_count; i++) {
		if (function_is_one_of(stack->places[i]->function,
				       "run_ksoftirqd irq_thread run_ktimerd napi_threaded_poll"))
			return true;
	}
	return false;
}

enum category category_of_sample(struct model *model, const struct sample *sample)
{
	const struct category_row *row;
	const struct stack *stack;

	if (!(sample->event->flags & EVENT_SAMPLE_KERNEL))
		return CATEGORY_CPU_USER;
	stack = model_stack(model, sample->event->kernel_stack);
	if (!stack)
		return CATEGORY_CPU_KERNEL;
	if (model_stack_is_interrupt(model, sample->event->kernel_stack) &&
	    !is_interrupt_thread(stack))
		return CATEGORY_CPU_IRQ;
	row = decide(stack, true);
	return row ? row->category : CATEGORY_CPU_KERNEL;
}

/* ---- names for readers ---- */

static const char *kernel_lock_name(const struct stack *stack)
{
	for (uint32_t i = stack ? model_stack_skip(stack) : 0; stack && i < stack->place_count;
	     i++) {
		const char *function = stack->places[i]->function;
		const char *name = lock_taken_by(function);

		/* the one who takes it is right behind the ways to wait */
		if (name || !is_kernel_plumbing(function))
			return name;
	}
	return NULL;
}

/* Locks of the program have no names, but those of libraries are known by who takes them. */
static const char *library_lock_name(const struct stack *stack)
{
	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		const struct place *place = stack->places[i];
		const char *name = user_lock_taken_by(place->function);

		if (name || (!place->is_unnamed && !is_user_plumbing(place)))
			return name;
	}
	return NULL;
}

const char *category_lock_name(struct model *model, const struct wait *wait)
{
	if (!wait->evidence)
		return NULL;
	switch (category_of_block(model, wait)) {
	case CATEGORY_LOCK_KERNEL:
		return kernel_lock_name(model_stack(model, wait->evidence->kernel_stack));
	case CATEGORY_LOCK_FUTEX:
		return library_lock_name(model_stack(model, wait->evidence->user_stack));
	default:
		return NULL;
	}
}

const struct place *category_user_place(struct model *model, uint64_t user_stack)
{
	const struct stack *stack = model_stack(model, user_stack);
	const struct place *unnamed = NULL, *plumbing = NULL;

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		const struct place *place = stack->places[i];

		if (is_user_plumbing(place)) {
			if (!plumbing && !place->is_unnamed)
				plumbing = place;
		} else if (!place->is_unnamed) {
			return place;
		} else if (!unnamed) {
			unnamed = place;
		}
	}
	if (unnamed)
		return unnamed;
	return plumbing ? plumbing : stack && stack->place_count ? stack->places[0] : NULL;
}

const struct place *category_kernel_place(struct model *model, uint64_t kernel_stack)
{
	const struct stack *stack = model_stack(model, kernel_stack);
	uint32_t first = stack ? model_stack_skip(stack) : 0;

	for (uint32_t i = first; stack && i < stack->place_count; i++) {
		const char *function = stack->places[i]->function;

		if (is_kernel_entry(function))
			break;
		if (!is_kernel_plumbing(function))
			return stack->places[i];
	}
	return stack && stack->place_count ? stack->places[first] : NULL;
}
