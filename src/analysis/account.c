/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/account.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/category_table.h"
#include "analysis/ending.h"
#include "base/hash.h"
#include "base/memory.h"

/* So many turns before it is looked at, one is fetched from memory. */
#define TURNS_AHEAD 8

/* Fewer samples say little about an interval: then the thread's others are asked too. */
#define SAMPLES_ENOUGH 5

/* Task state of a wait that signals do not end (include/linux/sched.h). */
#define STATE_UNINTERRUPTIBLE 0x2
/* A request is told completed a little after it woke who waited for it. */
#define COMPLETION_SLACK_NS   UINT64_C(20000)

/* Tells these from the habits of threads in the same map. */
#define HABIT_CALL (UINT64_C(1) << 58)

/* ---- pieces ---- */

struct walk {
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t told_ns; /* everything before this is told */
	void (*tell)(void *context, const struct piece *piece);
	void *context;
};

/* Tells what of [from_ns, to_ns] lies in the interval and is not told yet; what was left out before
 * it is unknown. */
static void tell_part(struct walk *walk, enum piece_kind kind, uint64_t from_ns, uint64_t to_ns,
		      const struct turn *turn)
{
	struct piece piece = {.kind = PIECE_UNKNOWN, .from_ns = walk->told_ns};

	if (from_ns < walk->told_ns)
		from_ns = walk->told_ns;
	if (to_ns > walk->to_ns)
		to_ns = walk->to_ns;
	if (from_ns >= to_ns)
		return;
	if (from_ns > walk->told_ns) {
		piece.to_ns = from_ns;
		walk->tell(walk->context, &piece);
	}
	piece = (struct piece){.kind = kind, .from_ns = from_ns, .to_ns = to_ns, .turn = turn};
	walk->tell(walk->context, &piece);
	walk->told_ns = to_ns;
}

void pieces_walk(const struct history *history, const struct thread *thread, uint64_t from_ns,
		 uint64_t to_ns, void (*tell)(void *context, const struct piece *piece),
		 void *context)
{
	struct walk walk = {.from_ns = from_ns,
			    .to_ns = to_ns,
			    .told_ns = from_ns,
			    .tell = tell,
			    .context = context};
	size_t count = history_turn_count(history, thread);

	for (size_t i = history_turn_after(history, thread, from_ns); i < count; i++) {
		const struct turn *turn = history_turn(history, thread, i);

		/* turns lie in the order in which they were told, so the next ones are far away */
		if (i + TURNS_AHEAD < count)
			__builtin_prefetch(history_turn(history, thread, i + TURNS_AHEAD));
		if (turn->start_ns >= to_ns)
			break;
		if (turn->flags & TURN_HAS_WAIT) {
			tell_part(&walk, PIECE_BLOCKED, turn->start_ns, turn->wake_ns, turn);
			tell_part(&walk, PIECE_RUNNABLE, turn->wake_ns, turn->from_ns, turn);
		}
		if (turn->flags & TURN_HAS_RUN)
			tell_part(&walk, PIECE_RUN, turn->from_ns, turn->to_ns, turn);
	}
	tell_part(&walk, PIECE_UNKNOWN, walk.told_ns, to_ns, NULL);
}

struct piece piece_at(const struct history *history, const struct thread *thread, uint64_t from_ns,
		      uint64_t to_ns, uint64_t time_ns)
{
	size_t i = history_turn_after(history, thread, time_ns);
	const struct turn *turn =
		i < history_turn_count(history, thread) ? history_turn(history, thread, i) : NULL;
	uint64_t before_ns = i ? history_turn(history, thread, i - 1)->to_ns : 0;
	struct piece piece;

	if (!turn || time_ns < turn->start_ns)
		piece = (struct piece){PIECE_UNKNOWN, before_ns, turn ? turn->start_ns : to_ns};
	else if (time_ns < turn->wake_ns)
		piece = (struct piece){PIECE_BLOCKED, turn->start_ns, turn->wake_ns, turn};
	else if (time_ns < turn->from_ns)
		piece = (struct piece){PIECE_RUNNABLE, turn->wake_ns, turn->from_ns, turn};
	else
		piece = (struct piece){PIECE_RUN, turn->from_ns, turn->to_ns, turn};
	piece.from_ns = later(piece.from_ns, later(before_ns, from_ns));
	piece.to_ns = earlier(piece.to_ns, to_ns);
	return piece;
}

