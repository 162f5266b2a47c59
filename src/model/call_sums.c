/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums over the calls of each function, in one pass by their ends: what is inside a call comes
 * before it, and must be found then.
 *
 * Each thread has a list of what has ended and is not yet inside anything known (struct pending). A
 * call takes from its end what began after it did: its self time is what is left. What lies side by
 * side at one depth may become one entry: a call that is to come is around all of it, or none,
 * because the one that had been around only a part would have come in between. Only where events
 * were lost, or calls of a function stopped being written, that may be missing: there entries stay
 * apart.
 *
 * The same for total time under recursion: each thread has, for each function, a list of its calls
 * that are not inside another of that function yet (struct outermost), as long as the other list
 * needs to tell them apart.
 */
#include "model/call_sums.h"

#include <stdlib.h>
#include <string.h>

#include "model/internal.h"

/* Calls with one of these did not take as long as their times say. */
#define UNSEEN_ENDS (EVENT_SPAN_OPEN | EVENT_SPAN_BROKEN | EVENT_SPAN_INHERITED)

struct pending {
	uint64_t first_ns; /* start of the first of it */
	uint64_t last_ns;  /* start of the last of it */
	uint64_t sum_ns;   /* of what is shown */
	uint16_t depth;
	bool is_closed; /* nothing may be added */
};

struct outermost {
	uint64_t start_ns;
	uint64_t sum_ns;
};

struct own {
	struct outermost *items;
	size_t count, capacity;
};

struct lane {
	struct pending *items;
	size_t count, capacity;
	struct map64 own; /* name: index in the summer's owns */
};

/* Lengths of calls that returned. The few that need more bits are kept apart: they are longer than
 * all others. */
struct lengths {
	uint32_t *items;
	size_t count, capacity;
	uint64_t *longer;
	size_t longer_count, longer_capacity;
};

struct summer {
	struct model *model;
	const struct filter *filter;
	struct call_sums *sums;
	struct lengths *lengths; /* by name */
	struct lane *lanes;
	size_t lane_count, lane_capacity;
	struct own *owns;
	size_t own_count, own_capacity;
	struct span_of_time *gaps; /* where calls or spans were lost, by their start */
	size_t gap_count, gap_at;
	uint64_t gap_to_ns;   /* the last end of the gaps up to gap_at */
	uint64_t hot_from_ns; /* from here on calls are not written that may be around written ones
			       */
	bool limits_time;
};

/* ---- where calls may be missing ---- */

static int compare_gaps(const void *a, const void *b)
{
	const struct span_of_time *left = a, *right = b;

	return left->from_ns < right->from_ns ? -1 : left->from_ns > right->from_ns;
}

static bool may_be_calls(const struct event_loss *loss)
{
	return loss->log == EVENT_LOG_CALL || loss->log == EVENT_LOG_EVIDENCE ||
	       loss->reason == EVENT_LOSS_SPAN;
}

static void find_gaps(struct summer *summer)
{
	size_t losses = model_loss_count(summer->model);

	summer->gaps = xcalloc(losses + 1, sizeof(*summer->gaps));
	for (size_t i = 0; i < losses; i++) {
		const struct event_loss *loss = model_loss(summer->model, i);

		if (may_be_calls(loss))
			summer->gaps[summer->gap_count++] = (struct span_of_time){
				.from_ns = loss->from_ns, .to_ns = loss->to_ns};
	}
	qsort(summer->gaps, summer->gap_count, sizeof(*summer->gaps), compare_gaps);
	summer->hot_from_ns = UINT64_MAX;
	for (size_t i = 0; i < call_name_count(summer->model); i++) {
		const struct call_counted *counted = &call_name_at(summer->model, i)->counted;

		/* where nothing was traced inside, it is around nothing */
		if (counted->since_ns && counted->self_ns < counted->total_ns &&
		    counted->since_ns < summer->hot_from_ns)
			summer->hot_from_ns = counted->since_ns;
	}
}

/* A gap has begun: nothing is added to what ended before it. */
static void close_all(struct summer *summer)
{
	for (size_t i = 0; i < summer->lane_count; i++) {
		struct lane *lane = &summer->lanes[i];

		for (size_t j = lane->count; j > 0 && !lane->items[j - 1].is_closed; j--)
			lane->items[j - 1].is_closed = true;
	}
}

