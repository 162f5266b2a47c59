/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/drain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/units.h"
#include "capture/functions.h"
#include "capture/returns.h"
#include "capture/threads.h"
#include "event/schema.h"

#define PATH_BYTES      512
#define CLOCKS_APART_NS (20 * NS_PER_US)

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t capture_now_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t capture_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* The clocks of one moment. They cannot be read at once: of some tries the one that was interrupted
 * least. */
static void read_clocks(struct event_clock *ret)
{
	uint64_t least_ns = UINT64_MAX;

	for (int tries = 0; tries < 10 && least_ns > CLOCKS_APART_NS; tries++) {
		uint64_t before_ns = clock_ns(CLOCK_MONOTONIC);
		uint64_t boot_ns = clock_ns(CLOCK_BOOTTIME), real_ns = clock_ns(CLOCK_REALTIME);
		uint64_t took_ns = clock_ns(CLOCK_MONOTONIC) - before_ns;

		if (took_ns >= least_ns)
			continue;
		least_ns = took_ns;
		ret->monotonic_ns = before_ns;
		ret->realtime_ns = real_ns;
		ret->header.time_ns = boot_ns;
	}
}

/* An earlier error of the sink ends the round: what follows would leave a hole unmarked. */
static void give(struct drain *drain, int (*to)(void *, uint16_t, const void *, size_t),
		 uint16_t cpu, const struct buffer *events)
{
	if (events->size > 0 && !drain->error)
		drain->error = to(drain->sink.context, cpu, events->data, events->size);
}

/* What is told once the hooks are gone does not make the recording longer: nobody looked since. */
static uint64_t now_or_end_ns(const struct drain *drain)
{
	return drain->stop_ns ? drain->stop_ns : capture_now_ns();
}

void drain_report_loss(struct drain *drain, const struct event_loss *loss)
{
	struct event_loss event = *loss;

	event.header = (struct event_header){
		.kind = EVENT_LOSS, .size = sizeof(event), .time_ns = now_or_end_ns(drain)};
	if (event.reason == EVENT_LOSS_UNSEEN)
		drain->totals.unseen_waits += event.events;
	else if (event.reason == EVENT_LOSS_UNSEEN_DISK)
		drain->totals.unseen_requests += event.events;
	else
		drain->totals.lost_events += event.events;
	if (!drain->error)
		drain->error = drain->sink.evidence(drain->sink.context,
						    event.cpu == EVENT_ANY_CPU ? 0 : event.cpu,
						    &event, sizeof(event));
}

void drain_report(struct drain *drain, const struct event_header *event)
{
	if (!drain->error)
		drain->error = drain->sink.evidence(drain->sink.context, 0, event, event->size);
}

void drain_report_clock(struct drain *drain)
{
	struct event_clock event = {
		.header = {.kind = EVENT_CLOCK, .size = sizeof(event)},
	};
	uint64_t late_ns;

	read_clocks(&event);
	late_ns = event.header.time_ns - now_or_end_ns(drain);
	if (drain->stop_ns) {
		event.header.time_ns -= late_ns;
		event.monotonic_ns -= late_ns;
		event.realtime_ns -= late_ns;
	}
	drain_report(drain, &event.header);
}

static void report_round_loss(struct drain *drain, const struct log_round *round, uint16_t cpu,
			      enum event_log log)
{
	struct event_loss loss = {
		.from_ns = round->lost_from_ns + drain->boot_offset_ns,
		.to_ns = round->lost_to_ns + drain->boot_offset_ns,
		.events = round->lost,
		.cpu = cpu,
		.log = (uint16_t)log,
		.reason = EVENT_LOSS_OVERWRITTEN,
	};

	if (log == EVENT_LOG_EVIDENCE)
		drain->lost_evidence += round->lost;
	if (round->lost > 0)
		drain_report_loss(drain, &loss);
}

static void drain_switches(struct drain *drain, uint16_t cpu)
{
	struct log_round round;
	struct event_switch *events;

	buffer_clear(&drain->bytes);
	log_read(&drain->logs[EVENT_LOG_SWITCH][cpu], &drain->bytes, &round);
	events = (struct event_switch *)drain->bytes.data;
	for (size_t i = 0; i < drain->bytes.size / sizeof(*events); i++) {
		cgroup_watch_switch(&drain->cgroups, &events[i], &drain->batch);
		events[i].header.time_ns += drain->boot_offset_ns;
	}
	report_round_loss(drain, &round, cpu, EVENT_LOG_SWITCH);
	give(drain, drain->sink.switches, cpu, &drain->bytes);
	drain->totals.switch_events += round.events;
	if (round.fill > drain->totals.fill)
		drain->totals.fill = round.fill;
}

/* An eventfd, epoll, timerfd or the like: an inode of no type, whose name says what it is. */
static bool is_anonymous(const struct event_file *file)
{
	return !(file->mode & S_IFMT) && file->path[0] == '[';
}

/* Without asking /proc, but as it would say: the last name that the kernel side saw. Pipes have
 * none.
 */
