/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/blame_internal.h"

#include <stdlib.h>

#include "analysis/ending.h"
#include "analysis/peer.h"
#include "base/memory.h"
#include "base/units.h"

/* What things cost, as draw_pay counts. */
#define RUN_COST  5
#define STEP_COST 30

/* To look for what a thread did at a time costs as much as to walk over so many turns. */
#define STEP_TURNS    8
/* Shorter than this an interval has too few of them. */
#define STEPS_FROM_NS (10 * NS_PER_MS)

/* The target's own time has a pot for each category, that of others one for each kind of pieces. */
#define POT_OTHERS  CATEGORY_COUNT
#define POT_RUNNERS (POT_OTHERS + PIECE_UNKNOWN + 1)
_Static_assert(POT_RUNNERS < DRAW_POTS, "more pots are needed");

/* A thread that ends so soon after a signal was killed by it. */
#define DYING_NS (50 * NS_PER_MS)

struct blame *blame_new(const struct history *history, bool idle_counts)
{
	struct blame *blame = xcalloc(1, sizeof(*blame));

	blame->history = history;
	blame->idle_counts = idle_counts;
	blame->weight = 1;
	return blame;
}

void blame_free(struct blame *blame)
{
	if (!blame)
		return;
	blame_release_causes(blame);
	runners_release(&blame->runners);
	free(blame);
}

/* ---- the way ---- */

#define SAMPLE_NOT_SOUGHT SIZE_MAX

struct following {
	struct blame *blame;
	const struct thread *thread;
	uint64_t hint; /* its user stack when it ended the wait before; 0: none */
	size_t sample; /* of its samples, the first that may lie in the pieces to come */
};

static void follow(struct blame *blame, const struct thread *thread, uint64_t from_ns,
		   uint64_t to_ns, uint64_t hint);

static bool is_lock(enum category category)
{
	return category == CATEGORY_LOCK_FUTEX || category == CATEGORY_LOCK_KERNEL;
}

/* Whether THREAD is on the way already; *RET_ALL_LOCKS: and everything since is a wait for a lock.
 */
static bool is_on_the_way(const struct blame *blame, const struct thread *thread,
			  bool *ret_all_locks)
{
	*ret_all_locks = true;
	for (size_t i = blame->hop_count; i-- > 0;) {
		if (!is_lock(blame->hops[i].category))
			*ret_all_locks = false;
		if (blame->hops[i].thread == thread)
			return true;
	}
	return false;
}

static bool is_disk(enum category category)
{
	return category == CATEGORY_IO_DISK || category == CATEGORY_IO_FS ||
	       category == CATEGORY_MEM_FAULT || category == CATEGORY_MEM_SWAP;
}

/* By a signal, as wait(2) tells it. */
static bool was_killed(const struct process *process)
{
	return process->end_ns != MODEL_TIME_UNKNOWN && process->exit_code & 0x7f;
}

/* Who kills a thread has nothing to do with what it waited for, nor has who sends a signal with
 * locks. */
static bool is_cut_short(const struct thread *thread, enum category category,
			 const struct ending *ending)
{
	if (ending->way != ENDING_SIGNAL)
		return false;
	return is_lock(category) || category == CATEGORY_WAIT_CONDITION ||
	       (was_killed(thread->process) && thread->end_ns - ending->turn->from_ns < DYING_NS);
}

/* Who is to be asked what it did during the wait. NULL: nobody that is known, the wait is the leaf.
 * *RET_ENDING: how it ended. */
static const struct thread *next_thread(const struct blame *blame, const struct thread *thread,
					const struct piece *piece, enum category category,
					enum blame_link *ret_link, struct ending *ret_ending)
{
	struct model *model = history_model(blame->history);
	const struct wait *wait = history_wait(blame->history, piece->turn);
	struct ending ending = ending_of(blame->history, thread, piece->turn);
	const struct thread *owner = NULL;