/* True if calls that ended around END_NS may be missing. */
static bool is_in_gap(struct summer *summer, uint64_t end_ns)
{
	bool has_begun = false;

	while (summer->gap_at < summer->gap_count &&
	       summer->gaps[summer->gap_at].from_ns <= end_ns) {
		const struct span_of_time *gap = &summer->gaps[summer->gap_at++];

		if (gap->to_ns > summer->gap_to_ns)
			summer->gap_to_ns = gap->to_ns;
		has_begun = true;
	}
	if (has_begun)
		close_all(summer);
	return end_ns <= summer->gap_to_ns || end_ns >= summer->hot_from_ns;
}

/* ---- what is inside ---- */

static struct lane *lane_of(struct summer *summer, const struct call *call)
{
	if (call->lane >= summer->lane_count) {
		array_reserve((void **)&summer->lanes, &summer->lane_capacity,
			      call->lane + (size_t)1, sizeof(*summer->lanes));
		while (summer->lane_count <= call->lane)
			summer->lanes[summer->lane_count++] = (struct lane){.count = 0};
	}
	return &summer->lanes[call->lane];
}

/* Takes out what is inside the call; returns how long that took. */
static uint64_t take_inner(struct lane *lane, const struct call *call)
{
	uint64_t inner_ns = 0;

	while (lane->count > 0) {
		struct pending *top = &lane->items[lane->count - 1];

		if (top->depth <= call->depth || top->last_ns < call->start_ns)
			break;
		if (top->first_ns < call->start_ns) {
			/* what was around its first part is missing, and nobody said so */
			uint64_t part_ns = call->end_ns - call->start_ns;

			part_ns = part_ns < top->sum_ns ? part_ns : top->sum_ns;
			top->sum_ns -= part_ns;
			top->last_ns = top->first_ns;
			top->is_closed = true;
			return inner_ns + part_ns;
		}
		inner_ns += top->sum_ns;
		lane->count--;
	}
	return inner_ns;
}

static void add_pending(struct lane *lane, const struct call *call, uint64_t ns, bool is_in_gap)
{
	struct pending *top = lane->count ? &lane->items[lane->count - 1] : NULL;

	if (top && top->depth == call->depth && !top->is_closed && !is_in_gap) {
		top->last_ns = call->start_ns;
		top->sum_ns += ns;
		return;
	}
	array_reserve((void **)&lane->items, &lane->capacity, lane->count + 1,
		      sizeof(*lane->items));
	lane->items[lane->count++] = (struct pending){
		.first_ns = call->start_ns,
		.last_ns = call->start_ns,
		.sum_ns = ns,
		.depth = call->depth,
		.is_closed = is_in_gap,
	};
}

/* ---- recursion ---- */

static struct own *own_of(struct summer *summer, struct lane *lane, uint32_t name, bool *ret_is_new)
{
	const uint64_t *known = map64_get(&lane->own, name);

	*ret_is_new = !known;
	if (known)
		return &summer->owns[*known];
	map64_put(&lane->own, name, summer->own_count);
	array_reserve((void **)&summer->owns, &summer->own_capacity, summer->own_count + 1,
		      sizeof(*summer->owns));
	summer->owns[summer->own_count] = (struct own){.count = 0};
	return &summer->owns[summer->own_count++];
}

/* Joins the last two, if no call that is to come can be around only one of them. */
static void join_last(const struct lane *lane, struct own *own)
{
	const struct outermost *last = &own->items[own->count - 1];
	size_t at = lane->count;

	if (own->count < 2)
		return;
	while (at > 0 && lane->items[at - 1].first_ns > last->start_ns)
		at--;
	if (at == 0 || lane->items[at - 1].first_ns > own->items[own->count - 2].start_ns)
		return;
	own->items[own->count - 2].sum_ns += last->sum_ns;
	own->count--;
}

/* The time of the call less what its function spent in calls inside of it. */
static uint64_t take_own(const struct lane *lane, struct own *own, const struct call *call,
			 uint64_t ns)
{
	uint64_t inner_ns = 0;

	while (own->count > 0 && own->items[own->count - 1].start_ns >= call->start_ns)
		inner_ns += own->items[--own->count].sum_ns;
	if (own->count > 1)
		join_last(lane, own);
	array_reserve((void **)&own->items, &own->capacity, own->count + 1, sizeof(*own->items));
	own->items[own->count++] = (struct outermost){.start_ns = call->start_ns, .sum_ns = ns};
	return ns > inner_ns ? ns - inner_ns : 0;
}

