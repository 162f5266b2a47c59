/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/digest.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/units.h"
#include "query/delay.h"
#include "query/internal.h"

/* Pairs of threads that wake each other; more than any machine has, fewer than memory holds. */
#define WAKEUPS_MAX 2000000

/* Look whether the user wants to stop after this many events. */
#define EVENTS_BETWEEN_CHECKS 65536

struct pass {
	struct query *query;
	struct digest *digest;
	struct delays *delays;
	struct map64 wakeup_of; /* (waker index, wakee index) to position in wakeups */
	size_t wakeup_capacity;
	size_t *last_wakeup; /* by wakee index: where its last wake-up was counted; mostly the next,
				too */
};

static bool is_inside(const struct query *query, uint64_t time_ns)
{
	return query_takes_time(query, time_ns, time_ns);
}

static bool is_idle(const struct thread *thread)
{
	return thread->index == 0;
}

static void on_event(void *context, const struct event_header *event)
{
	struct pass *pass = context;

	delays_event(pass->delays, event);
}

static void on_run(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		   uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut)
{
	struct pass *pass = context;
	struct digest *digest = pass->digest;
	uint64_t inside_ns = query_inside_ns(pass->query, from_ns, to_ns);
	bool begins_inside = is_inside(pass->query, from_ns);

	(void)end_state;
	(void)flags;
	(void)is_cut;
	digest->threads[thread->index].on_cpu_ns += inside_ns;
	digest->threads[thread->index].switches += begins_inside;
	if (cpu < digest->cpu_count) {
		struct digest_cpu *totals = &digest->cpus[cpu];

		if (is_idle(thread))
			totals->idle_ns += inside_ns;
		else if (query_takes_thread(pass->query, thread))
			totals->busy_ns += inside_ns;
		else
			totals->other_ns += inside_ns;
		totals->switches += begins_inside;
	}
	delays_run(pass->delays, thread, cpu, from_ns, to_ns);
}

static void count_delay(struct digest *digest, uint64_t runnable_ns)
{
	uint64_t us = runnable_ns / NS_PER_US;
	unsigned int bucket = us ? 64 - (unsigned int)__builtin_clzll(us) : 0;

	digest->buckets[bucket < DIGEST_BUCKETS ? bucket : DIGEST_BUCKETS - 1]++;
}

static struct digest_wakeup *wakeup_of(struct pass *pass, const struct wait *wait)
{
	struct digest *digest = pass->digest;
	uint64_t key = (uint64_t)(wait->waker ? wait->waker->index : UINT32_MAX) << 32 |
		       wait->thread->index;
	size_t *last = &pass->last_wakeup[wait->thread->index];
	uint64_t *found;

	if (*last < digest->wakeup_count && digest->wakeups[*last].wakee == wait->thread &&
	    digest->wakeups[*last].waker == wait->waker)
		return &digest->wakeups[*last];
	found = map64_get(&pass->wakeup_of, key);
	if (found) {
		*last = *found;
		return &digest->wakeups[*found];
	}
	if (digest->wakeup_count == WAKEUPS_MAX) {
		digest->is_cut = true;
		return NULL;
	}
	*last = digest->wakeup_count;
	map64_put(&pass->wakeup_of, key, digest->wakeup_count);
	array_reserve((void **)&digest->wakeups, &pass->wakeup_capacity, digest->wakeup_count + 1,
		      sizeof(*digest->wakeups));
	digest->wakeups[digest->wakeup_count] =
		(struct digest_wakeup){.waker = wait->waker, .wakee = wait->thread};
	return &digest->wakeups[digest->wakeup_count++];
}

static bool has_waker_stack(const struct wait *wait)
{
	return wait->evidence &&
	       (wait->evidence->waker_kernel_stack || wait->evidence->waker_user_stack);
}

static void count_wakeup(struct pass *pass, const struct wait *wait)
{
	struct digest_wakeup *wakeup;
	uint64_t blocked_ns = wait_blocked_ns(wait);

	if (!wait->wake_seen || !wait->prev_state || wait->is_open)
		return;
	if (!query_takes_thread(pass->query, wait->thread) &&
	    !query_takes_thread(pass->query, wait->waker))
		return;
	wakeup = wakeup_of(pass, wait);
	if (!wakeup)
		return;
	wakeup->count++;
	wakeup->interrupt_count += wait->waker_is_irq;
	wakeup->told_count += wait->waker_is_irq || has_waker_stack(wait);
	wakeup->blocked_ns += blocked_ns;
	if (blocked_ns > wakeup->longest_ns)
		wakeup->longest_ns = blocked_ns;
}

