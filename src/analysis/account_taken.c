/* SPDX-License-Identifier: BSD-2-Clause */
/* Who took a CPU from a thread: others in its run queue, interrupts, the hypervisor. */
#include <stdlib.h>
#include <string.h>

#include "analysis/account.h"
#include "analysis/category_table.h"
#include "base/memory.h"

/* So many runs before it is looked at, one is fetched from memory: they lie far from each other. */
#define RUNS_AHEAD 8

/* ---- others in the run queue ---- */

static void add_runner(struct runners *runners, struct model *model, uint32_t thread, uint64_t ns)
{
	uint32_t *number = &runners->numbers[thread];

	if (!*number) {
		array_reserve((void **)&runners->items, &runners->capacity, runners->count + 1,
			      sizeof(*runners->items));
		runners->items[runners->count++] =
			(struct runner){.thread = model_thread(model, thread)};
		*number = (uint32_t)runners->count;
	}
	runners->items[*number - 1].ns += ns;
}

void runners_find(struct runners *runners, const struct history *history, const struct piece *piece)
{
	struct model *model = history_model(history);
	uint16_t cpu = piece->turn->cpu;
	size_t count = history_cpu_run_count(history, cpu), i;

	if (!runners->numbers)
		runners->numbers =
			xcalloc(model_thread_count(model) + 1, sizeof(*runners->numbers));
	for (i = 0; i < runners->count; i++)
		runners->numbers[runners->items[i].thread->index] = 0;
	runners->count = 0;
	runners->looks = 0;
	runners->idle_ns = piece_ns(piece);
	for (i = history_cpu_run_after(history, cpu, piece->from_ns); i < count; i++) {
		const struct turn *run = history_cpu_run(history, cpu, i);
		uint64_t from_ns = later(run->from_ns, piece->from_ns);
		uint64_t to_ns = earlier(run->to_ns, piece->to_ns);

		if (i + RUNS_AHEAD < count)
			__builtin_prefetch(history_cpu_run(history, cpu, i + RUNS_AHEAD));
		if (run->from_ns >= piece->to_ns)
			break;
		runners->looks++;
		if (from_ns >= to_ns || run->thread == piece->turn->thread)
			continue;
		runners->idle_ns -= earlier(to_ns - from_ns, runners->idle_ns);
		add_runner(runners, model, run->thread, to_ns - from_ns);
	}
	runners->lost_ns = earlier(history_cpu_lost_ns(history, cpu, piece->from_ns, piece->to_ns),
				   runners->idle_ns);
	runners->idle_ns -= runners->lost_ns;
}

void runners_release(struct runners *runners)
{
	free(runners->items);
	free(runners->numbers);
	memset(runners, 0, sizeof(*runners));
}

/* ---- interrupts ---- */