static void name_file(struct event_file *file, const struct event_file *from)
{
	if (!from->path[0] && S_ISFIFO(from->mode))
		snprintf(file->path, PATH_BYTES, "pipe:[%" PRIu64 "]", (uint64_t)from->inode);
	else
		snprintf(file->path, PATH_BYTES, "%s%s", is_anonymous(from) ? "anon_inode:" : "",
			 from->path);
}

/* A file or socket defined by the kernel side: passed on once, a file with its whole path if the
 * process still has it. */
static void pass_object(struct drain *drain, const struct event_header *event)
{
	char memory[sizeof(struct event_file) + PATH_BYTES] __attribute__((aligned(8)));
	struct event_file *file = (struct event_file *)memory;
	const struct event_file *from = (const struct event_file *)event;

	if (map64_get(&drain->objects, from->id))
		return;
	map64_put(&drain->objects, from->id, 1);
	if (event->kind != EVENT_FILE) {
		drain->sink.table(drain->sink.context, event);
		return;
	}
	memset(memory, 0, sizeof(memory));
	*file = *from;
	/* not asked of an epoll: its fdinfo waits for a lock that its owner may hold for ever */
	if (is_anonymous(from) ||
	    descriptor_path(file->pid, file->descriptor, file->inode, file->path, PATH_BYTES))
		name_file(file, from);
	file->header.size = (uint16_t)event_align(sizeof(*file) + strlen(file->path) + 1);
	drain->sink.table(drain->sink.context, &file->header);
}

/* The kernel side copies arguments as they stand in memory, a NUL behind each. */
static void put_spaces_between_arguments(struct event_exec *event)
{
	size_t size = event->header.size - sizeof(*event), end = size;

	while (end > 0 && event->cmdline[end - 1] == '\0')
		end--;
	for (size_t i = 0; i < end; i++) {
		if (event->cmdline[i] == '\0')
			event->cmdline[i] = ' ';
	}
	if (end == size)
		event->cmdline[size - 1] = '\0';
	else
		event->header.size = (uint16_t)event_align(sizeof(*event) + end + 1);
}

/* Probes on functions go slowly, a tenth of a second for each: what they say once all others are
 * gone lies behind the recording's end. False: all of it does. */
static bool cut_span(const struct drain *drain, struct event_span *span)
{
	span->start_ns += drain->boot_offset_ns;
	if (!drain->stop_ns || span->header.time_ns + drain->boot_offset_ns <= drain->stop_ns)
		return true;
	span->header.time_ns = drain->stop_ns - drain->boot_offset_ns;
	span->flags = EVENT_SPAN_OPEN;
	return span->start_ns <= drain->stop_ns;
}

/* Words and bytes become text; that goes in their place. */
static void route_value(struct drain *drain, struct event_raw_call_value *raw)
{
	_cleanup_free_ struct event_call_value *event = functions_value(drain->functions, raw);

	if (!event)
		return;
	event->start_ns += drain->boot_offset_ns;
	event->header.time_ns += drain->boot_offset_ns;
	if (!drain->stop_ns || event->header.time_ns <= drain->stop_ns)
		buffer_add(&drain->timed, event, event->header.size);
}

static void route(struct drain *drain, struct event_header *event)
{
	cgroup_watch_evidence(&drain->cgroups, event, &drain->batch);
	switch (event->kind) {
	case EVENT_RAW_KERNEL_STACK:
	case EVENT_RAW_USER_STACK:
	case EVENT_RAW_USER_FRAMES:
		naming_add_event(&drain->batch, event);
		return;
	case EVENT_FILE:
	case EVENT_SOCKET:
		event->time_ns += drain->boot_offset_ns;
		pass_object(drain, event);
		return;
	case EVENT_FORK:
	case EVENT_EXIT:
		naming_add_event(&drain->batch, event);
		break;
	case EVENT_DISK:
		((struct event_disk *)event)->queued_ns += drain->boot_offset_ns;
		((struct event_disk *)event)->issued_ns += drain->boot_offset_ns;
		break;
	case EVENT_SPAN:
		if (!cut_span(drain, (struct event_span *)event))
			return;
		break;
	case EVENT_RAW_CALL_VALUE:
		route_value(drain, (struct event_raw_call_value *)event);
		return;
	case EVENT_EXEC:
		put_spaces_between_arguments((struct event_exec *)event);
		break;
	default:
		break;
	}
	event->time_ns += drain->boot_offset_ns;
	/* hooks go one after the other */
	if (drain->stop_ns && event->time_ns > drain->stop_ns)
		return;
	buffer_add(&drain->timed, event, event->size);
}

static void drain_evidence(struct drain *drain, uint16_t cpu)
{
	struct log_round round;

	buffer_clear(&drain->bytes);
	buffer_clear(&drain->timed);
	log_read(&drain->logs[EVENT_LOG_EVIDENCE][cpu], &drain->bytes, &round);
	for (size_t at = 0; at < drain->bytes.size;) {
		struct event_header *event = (struct event_header *)(drain->bytes.data + at);

		at += event->size;
		route(drain, event);
	}
	report_round_loss(drain, &round, cpu, EVENT_LOG_EVIDENCE);
	give(drain, drain->sink.evidence, cpu, &drain->timed);
	drain->totals.evidence_events += round.events;
	if (round.fill > drain->totals.fill)
		drain->totals.fill = round.fill;
}