/* ---- one call ---- */

static void add_length(struct lengths *lengths, uint64_t ns)
{
	if (ns < UINT32_MAX) {
		array_reserve((void **)&lengths->items, &lengths->capacity, lengths->count + 1,
			      sizeof(*lengths->items));
		lengths->items[lengths->count++] = (uint32_t)ns;
		return;
	}
	array_reserve((void **)&lengths->longer, &lengths->longer_capacity,
		      lengths->longer_count + 1, sizeof(*lengths->longer));
	lengths->longer[lengths->longer_count++] = ns;
}

/* Where there is no probe on the return, all ends are inferred: their lengths are what is known. */
static bool has_length(const struct summer *summer, const struct call *call)
{
	uint32_t flags = call_name_at(summer->model, call->name)->flags;

	return !(call->flags & UNSEEN_ENDS) ||
	       ((flags & EVENT_NAME_ENTRY_ONLY) && !(call->flags & EVENT_SPAN_OPEN));
}

static void add_call(struct summer *summer, struct lane *lane, const struct call *call, uint64_t ns,
		     uint64_t inner_ns)
{
	struct call_sum *sum = &summer->sums->items[call->name];
	uint64_t length_ns = call->end_ns - call->start_ns;
	bool is_new;
	struct own *own = own_of(summer, lane, call->name, &is_new);

	sum->written++;
	sum->threads += is_new;
	sum->self_ns += ns > inner_ns ? ns - inner_ns : 0;
	sum->total_ns += take_own(lane, own, call, ns);
	sum->open += call->flags & EVENT_SPAN_OPEN ? 1 : 0;
	sum->inferred += call->flags & EVENT_SPAN_BROKEN ? 1 : 0;
	sum->inherited += call->flags & EVENT_SPAN_INHERITED ? 1 : 0;
	if (!(call->flags & UNSEEN_ENDS)) {
		sum->returned++;
		sum->returned_ns += length_ns;
	}
	if (has_length(summer, call)) {
		add_length(&summer->lengths[call->name], length_ns);
		if (length_ns > sum->max_ns)
			sum->max_ns = length_ns;
	}
}

static void take_call(struct summer *summer, const struct call *call)
{
	bool in_gap = is_in_gap(summer, call->end_ns);
	struct lane *lane = lane_of(summer, call);
	uint64_t inner_ns = take_inner(lane, call);
	uint64_t ns = summer->limits_time ? call_inside_ns(call, summer->filter)
					  : call->end_ns - call->start_ns;

	/* what is hidden shows what is inside of it to what is around it */
	add_pending(lane, call, call->is_shown ? ns : inner_ns, in_gap);
	if (call->is_shown)
		add_call(summer, lane, call, ns, inner_ns);
}

/* ---- percentiles ---- */

/* The item that would be at place K if they were sorted; reorders them. */
static uint32_t select_item(uint32_t *items, size_t count, size_t k)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, place = (ptrdiff_t)k;

	while (low < high) {
		uint32_t pivot = items[low + (high - low) / 2];
		ptrdiff_t i = low, j = high;

		while (i <= j) {
			while (items[i] < pivot)
				i++;
			while (items[j] > pivot)
				j--;
			if (i <= j) {
				uint32_t swapped = items[i];

				items[i++] = items[j];
				items[j--] = swapped;
			}
		}
		if (place <= j)
			high = j;
		else if (place >= i)
			low = i;
		else
			break;
	}
	return items[k];
}