/* ---- waits without evidence ---- */

/* System calls in which a thread can wait for one kind of thing only. */
static enum category category_of_call(int number)
{
	static const struct {
		const char *name;
		enum category category;
	} calls[] = {
		{"nanosleep", CATEGORY_WAIT_SLEEP},      {"clock_nanosleep", CATEGORY_WAIT_SLEEP},
		{"epoll_wait", CATEGORY_WAIT_IDLE},      {"epoll_pwait", CATEGORY_WAIT_IDLE},
		{"epoll_pwait2", CATEGORY_WAIT_IDLE},    {"poll", CATEGORY_WAIT_IDLE},
		{"ppoll", CATEGORY_WAIT_IDLE},           {"select", CATEGORY_WAIT_IDLE},
		{"pselect6", CATEGORY_WAIT_IDLE},        {"accept", CATEGORY_WAIT_IDLE},
		{"accept4", CATEGORY_WAIT_IDLE},         {"wait4", CATEGORY_WAIT_CHILD},
		{"waitid", CATEGORY_WAIT_CHILD},         {"vfork", CATEGORY_WAIT_CHILD},
		{"connect", CATEGORY_NET_CONNECT},       {"flock", CATEGORY_LOCK_KERNEL},
		{"pause", CATEGORY_WAIT_IDLE},           {"semop", CATEGORY_WAIT_CONDITION},
		{"semtimedop", CATEGORY_WAIT_CONDITION}, {"fsync", CATEGORY_IO_DISK},
		{"fdatasync", CATEGORY_IO_DISK},         {"msync", CATEGORY_IO_DISK},
	};
	const char *name = number >= 0 ? model_syscall_name(number) : NULL;

	for (size_t i = 0; name && i < ARRAY_SIZE(calls); i++) {
		if (!strcmp(calls[i].name, name))
			return calls[i].category;
	}
	return CATEGORY_UNKNOWN;
}

static enum category known_category_of_call(const struct history *history, int number)
{
	struct map64 *habits = history_habits(history);
	uint64_t key = HABIT_CALL | (uint16_t)number, *known = map64_get(habits, key);

	if (!known)
		known = map64_put(habits, key, category_of_call(number));
	return (enum category) * known;
}

/* A request of its own was under way when it was woken: so short a wait needs no other witness. */
static bool waited_for_disk(const struct history *history, const struct thread *thread,
			    const struct turn *turn)
{
	const struct event_disk *request;
	struct history_over over;

	history_over_begin(&over, history, EVENT_DISK, 0, turn->start_ns, turn->start_ns);
	while ((request = (const void *)history_over_next(&over))) {
		if (request->header.time_ns > turn->wake_ns + COMPLETION_SLACK_NS)
			return false;
		if (request->tid == thread->tid)
			return true;
	}
	return false;
}

/* What nine in ten of the thread's waits in a system call were, by time; at least three. */
static enum category find_habit(const struct history *history, const struct thread *thread,
				int syscall)
{
	struct model *model = history_model(history);
	uint64_t ns[CATEGORY_COUNT] = {0}, total_ns = 0, waits = 0;
	size_t count = history_turn_count(history, thread);

	for (size_t i = 0; i < count; i++) {
		const struct wait *wait = history_wait(history, history_turn(history, thread, i));

		/* one that was put off its CPU did not wait in that call */
		if (!wait || !wait->evidence || wait->evidence->syscall != syscall ||
		    !wait_blocked_ns(wait))
			continue;
		ns[category_of_block(model, wait)] += wait_blocked_ns(wait);
		total_ns += wait_blocked_ns(wait);
		waits++;
	}
	for (int i = 1; waits >= 3 && i < CATEGORY_COUNT; i++) {
		if (ns[i] >= total_ns - total_ns / 10)
			return (enum category)i;
	}
	return CATEGORY_UNKNOWN;
}

