/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_rest.h"

#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/memory.h"
#include "capture/drain.h"
#include "event/log.h"

#define READ_BYTES 65536

/* ---- open calls ---- */

/* Reads all that the iterator gives. */
static void read_open_calls(struct bpf_object *object, struct buffer *ret)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "on_open_call");
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	_cleanup_close_ int iterator = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	ssize_t n = 1;

	while (iterator >= 0 && n > 0) {
		n = read(iterator, buffer_extend(ret, READ_BYTES), READ_BYTES);
		ret->size -= READ_BYTES - (size_t)(n > 0 ? n : 0);
	}
	bpf_link__destroy(link);
}

/* What lies inside of an open call and was counted hides a part of it. */
static uint64_t hidden_ns(const struct call_sum *sum)
{
	return sum->child_ns - sum->shown_ns;
}

static void tell_thread(const struct function_rest *rest, const struct open_calls *open,
			const struct call_sums *sums, struct function_count *counts)
{
	struct drain *drain = rest->drain;
	const struct thread_calls *calls = &open->calls;

	for (uint32_t i = 0; i < calls->count && i < CALL_DEPTH_MAX; i++) {
		const struct call_frame *frame = &calls->frames[i];
		bool is_inherited = i < calls->inherited;
		struct event_span event = {
			.header = {.kind = EVENT_SPAN,
				   .size = sizeof(event),
				   .time_ns = drain->stop_ns},
			.start_ns = (is_inherited ? calls->birth_ns : frame->start_ns) +
				    drain->boot_offset_ns,
			.tid = calls->tid,
			.pid = open->pid,
			.name = frame->name,
			.depth = (uint16_t)i,
			.flags = EVENT_SPAN_OPEN | (is_inherited ? EVENT_SPAN_INHERITED : 0),
		};

		if (event.start_ns > drain->stop_ns)
			continue;
		if (sums && hidden_ns(&sums->sums[i]) && frame->name <= rest->name_count) {
			event.flags |= EVENT_SPAN_SUMMED;
			counts[frame->name].hidden_ns += hidden_ns(&sums->sums[i]);
		}
		drain_report(drain, &event.header);
	}
}

static void tell_open_calls(const struct function_rest *rest, struct function_count *counts)
{
	size_t size =
		sizeof(struct open_calls) + (rest->hides_calls ? sizeof(struct call_sums) : 0);
	struct buffer bytes = {0};

	read_open_calls(rest->object, &bytes);
	for (size_t at = 0; at + size <= bytes.size; at += size) {
		const struct open_calls *open = (const struct open_calls *)(bytes.data + at);

		tell_thread(rest, open,
			    rest->hides_calls ? (const struct call_sums *)(open + 1) : NULL,
			    counts);
	}
	buffer_release(&bytes);
}

/* ---- counts ---- */

static void add_count(struct function_count *sum, const struct function_count *of_cpu)
{
	sum->calls += of_cpu->calls;
	sum->total_ns += of_cpu->total_ns;
	sum->self_ns += of_cpu->self_ns;
	sum->hidden_ns += of_cpu->hidden_ns;
	if (of_cpu->max_ns > sum->max_ns)
		sum->max_ns = of_cpu->max_ns;
	if (of_cpu->since_ns && (!sum->since_ns || of_cpu->since_ns < sum->since_ns))
		sum->since_ns = of_cpu->since_ns;
}

static void tell_count(struct drain *drain, uint32_t name, const struct function_count *count)
{
	const struct event_call_count event = {
		.header = {.kind = EVENT_CALL_COUNT,
			   .size = sizeof(event),
			   .time_ns = drain->stop_ns},
		.name = name,
		.calls = count->calls,
		.total_ns = count->total_ns,
		.self_ns = count->self_ns,
		.max_ns = count->max_ns,
		.hidden_ns = count->hidden_ns,
		.since_ns = count->since_ns ? count->since_ns + drain->boot_offset_ns : 0,
	};

	if (count->calls || count->hidden_ns || count->since_ns)
		drain_report(drain, &event.header);
}

static void tell_counts(const struct function_rest *rest, struct function_count *counts)
{
	int map = bpf_object__find_map_fd_by_name(rest->object, "function_counts");
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct function_count *of_cpus = xcalloc((size_t)cpus, sizeof(*of_cpus));

	for (uint32_t name = 1; name <= rest->name_count; name++) {
		if (bpf_map_lookup_elem(map, &name, of_cpus))
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			add_count(&counts[name], &of_cpus[cpu]);
		tell_count(rest->drain, name, &counts[name]);
	}
}

void function_rest_tell(const struct function_rest *rest)
{
	_cleanup_free_ struct function_count *counts =
		xcalloc(rest->name_count + 1, sizeof(*counts));

	tell_open_calls(rest, counts);
	if (rest->hides_calls)
		tell_counts(rest, counts);
}
