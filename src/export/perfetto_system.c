/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/schema.h"
#include "export/perfetto.h"

#include <string.h>

/* ClockSnapshot.Clock ids */
enum clock_id {
	CLOCK_ID_REALTIME = 1,
	CLOCK_ID_MONOTONIC = 3,
	CLOCK_ID_BOOTTIME = 6
};

static const char *meta(const struct perfetto *perfetto, const char *name)
{
	const char *value = model_meta(perfetto->model, name);

	return value ? value : "";
}

/* The same recording always gets the same uuid. */
static void write_uuid(struct perfetto *perfetto)
{
	uint64_t facts[] = {hash_text(meta(perfetto, "host")), model_start_ns(perfetto->model),
			    model_end_ns(perfetto->model), perfetto->selection.from_ns,
			    perfetto->selection.to_ns};
	struct buffer *packet =
		perfetto_packet_begin(perfetto, &perfetto->system, perfetto->begin_ns);
	size_t uuid = proto_open(packet, 89); /* trace_uuid */
	uint64_t hash = hash_bytes(facts, sizeof(facts));

	proto_uint(packet, 1, hash);           /* msb */
	proto_uint(packet, 2, hash_mix(hash)); /* lsb */
	proto_close(packet, uuid);
	perfetto_packet_end(perfetto, &perfetto->system);
}

/* Without system name and release a reader takes task states for those of Linux 4.4. */
static void write_system_info(struct perfetto *perfetto)
{
	struct buffer *packet =
		perfetto_packet_begin(perfetto, &perfetto->system, perfetto->begin_ns);
	size_t info = proto_open(packet, 45); /* system_info */
	size_t utsname = proto_open(packet, 1);
	const char *sysname = model_meta(perfetto->model, "kernel_sysname");

	proto_text(packet, 1, sysname ? sysname : "Linux");      /* sysname */
	proto_text(packet, 2, meta(perfetto, "kernel_version")); /* version */
	proto_text(packet, 3, meta(perfetto, "kernel"));         /* release */
	proto_text(packet, 4, meta(perfetto, "machine"));        /* machine */
	proto_close(packet, utsname);
	proto_uint(packet, 8, model_cpu_count(perfetto->model)); /* num_cpus */
	proto_close(packet, info);
	perfetto_packet_end(perfetto, &perfetto->system);
}

static void add_clock(struct buffer *packet, enum clock_id id, uint64_t time_ns)
{
	size_t clock = proto_open(packet, 1);

	proto_uint(packet, 1, id);      /* clock_id */
	proto_uint(packet, 2, time_ns); /* timestamp */
	proto_close(packet, clock);
}

static void write_clock(struct perfetto *perfetto, const struct event_clock *clock)
{
	struct buffer *packet =
		perfetto_packet_begin(perfetto, &perfetto->system, clock->header.time_ns);
	size_t snapshot = proto_open(packet, 6); /* clock_snapshot */

	add_clock(packet, CLOCK_ID_BOOTTIME, clock->header.time_ns);
	add_clock(packet, CLOCK_ID_MONOTONIC, clock->monotonic_ns);
	add_clock(packet, CLOCK_ID_REALTIME, clock->realtime_ns);
	proto_uint(packet, 2, CLOCK_ID_BOOTTIME); /* primary_trace_clock */
	proto_close(packet, snapshot);
	perfetto_packet_end(perfetto, &perfetto->system);
}

/* One fact about the trace: TEXT, or NUMBER where TEXT is NULL. */
static void add_attribute(struct buffer *packet, const char *key, const char *text, uint64_t number)
{
	size_t attribute = proto_open(packet, 1);

	proto_text(packet, 1, key);
	if (text)
		proto_text(packet, 3, text); /* string_value */
	else
		proto_uint(packet, 2, number); /* long_value */
	proto_close(packet, attribute);
}

static void add_hooks(struct perfetto *perfetto, struct buffer *packet)
{
	struct buffer missing = {0};

	for (size_t i = 0; i < model_hook_count(perfetto->model); i++) {
		const struct event_hook *hook = model_hook(perfetto->model, i);

		if (hook->status == EVENT_HOOK_MISSING)
			buffer_printf(&missing, "%s%s", missing.size ? ", " : "", hook->text);
	}
	if (missing.size)
		add_attribute(packet, "dashcam.hooks_missing", missing.data, 0);
	buffer_release(&missing);
}