/* As cut_span. */
static bool cut_call(const struct drain *drain, struct event_call *call)
{
	uint64_t start_ns = call->header.time_ns - call->duration_ns;

	if (!drain->stop_ns || call->header.time_ns <= drain->stop_ns)
		return true;
	if (start_ns > drain->stop_ns)
		return false;
	call->header.time_ns = drain->stop_ns;
	call->duration_ns = (uint32_t)(drain->stop_ns - start_ns);
	call->flags = EVENT_SPAN_OPEN;
	return true;
}

static void drain_calls(struct drain *drain, uint16_t cpu)
{
	struct event_call *events;
	struct log_round round;
	size_t count, kept = 0;

	buffer_clear(&drain->bytes);
	log_read(&drain->logs[EVENT_LOG_CALL][cpu], &drain->bytes, &round);
	events = (struct event_call *)drain->bytes.data;
	count = drain->bytes.size / sizeof(*events);
	for (size_t i = 0; i < count; i++) {
		events[i].header.time_ns += drain->boot_offset_ns;
		if (cut_call(drain, &events[i]))
			events[kept++] = events[i];
	}
	drain->bytes.size = kept * sizeof(*events);
	report_round_loss(drain, &round, cpu, EVENT_LOG_CALL);
	give(drain, drain->sink.calls, cpu, &drain->bytes);
	drain->totals.call_events += round.events;
	if (round.fill > drain->totals.fill)
		drain->totals.fill = round.fill;
}

static void take_mapping(void *context, uint64_t time_ns, const struct resolver_mapping *mapping)
{
	struct drain *drain = context;

	returns_see_mapping(drain->returns, mapping->pid, mapping->path);
	naming_add_mapping(&drain->batch, time_ns, mapping);
}

static void take_exec(void *context, uint64_t time_ns, uint32_t pid)
{
	naming_add_exec(&((struct drain *)context)->batch, time_ns, pid);
}

static void take_lost(void *context, uint64_t time_ns, uint16_t cpu, uint64_t records)
{
	struct drain *drain = context;
	struct event_loss loss = {
		.from_ns = time_ns + drain->boot_offset_ns,
		.to_ns = time_ns + drain->boot_offset_ns,
		.events = records,
		.cpu = cpu,
		.log = EVENT_LOG_EVIDENCE,
		.reason = EVENT_LOSS_SIDE_BAND,
	};

	drain_report_loss(drain, &loss);
}

static void take_steal(void *context, const struct event_steal *event)
{
	struct drain *drain = context;

	if (!drain->error)
		drain->error = drain->sink.evidence(drain->sink.context, event->cpu, event,
						    event->header.size);
}

/* The two readings are some ns apart: only a suspend changes the offset by more. */
static void update_boot_offset(struct drain *drain)
{
	struct event_clock now;
	uint64_t offset_ns;

	read_clocks(&now);
	offset_ns = now.header.time_ns - now.monotonic_ns;
	if (offset_ns - drain->boot_offset_ns + NS_PER_MS > 2 * NS_PER_MS) {
		drain->boot_offset_ns = offset_ns;
		drain_report_clock(drain);
	}
}

int drain_round(struct drain *drain)
{
	const struct side_band_listener listener = {
		.context = drain, .map = take_mapping, .exec = take_exec, .lost = take_lost};

	update_boot_offset(drain);
	drain->totals.fill = 0;
	for (unsigned int cpu = 0; cpu < drain->cpu_count; cpu++)
		drain_switches(drain, (uint16_t)cpu);
	for (unsigned int cpu = 0; cpu < drain->cpu_count; cpu++)
		drain_evidence(drain, (uint16_t)cpu);
	for (unsigned int cpu = 0; drain->logs[EVENT_LOG_CALL] && cpu < drain->cpu_count; cpu++)
		drain_calls(drain, (uint16_t)cpu);
	if (drain->side_band)
		side_band_read(drain->side_band, &listener);
	if (drain->steal && !drain->stop_ns)
		steal_look(drain->steal, capture_now_ns(), take_steal, drain);
	naming_submit(drain->naming, &drain->batch);
	return drain->error;
}

void drain_finish(struct drain *drain)
{
	cgroup_watch_rest(&drain->cgroups, capture_monotonic_ns(), &drain->batch);
	naming_submit(drain->naming, &drain->batch);
}

void drain_release(struct drain *drain)
{
	steal_close(drain->steal);
	cgroup_watch_release(&drain->cgroups);
	for (enum event_log log = 0; log < EVENT_LOG_KINDS; log++)
		free(drain->logs[log]);
	map64_release(&drain->objects);
	buffer_release(&drain->batch.bytes);
	free(drain->batch.items);
	buffer_release(&drain->bytes);
	buffer_release(&drain->timed);
}
