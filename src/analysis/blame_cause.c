/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/blame_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/category_words.h"
#include "analysis/peer.h"
#include "base/memory.h"

/* What a leaf costs, as draw_pay counts. */
#define LEAF_COST 100

/* One of several culprits counts from this part of the time of the largest on. */
#define WORTH_COUNTING 20

/* "worker-12" and "worker-3" are the same to a reader. */
static void plain_name(char plain[EVENT_COMM_SIZE], const char *comm)
{
	size_t length = strnlen(comm, EVENT_COMM_SIZE - 1);

	while (length > 1 &&
	       (isdigit((unsigned char)comm[length - 1]) || strchr("-_:/#.", comm[length - 1])))
		length--;
	memcpy(plain, comm, length);
	plain[length] = '\0';
}

/* The CPU's categories are one: which of them it is, the samples say of the whole. */
static enum category leaf_class(enum category leaf)
{
	return leaf == CATEGORY_CPU_KERNEL ? CATEGORY_CPU_USER : leaf;
}

/* The target's own sleeps are told apart by the function: each has a reason of its own. */
static uint64_t sleep_place(const struct blame *blame, const struct leaf *leaf)
{
	const struct place *place;

	if (leaf->category != CATEGORY_WAIT_SLEEP || blame->hop_count != 1 || !leaf->hotspot.count)
		return 0;
	place = category_user_place(history_model(blame->history), leaf->hotspot.stacks[0].user);
	return place ? hash_text(place->function) : 0;
}

static uint64_t cause_key(const struct blame *blame, enum category category,
			  const struct leaf *leaf)
{
	struct {
		uint32_t category, leaf, end, has_culprit, process, is_queued;
		char name[EVENT_COMM_SIZE];
		uint64_t object;
	} key = {
		.category = category,
		.leaf = leaf_class(leaf->category),
		.end = leaf->end,
		.has_culprit = leaf->culprit != NULL,
	};

	/* who was in the way of one that was in the way: the many of a busy machine are not one */
	if (blame->hop_count > 1 && blame->hops[blame->hop_count - 1].link == LINK_RAN) {
		key.is_queued = 1;
		key.process = leaf->culprit ? leaf->culprit->process->index : 0;
	}
	key.object = sleep_place(blame, leaf);
	if (leaf->culprit)
		plain_name(key.name, leaf->culprit->comm);
	else
		key.object = leaf->group ? leaf->group : hash_text(leaf->object);
	return hash_bytes(&key, sizeof(key));
}

/* A shell runs its commands: where one of them sleeps, the script wanted that. */
static bool is_shell(const struct blame *blame, const struct blame_hop *first)
{
	const struct stack *stack =
		first->category == CATEGORY_WAIT_CHILD && first->wait && first->wait->evidence
			? model_stack(history_model(blame->history),
				      first->wait->evidence->user_stack)
			: NULL;

	for (uint32_t i = 0; stack && i < stack->place_count; i++) {
		if (is_shell_module(stack->places[i]->module))
			return true;
	}
	return false;
}

/*
 * The target waited like a server between two requests: in its event loop, or on the server's side
 * of a connection. Not if a signal ended it, and not if what came is known to be an answer.
 */
static bool is_at_rest(const struct blame *blame)
{
	const struct blame_hop *first = &blame->hops[0];
	enum peer_role sender = peer_role(blame->history, peer_sender(blame->history, first->wait));

	if (!first->wait || first->way == ENDING_SIGNAL || sender == PEER_SERVER)
		return false;
	return is_shell(blame, first) || ending_is_of_loop(first->wait) || sender == PEER_CLIENT ||
	       peer_role(blame->history, peer_socket(blame->history, first->wait)) == PEER_SERVER;
}

static struct blame_cause *cause_of(struct blame *blame, enum category category,
				    const struct leaf *leaf)
{
	uint64_t key = cause_key(blame, category, leaf), *known = map64_get(&blame->cause_of, key);
	struct blame_cause *cause;

	if (known)
		return &blame->causes[*known];
	map64_put(&blame->cause_of, key, blame->cause_count);
	array_reserve((void **)&blame->causes, &blame->cause_capacity, blame->cause_count + 1,
		      sizeof(*blame->causes));
	cause = &blame->causes[blame->cause_count++];
	memset(cause, 0, sizeof(*cause));
	cause->category = category;
	cause->leaf = leaf->category;
	cause->end = leaf->end;
	if (blame->hop_count)
		cause->is_at_rest = is_at_rest(blame);
	return cause;
}

static void note_culprit(struct blame_cause *cause, const struct thread *culprit, uint64_t ns)
{
	unsigned int i = 0;

	if (!culprit)
		return;
	while (i < cause->culprit_count && cause->culprits_seen[i] != culprit->index)
		i++;
	if (i == ARRAY_SIZE(cause->culprits_seen))
		return;
	if (i == cause->culprit_count)
		cause->culprits_seen[cause->culprit_count++] = culprit->index;
	cause->culprits_ns[i] += ns;
}