	if (wait && is_lock(category))
		owner = model_wait_owner(model, wait);
	*ret_ending = ending;
	*ret_link = is_lock(category) ? LINK_HELD_BY : LINK_WOKE;
	if (owner && owner != thread)
		return owner;
	if (leaf_ends_at(category) || is_cut_short(thread, category, &ending))
		return NULL;
	if (!ending.waker && category == CATEGORY_NET_CONNECT && wait)
		return peer_acceptor(blame->history, peer_socket(blame->history, wait));
	if (!ending.waker && is_disk(category))
		return leaf_disk_server(blame->history, thread, piece);
	return ending.waker;
}

/* Waits that last until another does something: to blame the one that waits would be wrong. */
static bool is_for_another(enum category category)
{
	return is_lock(category) || category == CATEGORY_WAIT_CONDITION ||
	       category == CATEGORY_WAIT_IPC || category == CATEGORY_WAIT_CHILD ||
	       category == CATEGORY_IO_FS || category == CATEGORY_NET_RECV ||
	       category == CATEGORY_NET_SEND || category == CATEGORY_NET_CONNECT;
}

/* Of a wait that nobody is known to have ended. */
static enum blame_end end_of(enum category category, const struct turn *turn)
{
	if (category == CATEGORY_UNKNOWN)
		return BLAME_NO_EVIDENCE;
	return is_for_another(category) && !(turn->flags & TURN_WAKE_SEEN) ? BLAME_NO_WAKER
									   : BLAME_LEAF;
}

static uint64_t waker_stack(const struct blame *blame, const struct turn *turn)
{
	const struct wait *wait = history_wait(blame->history, turn);

	return wait && wait->evidence ? wait->evidence->waker_user_stack : 0;
}

static void end_here(struct blame *blame, const struct thread *thread, const struct piece *piece,
		     enum category category, enum blame_end end)
{
	struct leaf leaf;
	bool all_locks;

	leaf_of_block(&leaf, blame->history, thread, piece, category);
	/* it got no answer from one on the way, who waits for its question */
	if (category == CATEGORY_NET_RECV && blame->hop_count > 1 && leaf.culprit &&
	    is_on_the_way(blame, leaf.culprit, &all_locks))
		end = BLAME_CYCLE;
	if (blame->hop_count > 1 &&
	    leaf_net_is_held_back(&leaf, blame->history, &blame->hops[0],
				  history_wait(blame->history, piece->turn)))
		end = BLAME_LEAF;
	if (end != BLAME_LEAF)
		leaf.end = end;
	if (end == BLAME_NO_WAKER)
		leaf.culprit = NULL;
	/* of others, who waited for a disk says more than the disk alone */
	if (!leaf.culprit && blame->hop_count > 1 && is_disk(category) && end == BLAME_LEAF)
		leaf.culprit = thread;
	blame_add_leaf(blame, &leaf);
}

/* Poll with a time limit that was over, in somebody that was waited for otherwise than as a server
 * is, for a lock or a signal: a sleep. */
static enum category rest_category(const struct blame *blame, enum category category,
				   const struct ending *ending)
{
	if (category != CATEGORY_WAIT_IDLE || ending->way != ENDING_TIME)
		return category;
	for (size_t i = 0; i + 1 < blame->hop_count; i++) {
		if (is_lock(blame->hops[i].category) || blame->hops[i].way == ENDING_SIGNAL)
			return CATEGORY_WAIT_SLEEP;
	}
	return category;
}

/*
 * A worker of the kernel that only tells that a disk is done had nothing to do before: the time is
 * the disk's. Ends the way at the hop before; false if this is another case.
 */
static bool end_at_disk(struct following *following, const struct piece *piece,
			enum category category, const struct ending *ending)
{
	struct blame *blame = following->blame;
	const struct blame_hop *before =
		blame->hop_count ? &blame->hops[blame->hop_count - 1] : NULL;
	struct piece disk = *piece;

	if (category != CATEGORY_WAIT_IDLE || !following->thread->is_kernel || !before ||
	    !is_disk(before->category) || !before->turn || ending->waker)
		return false;
	disk.turn = before->turn;
	end_here(blame, before->thread, &disk, before->category, BLAME_LEAF);
	return true;
}

