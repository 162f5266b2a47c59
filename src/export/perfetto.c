/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto.h"

static int write_trace(struct perfetto *perfetto)
{
	int err = perfetto_read_roster(perfetto);

	if (err)
		return err;
	perfetto_write_machine(perfetto);
	perfetto_write_processes(perfetto);
	perfetto_write_losses(perfetto);
	err = perfetto_write_sched(perfetto);
	if (err)
		return err;
	err = perfetto_write_spans(perfetto);
	if (err)
		return err;
	perfetto_write_waits(perfetto);
	perfetto_write_on_cpu_samples(perfetto);
	if (!perfetto->options->old_samples) /* which could not carry the weights */
		perfetto_write_off_cpu_samples(perfetto);
	return perfetto->err;
}

static int run(struct model *model, const struct export_options *options, FILE *out)
{
	struct perfetto perfetto = {.model = model, .options = options, .out = out};
	struct perfetto_sequence *sequences[] = {&perfetto.system, &perfetto.tracks,
						 &perfetto.on_cpu, &perfetto.off_cpu};
	int err;

	for (uint32_t i = 0; i < ARRAY_SIZE(sequences); i++)
		perfetto_sequence_init(sequences[i], i + 1);
	selection_init(&perfetto.selection, model, &options->filter);
	perfetto.has_track = xcalloc(model_thread_count(model) + 1, sizeof(bool));
	perfetto.begin_ns = model_start_ns(model);
	if (perfetto.begin_ns < options->filter.from_ns)
		perfetto.begin_ns = options->filter.from_ns;
	err = write_trace(&perfetto);
	selection_release(&perfetto.selection);
	for (uint32_t i = 0; i < ARRAY_SIZE(sequences); i++)
		perfetto_sequence_release(sequences[i]);
	map64_release(&perfetto.modules);
	map64_release(&perfetto.roster_at);
	free(perfetto.roster);
	free(perfetto.has_track);
	arena_release(&perfetto.arena);
	buffer_release(&perfetto.packet);
	return err;
}

const struct export export_perfetto = {
	.name = "perfetto",
	.summary = "trace for ui.perfetto.dev: scheduling, waits, samples, with all their stacks",
	.suffix = ".pftrace",
	.is_binary = true,
	.run = run,
};