static enum category habit(const struct history *history, const struct thread *thread, int syscall)
{
	struct map64 *habits = history_habits(history);
	uint64_t key = (uint64_t)thread->index << 16 | (uint16_t)syscall;
	uint64_t *known = map64_get(habits, key);

	if (!known)
		known = map64_put(habits, key, find_habit(history, thread, syscall));
	return (enum category) * known;
}

enum category account_block(const struct history *history, const struct thread *thread,
			    const struct turn *turn, bool *ret_inferred)
{
	const struct wait *wait = history_wait(history, turn);
	enum category category =
		wait ? category_of_block(history_model(history), wait) : CATEGORY_UNKNOWN;

	if (ret_inferred)
		*ret_inferred = false;
	if (category == CATEGORY_WAIT_IDLE && wait->evidence)
		return ending_category(history, thread, turn);
	if (category != CATEGORY_UNKNOWN || (wait && wait->evidence))
		return category;
	if (turn->prev_state & STATE_UNINTERRUPTIBLE && waited_for_disk(history, thread, turn))
		return turn->prev_syscall == EVENT_NO_SYSCALL && !thread->is_kernel
			       ? CATEGORY_MEM_FAULT
			       : CATEGORY_IO_DISK;
	category = known_category_of_call(history, turn->prev_syscall);
	if (category == CATEGORY_UNKNOWN && !thread->is_kernel)
		category = habit(history, thread, turn->prev_syscall);
	if (ret_inferred)
		*ret_inferred = category != CATEGORY_UNKNOWN;
	return category;
}

/* ---- accounts ---- */

struct adding {
	struct account *account;
	const struct history *history;
	const struct thread *thread;
};

enum category account_runnable(const struct turn *turn)
{
	return category_of_queue(turn->prev_state, turn->switch_flags, turn->waker != MODEL_NONE);
}

static void add_runnable(struct adding *adding, const struct piece *piece)
{
	struct account *account = adding->account;
	uint64_t idle_ns = 0, lost_ns;
	enum category category = account_runnable(piece->turn);

	if (category != CATEGORY_RUNQ_THROTTLED) {
		idle_ns = piece_ns(piece) - history_busy_before_ns(adding->history, piece->turn,
								   piece->from_ns, piece->to_ns);
		lost_ns = history_cpu_lost_ns(adding->history, piece->turn->cpu, piece->from_ns,
					      piece->to_ns);
		idle_ns -= lost_ns < idle_ns ? lost_ns : idle_ns;
	}
	account->ns[CATEGORY_RUNQ_LATENCY] += idle_ns;
	account->ns[category] += piece_ns(piece) - idle_ns;
}

static void add_blocked(struct adding *adding, const struct piece *piece)
{
	struct account *account = adding->account;
	const struct wait *wait = history_wait(adding->history, piece->turn);
	bool is_inferred;
	enum category category =
		account_block(adding->history, adding->thread, piece->turn, &is_inferred);

	account->ns[category] += piece_ns(piece);
	if (!wait || !wait->evidence)
		account->no_evidence_ns += piece_ns(piece);
	if ((!wait || !wait->evidence) && !is_inferred && piece->turn->flags & TURN_OPEN)
		account->hung_ns += piece_ns(piece);
	if (is_inferred) {
		account->inferred_ns += piece_ns(piece);
		account->inferred_of[category] += piece_ns(piece);
	}
}

static void add_piece(void *context, const struct piece *piece)
{
	struct adding *adding = context;

	switch (piece->kind) {
	case PIECE_RUN:
		adding->account->pending_ns += piece_ns(piece);
		break;
	case PIECE_RUNNABLE:
		add_runnable(adding, piece);
		break;
	case PIECE_BLOCKED:
		add_blocked(adding, piece);
		break;
	case PIECE_UNKNOWN:
		adding->account->ns[CATEGORY_UNKNOWN] += piece_ns(piece);
		break;
	}
}

static void count_samples(uint64_t samples[CATEGORY_COUNT], const struct history *history,
			  const struct thread *thread, uint64_t from_ns, uint64_t to_ns)
{
	size_t count = history_sample_count(history, thread);

	for (size_t i = history_sample_after(history, thread, from_ns); i < count; i++) {
		const struct sample *sample = history_sample(history, thread, i);

		if (sample->time_ns >= to_ns)
			break;
		samples[category_of_sample(history_model(history), sample)]++;
	}
}