/* A wait for a lock that ended, if at all, without the lock: a time limit, or a signal that killed
 * the program. */
static bool nobody_gave_it(const struct ending *ending)
{
	return ending->turn->flags & TURN_OPEN || ending->way == ENDING_TIME ||
	       ending->way == ENDING_SIGNAL || ending->way == ENDING_EXIT;
}

static void follow_block(struct following *following, const struct piece *piece)
{
	struct blame *blame = following->blame;
	enum category category =
		account_block(blame->history, following->thread, piece->turn, NULL);
	bool is_target = blame->hop_count == 0, all_locks;
	enum blame_link link;
	struct ending ending;
	const struct thread *next =
		next_thread(blame, following->thread, piece, category, &link, &ending);
	struct blame_hop *hop = &blame->hops[blame->hop_count];

	if (end_at_disk(following, piece, category, &ending))
		return;
	if (is_target && category == CATEGORY_WAIT_IDLE && !blame->idle_counts)
		next = NULL;
	*hop = (struct blame_hop){
		.thread = following->thread,
		.category = category,
		.link = next ? link : LINK_NONE,
		.from_ns = piece->from_ns,
		.to_ns = piece->to_ns,
		.turn = piece->turn,
		.wait = history_wait(blame->history, ending.turn),
		.way = ending.way,
	};
	blame->hop_count++;
	if (next && is_on_the_way(blame, next, &all_locks)) {
		hop->link = LINK_NONE;
		end_here(blame, following->thread, piece, category,
			 all_locks && nobody_gave_it(&ending) ? BLAME_DEADLOCK : BLAME_CYCLE);
	} else if (next && blame->hop_count == BLAME_HOPS_MAX) {
		hop->link = LINK_NONE;
		end_here(blame, following->thread, piece, category, BLAME_TOO_LONG);
	} else if (next) {
		follow(blame, next, piece->from_ns, piece->to_ns,
		       next->index == ending.turn->waker ? waker_stack(blame, ending.turn) : 0);
	} else {
		hop->category = rest_category(blame, category, &ending);
		end_here(blame, following->thread, piece, hop->category,
			 end_of(category, piece->turn));
	}
	blame->hop_count--;
}

/* Who ran meanwhile was lost, and may be anybody. */
static void add_lost_runners(struct blame *blame, const struct piece *piece, uint64_t lost_ns)
{
	struct leaf leaf = {
		.category = CATEGORY_UNKNOWN,
		.end = BLAME_NOT_SEEN,
		.from_ns = piece->from_ns,
		.ns = lost_ns,
	};

	blame_add_leaf(blame, &leaf);
}

/* Each of those who had the CPU meanwhile, and the time in which nobody had it. */
static void blame_runners(struct following *following, const struct piece *piece)
{
	struct blame *blame = following->blame;
	struct runners *runners = &blame->runners;
	double before = blame->weight;
	struct leaf leaf;

	runners_find(runners, blame->history, piece);
	draw_pay(&blame->draw, runners->looks * RUN_COST);
	for (size_t i = 0; i < runners->count; i++) {
		blame->weight = before * draw_weight(&blame->draw, POT_RUNNERS,
						     blame_weighted(blame, runners->items[i].ns));
		if (blame->weight > 0) {
			leaf_of_runner(&leaf, blame->history, piece, &runners->items[i]);
			blame_add_leaf(blame, &leaf);
		}
		blame->weight = before;
	}
	if (runners->lost_ns)
		add_lost_runners(blame, piece, runners->lost_ns);
	if (!runners->idle_ns)
		return;
	blame->hops[blame->hop_count - 1].link = LINK_NONE;
	if (blame->hop_count == 1)
		blame->hops[0].category = CATEGORY_RUNQ_LATENCY;
	leaf_of_latency(&leaf, following->thread, piece, runners->idle_ns);
	blame_add_leaf(blame, &leaf);
}

