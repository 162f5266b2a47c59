/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/model.h"

#include <string.h>

#include "base/units.h"
#include "model/internal.h"

const char *model_text(struct model *model, const char *text)
{
	uint64_t hash = hash_text(text);
	const uint64_t *known;

	/* other texts with the same hash go to the next number */
	for (; (known = map64_get(&model->texts, hash)); hash++) {
		if (!strcmp((const char *)(uintptr_t)*known, text))
			return (const char *)(uintptr_t)*known;
	}
	return (const char *)(uintptr_t)*map64_put(&model->texts, hash,
						   (uintptr_t)arena_strdup(&model->arena, text));
}

static uint64_t meta_number(const struct model *model, const char *name)
{
	const char *value = model_meta(model, name);

	return value ? strtoull(value, NULL, 10) : 0;
}

static int read_all(struct model *model, const struct model_options *options)
{
	const struct recording_info *info = recording_info(model->recording);
	int err = tables_read(model);

	if (err)
		return err;
	model->start_ns = info->first_ns;
	model->end_ns = info->last_ns;
	model->cpu_count = info->cpu_limit;
	model->min_wait_ns = meta_number(model, "min_wait_ns");
	model->sample_period_ns = meta_number(model, "sample_period_ns");
	model->keep_ns =
		options->min_wait_ns == UINT64_MAX ? model->min_wait_ns : options->min_wait_ns;
	roster_init(model);
	return collect(model, options);
}

int model_new(struct model **ret, struct recording *recording, const struct model_options *options)
{
	struct model *model = xcalloc(1, sizeof(*model));
	int err;

	model->recording = recording;
	model->stacks = stack_table_new(model);
	err = read_all(model, options);
	if (err) {
		model_free(model);
		return err;
	}
	*ret = model;
	return 0;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	stack_table_free(model->stacks);
	tables_release(&model->tables);
	roster_release(&model->roster);
	map64_release(&model->texts);
	free(model->waits);
	free(model->samples);
	call_names_release(&model->names);
	free(model->span_events);
	free(model->spans);
	arena_release(&model->arena);
	free(model);
}

uint64_t model_start_ns(const struct model *model)
{
	return model->start_ns;
}

uint64_t model_end_ns(const struct model *model)
{
	return model->end_ns;
}

uint64_t model_min_wait_ns(const struct model *model)
{
	return model->min_wait_ns;
}

uint64_t model_sample_period_ns(const struct model *model)
{
	return model->sample_period_ns;
}

unsigned int model_cpu_count(const struct model *model)
{
	return model->cpu_count;
}

struct recording *model_recording(const struct model *model)
{
	return model->recording;
}

const char *model_meta(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->tables.meta_count; i++) {
		if (!strcmp(model->tables.metas[i].name, name))
			return model->tables.metas[i].value;
	}
	return NULL;
}

size_t model_meta_count(const struct model *model)
{
	return model->tables.meta_count;
}

void model_meta_at(const struct model *model, size_t i, const char **ret_name,
		   const char **ret_value)
{
	*ret_name = model->tables.metas[i].name;
	*ret_value = model->tables.metas[i].value;
}

size_t model_process_count(const struct model *model)
{
	return model->roster.process_count;
}

struct process *model_process(const struct model *model, size_t i)
{
	return model->roster.processes[i];
}

size_t model_thread_count(const struct model *model)
{
	return model->roster.thread_count;
}

struct thread *model_thread(const struct model *model, size_t i)
{
	return model->roster.threads[i];
}

size_t model_wait_count(const struct model *model)
{
	return model->wait_count;
}

const struct wait *model_wait(const struct model *model, size_t i)
{
	return &model->waits[i];
}

size_t model_sample_count(const struct model *model)
{
	return model->sample_count;
}

const struct sample *model_sample(const struct model *model, size_t i)
{
	return &model->samples[i];
}

size_t model_loss_count(const struct model *model)
{
	return model->tables.loss_count;
}

const struct event_loss *model_loss(const struct model *model, size_t i)
{
	return &model->tables.losses[i];
}

uint64_t model_lost_events(const struct model *model)
{
	uint64_t events = 0;

	for (size_t i = 0; i < model->tables.loss_count; i++)
		events += model->tables.losses[i].events;
	return events;
}

size_t model_hook_count(const struct model *model)
{
	return model->tables.hook_count;
}

const struct event_hook *model_hook(const struct model *model, size_t i)
{
	return model->tables.hooks[i];
}

size_t model_cgroup_count(const struct model *model)
{
	return model->tables.cgroup_count;
}

const struct event_cgroup *model_cgroup(const struct model *model, size_t i)
{
	return model->tables.cgroups[i];
}

size_t model_clock_count(const struct model *model)
{
	return model->tables.clock_count;
}

const struct event_clock *model_clock(const struct model *model, size_t i)
{
	return &model->tables.clocks[i];
}