/* Those with little time are not worth counting. */
static void count_culprits(struct blame_cause *cause)
{
	unsigned int seen = cause->culprit_count;
	uint64_t most_ns = 0;

	for (unsigned int i = 0; i < seen; i++) {
		if (cause->culprits_ns[i] > most_ns)
			most_ns = cause->culprits_ns[i];
	}
	cause->culprit_count = 0;
	for (unsigned int i = 0; i < seen; i++)
		cause->culprit_count += cause->culprits_ns[i] >= most_ns / WORTH_COUNTING;
}

/* Both wait for one lock: the second held it once, and got in line again. */
static bool is_same_lock(const struct blame_hop *one, const struct blame_hop *other)
{
	const struct event_wait *left = one->wait ? one->wait->evidence : NULL;
	const struct event_wait *right = other->wait ? other->wait->evidence : NULL;

	if (!left || !right || one->link != LINK_HELD_BY || one->category != other->category)
		return false;
	if (one->category == CATEGORY_LOCK_KERNEL)
		return left->lock_address && left->lock_address == right->lock_address;
	return one->thread->process == other->thread->process && left->futex_address &&
	       left->futex_address == right->futex_address;
}

/* The way that is kept leads from each lock to who held it last. */
static void keep_way(struct blame *blame, struct blame_cause *cause)
{
	cause->hops = xrealloc(cause->hops, (blame->hop_count + 1) * sizeof(*cause->hops));
	cause->hop_count = 0;
	for (size_t i = 0; i < blame->hop_count; i++) {
		if (!i || i + 1 == blame->hop_count ||
		    !is_same_lock(&blame->hops[i - 1], &blame->hops[i]))
			cause->hops[cause->hop_count++] = blame->hops[i];
	}
}

static void keep_instance(struct blame *blame, struct blame_cause *cause, const struct leaf *leaf,
			  uint64_t ns)
{
	cause->longest_ns = ns;
	cause->longest_from_ns = leaf->from_ns;
	cause->culprit = leaf->culprit;
	if (leaf->category != CATEGORY_UNKNOWN)
		cause->leaf = leaf->category;
	snprintf(cause->object, sizeof(cause->object), "%s", leaf->object);
	keep_way(blame, cause);
}

uint64_t blame_weighted(const struct blame *blame, uint64_t number)
{
	return (uint64_t)((double)number * blame->weight + 0.5);
}

void blame_add_leaf(struct blame *blame, struct leaf *leaf)
{
	enum category category = blame->hop_count ? blame->hops[0].category : leaf->category;
	struct blame_cause *cause = cause_of(blame, category, leaf);

	draw_pay(&blame->draw, LEAF_COST + leaf->looks * BLAME_LOOK_COST);
	cause->ns += blame_weighted(blame, leaf->ns);
	cause->overslept_ns += blame_weighted(blame, leaf->overslept_ns);
	if (leaf->asked_ns && (!cause->asked_least_ns || leaf->asked_ns < cause->asked_least_ns))
		cause->asked_least_ns = leaf->asked_ns;
	if (leaf->asked_ns > cause->asked_most_ns)
		cause->asked_most_ns = leaf->asked_ns;
	cause->waits += blame_weighted(blame, 1);
	note_culprit(cause, leaf->culprit, blame_weighted(blame, leaf->ns));
	hotspot_merge(&cause->hotspot, &leaf->hotspot, blame->weight);
	if (leaf->ns > cause->longest_ns || !cause->hops)
		keep_instance(blame, cause, leaf, leaf->ns);
	leaf_release(leaf);
}

void blame_release_causes(struct blame *blame)
{
	for (size_t i = 0; i < blame->cause_count; i++) {
		hotspot_release(&blame->causes[i].hotspot);
		free(blame->causes[i].hops);
	}
	free(blame->causes);
	map64_release(&blame->cause_of);
}

/* ---- the result ---- */

static int compare_causes(const void *a, const void *b)
{
	const struct blame_cause *left = a, *right = b;

	return left->ns == right->ns ? 0 : left->ns < right->ns ? 1 : -1;
}

void blame_finish(struct blame *blame)
{
	for (size_t i = 0; i < blame->cause_count; i++) {
		blame->causes[i].where =
			hotspot_result(&blame->causes[i].hotspot, history_model(blame->history));
		count_culprits(&blame->causes[i]);
	}
	if (blame->cause_count)
		qsort(blame->causes, blame->cause_count, sizeof(*blame->causes), compare_causes);
	map64_release(&blame->cause_of);
	memset(&blame->cause_of, 0, sizeof(blame->cause_of));
}

bool blame_is_drawn(const struct blame *blame)
{
	return draw_is_partial(&blame->draw);
}

size_t blame_cause_count(const struct blame *blame)
{
	return blame->cause_count;
}

const struct blame_cause *blame_cause(const struct blame *blame, size_t i)
{
	return &blame->causes[i];
}
