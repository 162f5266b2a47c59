/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/limits.h"

#include <inttypes.h>

#include "event/schema.h"
#include "base/memory.h"
#include "base/units.h"

/* Sums of losses of the same place and CPU, in the order of their first. */
struct loss_sum {
	const char *what;
	uint16_t cpu;
	uint64_t events;
};

#define LOSS_SUMS_SHOWN 4
#define LOSS_SUMS_MAX   1000 /* what comes behind is in the total only */

static size_t sum_losses(const struct model *model, struct loss_sum **sums)
{
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < model_loss_count(model); i++) {
		const struct event_loss *loss = model_loss(model, i);
		size_t at = 0;

		while (at < count &&
		       ((*sums)[at].cpu != loss->cpu || (*sums)[at].what != event_loss_what(loss)))
			at++;
		if (at == LOSS_SUMS_MAX)
			continue;
		if (at == count) {
			array_reserve((void **)sums, &capacity, count + 1, sizeof(**sums));
			(*sums)[count++] =
				(struct loss_sum){.what = event_loss_what(loss), .cpu = loss->cpu};
		}
		(*sums)[at].events += loss->events;
	}
	return count;
}

static void print_loss(const struct model *model, FILE *out)
{
	_cleanup_free_ struct loss_sum *sums = NULL;
	size_t count = sum_losses(model, &sums);
	char text[UNITS_TEXT_SIZE];

	if (!model_lost_events(model)) {
		fprintf(out, "lost: nothing\n");
		return;
	}
	fprintf(out, "lost: %s events (", format_count(text, model_lost_events(model)));
	for (size_t i = 0; i < count && i < LOSS_SUMS_SHOWN; i++) {
		fprintf(out, "%s%s %s events", i ? ", " : "", format_count(text, sums[i].events),
			sums[i].what);
		if (sums[i].cpu != EVENT_ANY_CPU)
			fprintf(out, " of CPU %u", sums[i].cpu);
	}
	fprintf(out, "%s)\n", count > LOSS_SUMS_SHOWN ? ", ...: see the view loss" : "");
}

static uint64_t samples_shown(const struct query *query)
{
	const struct model *model = query_model(query);
	const struct filter *filter = query_filter(query);
	uint64_t count = 0;

	for (size_t i = 0; i < model_sample_count(model); i++) {
		const struct sample *sample = model_sample(model, i);

		count += sample->time_ns >= filter->from_ns && sample->time_ns <= filter->to_ns &&
			 sample->thread && filter_takes_thread(filter, sample->thread);
	}
	return count;
}

static void print_samples(const struct query *query, FILE *out)
{
	uint64_t period_ns = model_sample_period_ns(query_model(query));
	char period[UNITS_TEXT_SIZE], count[UNITS_TEXT_SIZE];

	if (period_ns)
		fprintf(out, "samples every %s: %s samples\n",
			query_duration_text(period, period_ns),
			format_count(count, samples_shown(query)));
	else
		fprintf(out, "samples: none were taken\n");
}

static void print_waits(const struct model *model, FILE *out)
{
	char text[UNITS_TEXT_SIZE];

	if (model_min_wait_ns(model))
		fprintf(out, "waits shorter than %s carry no stack\n",
			query_duration_text(text, model_min_wait_ns(model)));
}

/* A file that ends too early, or is damaged, shows less than there was. */
static void print_damage(const struct model *model, FILE *out)
{
	const struct recording_info *info = recording_info(model_recording((struct model *)model));

	if (info->damage[0])
		fprintf(out, "the file: %s\n", info->damage);
}

void limits_print(struct query *query, const struct view *view, FILE *out)
{
	const struct model *model = query_model(query);

	fputc('\n', out);
	if (view->tells_samples)
		print_samples(query, out);
	if (view->tells_waits)
		print_waits(model, out);
	print_loss(model, out);
	print_damage(model, out);
}
