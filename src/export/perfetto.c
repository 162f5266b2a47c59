/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/perfetto.h"

/* Definitions that the model does not hand out: modules, and threads as they were at the start. */
static void take_table_event(struct perfetto *perfetto, const struct event_header *event)
{
	void *copy;

	if (event->kind != EVENT_MODULE && event->kind != EVENT_THREAD)
		return;
	copy = arena_copy(&perfetto->arena, event, event->size);
	if (event->kind == EVENT_MODULE) {
		const struct event_module *module = copy;

		map64_put(&perfetto->modules, module->module, (uintptr_t)module);
	} else {
		array_reserve((void **)&perfetto->first_threads, &perfetto->first_thread_capacity,
			      perfetto->first_thread_count + 1, sizeof(*perfetto->first_threads));
		perfetto->first_threads[perfetto->first_thread_count++] = copy;
	}
}

static int read_tables(struct perfetto *perfetto)
{
	struct recording_range range = {.streams = STREAM_BIT(STREAM_TABLE), .to_ns = UINT64_MAX};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int err;

	err = recording_cursor_new(&cursor, model_recording(perfetto->model), &range);
	if (err)
		return err;
	while ((err = recording_cursor_next(cursor, &event)) == 1)
		take_table_event(perfetto, event);
	recording_cursor_free(cursor);
	return err;
}

static int write_trace(struct perfetto *perfetto)
{
	int err = read_tables(perfetto);

	if (err)
		return err;
	perfetto_write_machine(perfetto);
	perfetto_write_processes(perfetto);
	perfetto_write_losses(perfetto);
	err = perfetto_write_sched(perfetto);
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
	err = write_trace(&perfetto);
	selection_release(&perfetto.selection);
	for (uint32_t i = 0; i < ARRAY_SIZE(sequences); i++)
		perfetto_sequence_release(sequences[i]);
	map64_release(&perfetto.modules);
	free(perfetto.first_threads);
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