static void follow_runnable(struct following *following, const struct piece *piece)
{
	struct blame *blame = following->blame;
	enum category category = account_runnable(piece->turn);
	struct leaf leaf;

	if (blame->hop_count == BLAME_HOPS_MAX)
		return;
	blame->hops[blame->hop_count++] = (struct blame_hop){
		.thread = following->thread,
		.category = category,
		.link = category == CATEGORY_RUNQ_THROTTLED ? LINK_NONE : LINK_RAN,
		.from_ns = piece->from_ns,
		.to_ns = piece->to_ns,
		.wait = history_wait(blame->history, piece->turn),
	};
	if (category == CATEGORY_RUNQ_THROTTLED) {
		leaf_of_quota(&leaf, blame->history, following->thread, piece);
		blame_add_leaf(blame, &leaf);
	} else {
		blame_runners(following, piece);
	}
	blame->hop_count--;
}

static void follow_run(struct following *following, const struct piece *piece,
		       const struct piece *sampled)
{
	struct blame *blame = following->blame;
	struct leaf leaf;

	if (blame->hop_count == BLAME_HOPS_MAX)
		return;
	leaf_of_run(&leaf, blame->history, following->thread, piece, sampled, following->hint);
	blame->hops[blame->hop_count++] = (struct blame_hop){
		.thread = following->thread,
		.category = leaf.category,
		.from_ns = piece->from_ns,
		.to_ns = piece->to_ns,
	};
	blame_add_leaf(blame, &leaf);
	blame->hop_count--;
}

static void follow_unknown(struct following *following, const struct piece *piece)
{
	struct blame *blame = following->blame;
	struct leaf leaf = {
		.category = CATEGORY_UNKNOWN,
		.end = BLAME_NOT_SEEN,
		.culprit = blame->hop_count ? following->thread : NULL,
		.ns = piece_ns(piece),
		.from_ns = piece->from_ns,
	};

	blame_add_leaf(blame, &leaf);
}

/* Samples are rare and say most. */
static bool has_sample(struct following *following, const struct piece *piece)
{
	const struct history *history = following->blame->history;
	size_t count = history_sample_count(history, following->thread);
	size_t *at = &following->sample;

	if (*at == SAMPLE_NOT_SOUGHT)
		*at = history_sample_after(history, following->thread, piece->from_ns);
	while (*at < count &&
	       history_sample(history, following->thread, *at)->time_ns < piece->from_ns)
		(*at)++;
	return *at < count &&
	       history_sample(history, following->thread, *at)->time_ns < piece->to_ns;
}

/* How many like it PIECE stands for; 0: it is passed over. */
static double weight_of(struct following *following, const struct piece *piece)
{
	struct blame *blame = following->blame;
	unsigned int pot = POT_OTHERS + piece->kind;

	if (draw_is_partial(&blame->draw)) {
		if (piece->kind == PIECE_RUN && has_sample(following, piece))
			return 1;
		if (!blame->hop_count && piece->kind == PIECE_BLOCKED)
			pot = account_block(blame->history, following->thread, piece->turn, NULL);
		else if (!blame->hop_count && piece->kind == PIECE_RUNNABLE)
			pot = account_runnable(piece->turn);
	}
	return draw_weight(&blame->draw, pot, blame_weighted(blame, piece_ns(piece)));
}

/* PIECE is followed, and stands for so many like it; SAMPLED is the time in which those are. */
static void follow_drawn(struct following *following, const struct piece *piece,
			 const struct piece *sampled, double weight)
{
	struct blame *blame = following->blame;
	double before = blame->weight;

	blame->weight *= weight;
	switch (piece->kind) {
	case PIECE_RUN:
		follow_run(following, piece, sampled);
		break;
	case PIECE_RUNNABLE:
		follow_runnable(following, piece);
		break;
	case PIECE_BLOCKED:
		follow_block(following, piece);
		break;
	case PIECE_UNKNOWN:
		follow_unknown(following, piece);
		break;
	}
	blame->weight = before;
}

static void follow_piece(void *context, const struct piece *piece)
{
	struct following *following = context;
	struct blame *blame = following->blame;
	double weight;

	if (blame->hop_count)
		draw_pay(&blame->draw, BLAME_LOOK_COST);
	/* what the target itself did on the CPU is told by blame_add from its samples */
	if (piece->kind == PIECE_RUN && !blame->hop_count)
		return;
	weight = weight_of(following, piece);
	if (weight > 0)
		follow_drawn(following, piece, piece, weight);
}