static uint64_t number_meta(const struct model *model, const char *name)
{
	const char *text = model_meta(model, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

struct irq_time {
	uint64_t total_ns;
	uint64_t own_ns;
};

static struct irq_time irq_time(const struct event_irq *event, uint64_t hidden_ns)
{
	struct irq_time time = {0, 0};

	for (size_t i = 0; i < ARRAY_SIZE(event->hard_ns); i++)
		time.total_ns += event->hard_ns[i] + event->hard_count[i] * hidden_ns;
	for (size_t i = 0; i < ARRAY_SIZE(event->soft_ns); i++)
		time.total_ns += event->soft_ns[i];
	time.own_ns =
		event->hard_ns[EVENT_IRQ_WORK] + event->hard_count[EVENT_IRQ_WORK] * hidden_ns;
	return time;
}

/* Without one of these, what the others tell is less than what samples show. Interrupts of the CPU
 * itself are short but for the softirqs behind them. */
static bool tells_irqs(const char *hook)
{
	return function_is_one_of(hook,
				  "irq_handler_entry irq_handler_exit softirq_entry softirq_exit");
}

bool account_irqs_are_told(const struct history *history)
{
	const struct model *model = history_model(history);

	for (size_t i = 0; i < model_hook_count(model); i++) {
		const struct event_hook *hook = model_hook(model, i);

		if (hook->status == EVENT_HOOK_MISSING && tells_irqs(hook->text))
			return false;
	}
	return history_events(history, EVENT_IRQ).count > 0;
}

void account_irqs_begin(struct account_irqs *irqs, const struct history *history,
			const struct thread *thread, uint64_t from_ns, uint64_t to_ns)
{
	*irqs = (struct account_irqs){
		.is_told = account_irqs_are_told(history),
		.hidden_ns = number_meta(history_model(history), "irq_hidden_ns"),
	};
	history_over_begin(&irqs->over, history, EVENT_IRQ, thread->tid, from_ns, to_ns);
}

bool account_irqs_next(struct account_irqs *irqs)
{
	const struct event_irq *event;

	while (irqs->is_told && (event = (const void *)history_over_next(&irqs->over))) {
		uint64_t until_ns = event->header.time_ns, start_ns = event->from_ns;
		uint64_t inside_from_ns = later(start_ns, irqs->over.from_ns);
		uint64_t inside_to_ns = earlier(until_ns, irqs->over.to_ns);

		if (inside_from_ns >= inside_to_ns)
			continue;
		irqs->event = event;
		irqs->part =
			(double)(inside_to_ns - inside_from_ns) / (double)(until_ns - start_ns);
		return true;
	}
	return false;
}

/* Nothing can take more than all of an interval, whatever an event says. */
static uint64_t at_most(double ns, uint64_t most_ns)
{
	return ns < (double)most_ns ? (uint64_t)ns : most_ns;
}

uint64_t account_irq_ns(const struct history *history, const struct thread *thread,
			uint64_t from_ns, uint64_t to_ns, uint64_t *ret_own_ns)
{
	struct account_irqs irqs;
	double total_ns = 0, own_ns = 0;

	account_irqs_begin(&irqs, history, thread, from_ns, to_ns);
	while (account_irqs_next(&irqs)) {
		struct irq_time time = irq_time(irqs.event, irqs.hidden_ns);

		total_ns += irqs.part * (double)time.total_ns;
		own_ns += irqs.part * (double)time.own_ns;
	}
	if (ret_own_ns)
		*ret_own_ns = at_most(own_ns, to_ns - from_ns);
	return at_most(total_ns, to_ns - from_ns);
}

/* ---- stolen time ---- */

/* How long THREAD ran on CPU in an interval. */
static uint64_t ran_ns(const struct history *history, const struct thread *thread, uint16_t cpu,
		       uint64_t from_ns, uint64_t to_ns)
{
	size_t count = history_turn_count(history, thread);
	uint64_t ns = 0;

	for (size_t i = history_turn_after(history, thread, from_ns); i < count; i++) {
		const struct turn *turn = history_turn(history, thread, i);
		uint64_t start_ns = later(turn->from_ns, from_ns);
		uint64_t end_ns = earlier(turn->to_ns, to_ns);

		if (turn->start_ns >= to_ns)
			break;
		if (turn->flags & TURN_HAS_RUN && turn->cpu == cpu && start_ns < end_ns)
			ns += end_ns - start_ns;
	}
	return ns;
}

uint64_t account_steal_ns(const struct history *history, const struct thread *thread,
			  uint64_t from_ns, uint64_t to_ns)
{
	const struct event_steal *event;
	struct history_over over;
	double stolen_ns = 0;

	history_over_begin(&over, history, EVENT_STEAL, 0, from_ns, to_ns);
	while ((event = (const void *)history_over_next(&over))) {
		uint64_t until_ns = event->header.time_ns;
		uint64_t busy_ns =
			history_cpu_busy_ns(history, event->cpu, event->from_ns, until_ns);
		uint64_t own_ns = ran_ns(history, thread, event->cpu,
					 later(event->from_ns, from_ns), earlier(until_ns, to_ns));

		if (busy_ns)
			stolen_ns += (double)event->stolen_ns * (double)own_ns / (double)busy_ns;
	}
	return at_most(stolen_ns, to_ns - from_ns);
}