static void add_filter(struct perfetto *perfetto, struct buffer *packet)
{
	const struct filter *filter = &perfetto->options->filter;
	struct buffer text = {0};

	for (size_t i = 0; i < filter->pid_count; i++)
		buffer_printf(&text, "--pid %u ", filter->pids[i]);
	for (size_t i = 0; i < filter->tid_count; i++)
		buffer_printf(&text, "--tid %u ", filter->tids[i]);
	for (size_t i = 0; i < filter->comm_count; i++)
		buffer_printf(&text, "--comm %s ", filter->comms[i]);
	if (filter->from_ns > 0)
		buffer_printf(&text, "--from @%.9f ", (double)filter->from_ns / 1e9);
	if (filter->to_ns != UINT64_MAX)
		buffer_printf(&text, "--to @%.9f ", (double)filter->to_ns / 1e9);
	if (text.size)
		add_attribute(packet, "dashcam.export_filter", text.data, 0);
	buffer_release(&text);
}

static void write_attributes(struct perfetto *perfetto)
{
	struct buffer *packet =
		perfetto_packet_begin(perfetto, &perfetto->system, perfetto->begin_ns);
	size_t attributes = proto_open(packet, 126); /* trace_attributes */

	add_attribute(packet, "dashcam.lost_events", NULL, model_lost_events(perfetto->model));
	add_attribute(packet, "dashcam.evidence_from_ns", NULL, model_min_wait_ns(perfetto->model));
	add_hooks(perfetto, packet);
	add_filter(perfetto, packet);
	for (size_t i = 0; i < model_meta_count(perfetto->model); i++) {
		const char *name, *value;
		_cleanup_free_ char *key = NULL;

		model_meta_at(perfetto->model, i, &name, &value);
		key = xasprintf("dashcam.%s", name);
		add_attribute(packet, key, value, 0);
	}
	proto_close(packet, attributes);
	perfetto_packet_end(perfetto, &perfetto->system);
}

void perfetto_write_machine(struct perfetto *perfetto)
{
	write_uuid(perfetto);
	write_system_info(perfetto);
	for (size_t i = 0; i < model_clock_count(perfetto->model); i++)
		write_clock(perfetto, model_clock(perfetto->model, i));
	write_attributes(perfetto);
}

static void add_number_arg(struct buffer *event, const char *name, uint64_t value)
{
	size_t arg = proto_open(event, 4); /* debug_annotations */

	proto_text(event, 10, name);
	proto_uint(event, 3, value); /* uint_value */
	proto_close(event, arg);
}

static void write_loss(struct perfetto *perfetto, const struct event_loss *loss)
{
	struct perfetto_sequence *sequence = &perfetto->tracks;
	struct buffer *packet = perfetto_packet_begin(perfetto, sequence, loss->from_ns);
	size_t event = proto_open(packet, 11); /* track_event */
	_cleanup_free_ char *name = xasprintf("lost %llu events", (unsigned long long)loss->events);
	const char *reason = event_loss_why(loss->reason);
	size_t arg;

	proto_uint(packet, 9, 3); /* type: INSTANT */
	proto_uint(packet, 11, PERFETTO_RECORDER_TRACK);
	proto_text(packet, 23, name);
	add_number_arg(packet, "until_ns", loss->to_ns);
	if (loss->cpu != EVENT_ANY_CPU)
		add_number_arg(packet, "cpu", loss->cpu);
	add_number_arg(packet, "log", loss->log);
	arg = proto_open(packet, 4);
	proto_text(packet, 10, "reason");
	proto_text(packet, 6, reason ? reason : "unknown"); /* string_value */
	proto_close(packet, arg);
	proto_close(packet, event);
	perfetto_packet_end(perfetto, sequence);
}

void perfetto_write_losses(struct perfetto *perfetto)
{
	struct perfetto_sequence *sequence = &perfetto->tracks;
	size_t count = model_loss_count(perfetto->model);
	struct buffer *packet;
	size_t track;

	if (count == 0)
		return;
	packet = perfetto_packet_begin(perfetto, sequence, perfetto->begin_ns);
	track = proto_open(packet, 60); /* track_descriptor */
	proto_uint(packet, 1, PERFETTO_RECORDER_TRACK);
	proto_text(packet, 2, "recorder");
	proto_close(packet, track);
	perfetto_packet_end(perfetto, sequence);
	for (size_t i = 0; i < count; i++)
		write_loss(perfetto, model_loss(perfetto->model, i));
}