void account_add(struct account *account, const struct history *history,
		 const struct thread *thread, uint64_t from_ns, uint64_t to_ns)
{
	struct adding adding = {.account = account, .history = history, .thread = thread};
	uint64_t before_ns = account->pending_ns, irq_ns, own_ns, steal_ns, ran_ns;

	pieces_walk(history, thread, from_ns, to_ns, add_piece, &adding);
	ran_ns = account->pending_ns - before_ns;
	account->on_cpu_ns += ran_ns;
	irq_ns = account_irq_ns(history, thread, from_ns, to_ns, &own_ns);
	if (irq_ns > ran_ns)
		irq_ns = ran_ns;
	account->ns[CATEGORY_CPU_IRQ] += irq_ns;
	account->own_irq_ns += own_ns < irq_ns ? own_ns : irq_ns;
	steal_ns = account_steal_ns(history, thread, from_ns, to_ns);
	if (steal_ns > ran_ns - irq_ns)
		steal_ns = ran_ns - irq_ns;
	account->ns[CATEGORY_CPU_STEAL] += steal_ns;
	account->pending_ns -= irq_ns + steal_ns;
	count_samples(account->samples, history, thread, from_ns, to_ns);
}

static uint64_t sum(const uint64_t numbers[CATEGORY_COUNT])
{
	uint64_t total = 0;

	for (size_t i = 0; i < CATEGORY_COUNT; i++)
		total += numbers[i];
	return total;
}

void account_settle(struct account *account, const struct history *history,
		    const struct thread *thread)
{
	uint64_t *samples = account->samples, left_ns = account->pending_ns, count;
	/* the interrupt probe has told better what interrupts took */
	bool irq_is_told = account_irqs_are_told(history);

	if (sum(samples) < SAMPLES_ENOUGH)
		count_samples(samples, history, thread, 0, UINT64_MAX);
	if (irq_is_told)
		samples[CATEGORY_CPU_IRQ] = 0;
	count = sum(samples);
	if (!count)
		account->unsplit_ns += account->pending_ns;
	for (size_t i = 0; count && i < CATEGORY_COUNT; i++) {
		uint64_t part_ns = (uint64_t)((double)account->pending_ns * (double)samples[i] /
					      (double)count);

		part_ns = part_ns < left_ns ? part_ns : left_ns;
		account->ns[i] += part_ns;
		left_ns -= part_ns;
	}
	/* all of it without samples; else what rounding left */
	account->ns[thread->is_kernel ? CATEGORY_CPU_KERNEL : CATEGORY_CPU_USER] += left_ns;
	account->pending_ns = 0;
	memset(account->samples, 0, sizeof(account->samples));
}

void account_merge(struct account *account, const struct account *other)
{
	for (size_t i = 0; i < CATEGORY_COUNT; i++) {
		account->ns[i] += other->ns[i];
		account->inferred_of[i] += other->inferred_of[i];
	}
	account->on_cpu_ns += other->on_cpu_ns;
	account->unsplit_ns += other->unsplit_ns;
	account->no_evidence_ns += other->no_evidence_ns;
	account->hung_ns += other->hung_ns;
	account->inferred_ns += other->inferred_ns;
	account->own_irq_ns += other->own_irq_ns;
}

uint64_t account_total_ns(const struct account *account)
{
	return sum(account->ns) + account->pending_ns;
}

static int compare_categories(const void *a, const void *b, void *context)
{
	const uint64_t *ns = context;
	uint64_t left = ns[*(const enum category *)a], right = ns[*(const enum category *)b];

	return left == right ? 0 : left < right ? 1 : -1;
}

size_t account_order(const struct account *account, enum category ret[CATEGORY_COUNT])
{
	size_t count = 0;

	for (int i = 0; i < CATEGORY_COUNT; i++) {
		if (account->ns[i])
			ret[count++] = (enum category)i;
	}
	qsort_r(ret, count, sizeof(ret[0]), compare_categories, (void *)account->ns);
	return count;
}