static int compare_longer(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* How many written calls are shorter than the longest that was counted: among these ranks nothing
 * is known. */
static uint64_t count_below(const struct lengths *lengths, uint64_t ns)
{
	uint64_t count = 0;

	for (size_t i = 0; i < lengths->count; i++)
		count += lengths->items[i] < ns;
	for (size_t i = 0; i < lengths->longer_count; i++)
		count += lengths->longer[i] < ns;
	return count;
}

struct ranks {
	struct lengths *lengths;
	uint64_t counted; /* calls whose lengths are not known, */
	uint64_t below;   /* and written ones that may be shorter than some of them */
};

/* The length that PERCENT of all calls do not exceed. */
static uint64_t percentile(const struct ranks *ranks, unsigned int percent)
{
	struct lengths *lengths = ranks->lengths;
	uint64_t count = ranks->counted + lengths->count + lengths->longer_count;
	uint64_t rank = count / 100 * percent + (count % 100 * percent + 99) / 100;

	if (!count || rank <= ranks->counted + ranks->below * (ranks->counted > 0))
		return MODEL_TIME_UNKNOWN;
	rank -= ranks->counted + 1;
	if (rank >= lengths->count)
		return lengths->longer[rank - lengths->count];
	return select_item(lengths->items, lengths->count, rank);
}

static void finish_sum(struct summer *summer, const struct call_name *name)
{
	struct call_sum *sum = &summer->sums->items[name->index];
	struct lengths *lengths = &summer->lengths[name->index];
	const struct call_counted *counted = &name->counted;
	struct ranks ranks = {.lengths = lengths, .counted = counted->calls};
	bool knows_counted =
		summer->sums->knows_counted && call_name_is_taken(summer->filter, name);

	if (lengths->longer_count)
		qsort(lengths->longer, lengths->longer_count, sizeof(uint64_t), compare_longer);
	/* of some threads, or some time: how many of them were counted is not known */
	if (counted->calls && !knows_counted)
		ranks.counted = UINT32_MAX * UINT64_C(100);
	if (counted->calls)
		ranks.below = count_below(lengths, counted->max_ns);
	sum->p50_ns = percentile(&ranks, 50);
	sum->p90_ns = percentile(&ranks, 90);
	sum->p99_ns = percentile(&ranks, 99);
	/* what was counted inside of it, even if all its own calls were written */
	if (knows_counted)
		sum->self_ns -=
			sum->self_ns < counted->hidden_ns ? sum->self_ns : counted->hidden_ns;
	if (knows_counted && counted->calls) {
		sum->counted = counted->calls;
		sum->total_ns += counted->total_ns;
		sum->self_ns += counted->self_ns;
		if (counted->max_ns > sum->max_ns)
			sum->max_ns = counted->max_ns;
	}
	sum->calls = sum->written + sum->counted;
	if (!(knows_counted && counted->calls) && !lengths->count && !lengths->longer_count)
		sum->max_ns = MODEL_TIME_UNKNOWN;
}

/* ---- the whole ---- */

static void release(struct summer *summer)
{
	for (size_t i = 0; i < summer->sums->count; i++) {
		free(summer->lengths[i].items);
		free(summer->lengths[i].longer);
	}
	for (size_t i = 0; i < summer->lane_count; i++) {
		free(summer->lanes[i].items);
		map64_release(&summer->lanes[i].own);
	}
	for (size_t i = 0; i < summer->own_count; i++)
		free(summer->owns[i].items);
	free(summer->lengths);
	free(summer->lanes);
	free(summer->owns);
	free(summer->gaps);
}

int call_sums_make(struct call_sums *ret, struct model *model, const struct filter *filter)
{
	struct summer summer = {.model = model, .filter = filter, .sums = ret};
	struct call_reader *reader;
	const struct call *call;
	int more;

	ret->count = call_name_count(model);
	ret->items = xcalloc(ret->count, sizeof(*ret->items));
	summer.limits_time =
		filter->from_ns > model_start_ns(model) || filter->to_ns < model_end_ns(model);
	ret->knows_counted = !summer.limits_time && !filter->pid_count && !filter->tid_count &&
			     !filter->comm_count && !filter->call_depth;
	summer.lengths = xcalloc(ret->count, sizeof(*summer.lengths));
	find_gaps(&summer);
	more = call_reader_new(&reader, model, filter, true);
	if (!more) {
		while ((more = call_reader_next(reader, &call)) > 0)
			take_call(&summer, call);
		call_reader_free(reader);
	}
	for (size_t i = 0; !more && i < ret->count; i++)
		finish_sum(&summer, call_name_at(model, i));
	release(&summer);
	return more;
}

void call_sums_release(struct call_sums *sums)
{
	free(sums->items);
	*sums = (struct call_sums){0};
}