static void on_wait(void *context, const struct wait *wait)
{
	struct pass *pass = context;
	const struct query *query = pass->query;
	struct digest_thread *totals = &pass->digest->threads[wait->thread->index];
	uint64_t runnable_ns = wait_runnable_ns(wait);

	totals->blocked_ns += query_inside_ns(query, wait->start_ns, wait->wake_ns);
	totals->runnable_ns += query_inside_ns(query, wait->wake_ns, wait->end_ns);
	totals->preemptions += !wait->prev_state && is_inside(query, wait->start_ns);
	if (!wait->is_open && is_inside(query, wait->end_ns)) {
		if (wait->end_ns - wait->start_ns > totals->longest_wait_ns)
			totals->longest_wait_ns = wait->end_ns - wait->start_ns;
		if (runnable_ns > totals->longest_runnable_ns)
			totals->longest_runnable_ns = runnable_ns;
		if (query_takes_thread(query, wait->thread) &&
		    (wait->wake_seen || !wait->prev_state))
			count_delay(pass->digest, runnable_ns);
		count_wakeup(pass, wait);
	}
	delays_wait(pass->delays, wait);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What neither runs nor waits account for. */
static void count_unknown(const struct query *query, struct digest *digest)
{
	uint64_t all_ns =
		query_inside_ns(query, model_start_ns(query->model), model_end_ns(query->model));

	for (size_t i = 0; i < digest->cpu_count; i++) {
		struct digest_cpu *cpu = &digest->cpus[i];

		cpu->unknown_ns = minus(all_ns, cpu->busy_ns + cpu->idle_ns + cpu->other_ns);
		digest->threads[0].unknown_ns += cpu->unknown_ns;
	}
	for (size_t i = 1; i < digest->thread_count; i++) {
		const struct thread *thread = model_thread(query->model, i);
		struct digest_thread *totals = &digest->threads[i];

		totals->unknown_ns =
			minus(query_inside_ns(query, thread->start_ns, thread->end_ns),
			      totals->on_cpu_ns + totals->runnable_ns + totals->blocked_ns);
	}
}

static void count_samples(const struct query *query, struct digest *digest)
{
	for (size_t i = 0; i < model_sample_count(query->model); i++) {
		const struct sample *sample = model_sample(query->model, i);

		if (sample->thread && is_inside(query, sample->time_ns))
			digest->threads[sample->thread->index].samples++;
	}
}

static struct digest *empty_digest(const struct query *query, uint64_t min_ns)
{
	struct digest *digest = xcalloc(1, sizeof(*digest));

	digest->min_ns = min_ns;
	digest->thread_count = model_thread_count(query->model);
	digest->threads = xcalloc(digest->thread_count + 1, sizeof(*digest->threads));
	digest->cpu_count = model_cpu_count(query->model);
	digest->cpus = xcalloc(digest->cpu_count + 1, sizeof(*digest->cpus));
	for (size_t i = 0; i < digest->cpu_count; i++)
		digest->cpus[i].cpu = (uint32_t)i;
	return digest;
}

static int run_pass(struct pass *pass)
{
	struct model_listener listener = {
		.context = pass, .event = on_event, .run = on_run, .wait = on_wait};
	struct model_player *player;
	uint64_t events = 0;
	int more = model_player_new(&player, pass->query->model, 0, UINT64_MAX, &listener);

	if (more)
		return more;
	while ((more = model_player_step(player)) > 0) {
		if (++events % EVENTS_BETWEEN_CHECKS == 0 && query_wants_stop(pass->query)) {
			more = -ECANCELED;
			break;
		}
	}
	model_player_free(player);
	return more;
}

int digest_new(struct digest **ret, struct query *query, uint64_t min_ns)
{
	struct pass pass = {.query = query, .digest = empty_digest(query, min_ns)};
	int err;

	pass.last_wakeup = xcalloc(pass.digest->thread_count + 1, sizeof(*pass.last_wakeup));
	pass.delays = delays_new(query, min_ns);
	err = run_pass(&pass);
	if (!err) {
		delays_finish(pass.delays, pass.digest);
		count_unknown(query, pass.digest);
		count_samples(query, pass.digest);
		*ret = pass.digest;
		if (pass.digest->is_cut)
			warn("there is more than the run-queue tables hold: they are not complete");
	} else {
		digest_free(pass.digest);
	}
	delays_free(pass.delays);
	map64_release(&pass.wakeup_of);
	free(pass.last_wakeup);
	return err;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	digest_free(digest->older);
	free(digest->threads);
	free(digest->cpus);
	free(digest->wakeups);
	free(digest->culprits);
	free(digest->queued);
	free(digest);
}

int query_digest(struct query *query, uint64_t min_ns, const struct digest **ret)
{
	struct digest *digest;
	int err;

	if (!query->digest || query->digest->min_ns > min_ns) {
		/* Most that ask want delays of a millisecond: one pass serves them all. */
		err = digest_new(&digest, query, min_ns < NS_PER_MS ? min_ns : NS_PER_MS);
		if (err)
			return err;
		digest->older = query->digest;
		query->digest = digest;
	}
	*ret = query->digest;
	return 0;
}