/* Draws by time instead, in steps of STEP_NS, where that is less work than to look at each piece:
 * what is longer than a step is met, of the rest each with a chance of its length. */
static void follow_steps(struct following *following, uint64_t from_ns, uint64_t to_ns,
			 uint64_t step_ns)
{
	struct draw *draw = &following->blame->draw;
	uint64_t time_ns = from_ns + draw_within(draw, step_ns);

	while (time_ns < to_ns) {
		struct piece piece = piece_at(following->blame->history, following->thread, from_ns,
					      to_ns, time_ns);
		struct piece around = {
			.from_ns = later(from_ns, time_ns - earlier(time_ns, step_ns / 2)),
			.to_ns = earlier(to_ns, time_ns + step_ns / 2),
		};
		uint64_t ns = piece.to_ns > piece.from_ns ? piece_ns(&piece) : 0;

		draw_pay(draw, STEP_COST);
		if (ns)
			follow_drawn(following, &piece, &around,
				     ns < step_ns ? (double)step_ns / (double)ns : 1);
		time_ns += step_ns;
		if (piece.to_ns > time_ns)
			time_ns += (piece.to_ns - time_ns + step_ns - 1) / step_ns * step_ns;
	}
}

/* How much time one draw stands for, if THREAD has so many more turns in the interval that it is
 * drawn by time; else 0. */
static uint64_t step_of(const struct blame *blame, const struct thread *thread, uint64_t from_ns,
			uint64_t to_ns)
{
	double step_ns = (double)blame->draw.grain_ns / blame->weight;
	size_t turns;

	if (!blame->hop_count || !draw_is_partial(&blame->draw) || to_ns - from_ns < STEPS_FROM_NS)
		return 0;
	turns = history_turn_after(blame->history, thread, to_ns) -
		history_turn_after(blame->history, thread, from_ns);
	return (double)(to_ns - from_ns) / step_ns * STEP_TURNS < (double)turns
		       ? (uint64_t)step_ns + 1
		       : 0;
}

static void follow(struct blame *blame, const struct thread *thread, uint64_t from_ns,
		   uint64_t to_ns, uint64_t hint)
{
	struct following following = {
		.blame = blame,
		.thread = thread,
		.hint = hint,
		.sample = SAMPLE_NOT_SOUGHT,
	};

	uint64_t step_ns = step_of(blame, thread, from_ns, to_ns);

	draw_pay(&blame->draw, STEP_COST);
	if (step_ns)
		follow_steps(&following, from_ns, to_ns, step_ns);
	else
		pieces_walk(blame->history, thread, from_ns, to_ns, follow_piece, &following);
}

/* What the target did on the CPU, and what interrupts took from it. */
static void add_own_cpu(struct blame *blame, const struct thread *thread, uint64_t from_ns,
			uint64_t to_ns)
{
	size_t count = history_sample_count(blame->history, thread);
	struct leaf leaf;

	for (size_t i = history_sample_after(blame->history, thread, from_ns); i < count; i++) {
		const struct sample *sample = history_sample(blame->history, thread, i);

		if (sample->time_ns >= to_ns)
			break;
		leaf_of_sample(&leaf, blame->history, sample);
		/* what the interrupts themselves say is better */
		if (leaf.category == CATEGORY_CPU_IRQ && account_irqs_are_told(blame->history))
			leaf_release(&leaf);
		else
			blame_add_leaf(blame, &leaf);
	}
	leaf_of_irqs(&leaf, blame->history, thread, from_ns, to_ns);
	if (leaf.ns)
		blame_add_leaf(blame, &leaf);
}

void blame_add(struct blame *blame, const struct thread *thread, uint64_t from_ns, uint64_t to_ns)
{
	follow(blame, thread, from_ns, to_ns, 0);
	add_own_cpu(blame, thread, from_ns, to_ns);
}
