/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/span.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/drain.h"
#include "event/log.h"
#include "event/schema.h"

#define NAME_SIZE_MAX 64

/* ---- what the user wrote ---- */

int span_parse(const char *text, struct span_probe *ret)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;

	if (!colon || equals == text || colon == equals + 1 || !colon[1])
		return fail(-EINVAL, "a span is NAME=BINARY:FUNCTION, such as "
				     "query=/usr/sbin/server:run_query");
	if (equals - text > NAME_SIZE_MAX)
		return fail(-EINVAL, "a span's name has at most %d characters", NAME_SIZE_MAX);
	*ret = (struct span_probe){
		.name = xasprintf("%.*s", (int)(equals - text), text),
		.binary = xasprintf("%.*s", (int)(colon - equals - 1), equals + 1),
		.function = xstrdup(colon + 1),
	};
	return 0;
}

/* A return probe changes the return address of each call; what walks or moves the stack sees it. */
static int check_safety(const struct span_probe *span)
{
	const char *why = span->place.moves_stacks
				  ? "the program switches or moves stacks by itself"
				  : "exceptions or panics may go through it";

	if (!span->place.moves_stacks && !span->place.may_unwind)
		return 0;
	return fail(-EPERM,
		    "%s, and the probe on its return would end the program then: name a function "
		    "of a C library or program, or take the risk with --span-anyway",
		    why);
}

static int find(struct span_probe *span, const struct capture_options *options,
		struct resolver *resolver)
{
	const struct resolver_query query = {
		.binary = span->binary,
		.function = span->function,
		.pids = options->pids,
		.pid_count = options->follow_children ? 0 : options->pid_count,
	};
	int err = resolver_find_function(resolver, &query, &span->place);

	if (!err && !options->spans_anyway)
		err = check_safety(span);
	return err;
}

int spans_find(struct spans *spans, const struct capture_options *options,
	       struct resolver *resolver)
{
	int err = 0;

	if (options->span_count > SPANS_MAX)
		return fail(-E2BIG, "at most %d spans", SPANS_MAX);
	spans->items = xcalloc(options->span_count + 1, sizeof(*spans->items));
	for (size_t i = 0; i < options->span_count && !err; i++) {
		err = span_parse(options->spans[i], &spans->items[i]);
		if (!err) {
			spans->count++;
			err = find(&spans->items[i], options, resolver);
		}
		if (err)
			return fail(err, "--span '%s'", options->spans[i]);
	}
	/* Children of a process do not get the probes that were put into it alone. */
	if (options->pid_count > 0 && !options->follow_children) {
		spans->pids = xcalloc(options->pid_count, sizeof(*spans->pids));
		memcpy(spans->pids, options->pids, options->pid_count * sizeof(*spans->pids));
		spans->pid_count = options->pid_count;
	}
	return 0;
}

/* ---- probes ---- */

static int attach_one(struct spans *spans, size_t i, uint32_t pid, const char *program_name,
		      struct bpf_object *object)
{
	const struct span_probe *span = &spans->items[i];
	struct bpf_program *program = bpf_object__find_program_by_name(object, program_name);
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = i + 1,
		    .retprobe = !strcmp(program_name, "on_span_return"));
	struct bpf_link *link = bpf_program__attach_uprobe_opts(
		program, pid ? (int)pid : -1, span->place.path, span->place.file_offset, &options);

	if (!link)
		return fail_errno(-errno, "--span '%s': putting a probe on %s in %s", span->name,
				  span->function, span->binary);
	spans->links[spans->link_count++] = link;
	return 0;
}

int spans_attach(struct spans *spans, struct bpf_object *object)
{
	static const char *const programs[] = {"on_span_return", "on_span_entry"};
	size_t places = spans->pid_count > 0 ? spans->pid_count : 1;
	int err = 0;

	spans->links = xcalloc(2 * spans->count * places + 1, sizeof(*spans->links));
	for (size_t p = 0; p < ARRAY_SIZE(programs); p++) {
		for (size_t i = 0; i < spans->count * places && !err; i++)
			err = attach_one(spans, i / places,
					 spans->pid_count > 0 ? spans->pids[i % places] : 0,
					 programs[p], object);
	}
	return err;
}

void spans_detach(struct spans *spans)
{
	while (spans->link_count > 0)
		bpf_link__destroy(spans->links[--spans->link_count]);
}

/* ---- events ---- */

void spans_tell_names(const struct spans *spans, const struct drain *drain)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct span_probe *span = &spans->items[i];
		_cleanup_free_ char *where = xasprintf("%s:%s", span->binary, span->function);
		size_t name_bytes = strlen(span->name) + 1, where_bytes = strlen(where) + 1;
		size_t size =
			event_align(sizeof(struct event_span_name) + name_bytes + where_bytes);
		_cleanup_free_ struct event_span_name *event = xcalloc(1, size);

		event->header = (struct event_header){.kind = EVENT_SPAN_NAME,
						      .size = (uint16_t)size,
						      .time_ns = capture_now_ns()};
		event->name = (uint32_t)i + 1;
		memcpy(event->text, span->name, name_bytes);
		memcpy(event->text + name_bytes, where, where_bytes);
		drain->sink.table(drain->sink.context, &event->header);
	}
}

static void tell_open(struct drain *drain, uint32_t tid, const struct open_spans *open)
{
	for (uint32_t i = 0; i < open->count && i < EVENT_SPAN_DEPTH_MAX; i++) {
		const struct event_span event = {
			.header = {.kind = EVENT_SPAN,
				   .size = sizeof(event),
				   .time_ns = drain->stop_ns},
			.start_ns = open->spans[i].start_ns + drain->boot_offset_ns,
			.tid = tid,
			.pid = open->pid,
			.name = open->spans[i].name,
			.depth = (uint16_t)i,
			.flags = EVENT_SPAN_OPEN,
		};

		if (event.start_ns <= drain->stop_ns)
			drain_report(drain, &event.header);
	}
}

void spans_tell_open(const struct spans *spans, struct drain *drain, int open_spans_fd)
{
	uint32_t tid, *before = NULL;
	struct open_spans open;

	while (spans->count > 0 && !bpf_map_get_next_key(open_spans_fd, before, &tid)) {
		before = &tid;
		if (!bpf_map_lookup_elem(open_spans_fd, &tid, &open))
			tell_open(drain, tid, &open);
	}
}

void spans_release(struct spans *spans)
{
	spans_detach(spans);
	for (size_t i = 0; i < spans->count; i++) {
		free(spans->items[i].name);
		free(spans->items[i].binary);
		free(spans->items[i].function);
		free(spans->items[i].place.path);
	}
	free(spans->items);
	free(spans->pids);
	free(spans->links);
}
