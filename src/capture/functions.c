/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/functions.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/drain.h"
#include "capture/function_name.h"
#include "capture/function_pick.h"
#include "capture/function_rest.h"
#include "capture/function_value.h"
#include "capture/returns.h"
#include "event/log.h"
#include "event/schema.h"

/* ---- which ---- */

static void add_spans(struct functions *functions)
{
	for (size_t i = 0; i < functions->spans.count; i++) {
		const struct span_probe *span = &functions->spans.items[i];

		functions->items[functions->count++] = (struct function_item){
			.name = span->name,
			.where = span->where,
			.path = span->place.path,
			.entry_offset = span->place.file_offset,
			.probe_offset = span->place.probe_offset,
		};
	}
}

/* A place in a file, whatever the path that leads to the file. */
struct place {
	dev_t device;
	ino_t inode;
	uint64_t offset;
	size_t item;
};

static int compare_places(const void *a_, const void *b_)
{
	const struct place *a = a_, *b = b_;

#define COMPARE(field)                                                                             \
	if (a->field != b->field)                                                                  \
	return a->field < b->field ? -1 : 1
	COMPARE(device);
	COMPARE(inode);
	COMPARE(offset);
	COMPARE(item);
#undef COMPARE
	return 0;
}

static struct place *sorted_places(const struct functions *functions)
{
	struct place *places = xcalloc(functions->count + 1, sizeof(*places));
	struct stat status = {0};

	for (size_t i = 0; i < functions->count; i++) {
		const struct function_item *item = &functions->items[i];

		if ((i == 0 || item->path != item[-1].path) && stat(item->path, &status))
			status = (struct stat){0};
		places[i] = (struct place){status.st_dev, status.st_ino, item->entry_offset, i};
	}
	qsort(places, functions->count, sizeof(*places), compare_places);
	return places;
}

size_t functions_with_values(const struct functions *functions)
{
	size_t count = 0;

	for (size_t i = 0; i < functions->count; i++)
		count += function_name_has_values(&functions->items[i]);
	if (functions->late && function_pick_has_values(functions->choice.pick))
		count += FUNCTION_LATE_MAX;
	return count;
}

/* A function is probed once, for the first that wants it: spans come before calls. */
static void make_probes(struct functions *functions)
{
	_cleanup_free_ struct place *places = sorted_places(functions);
	struct function_probes *probes = &functions->probes;
	const struct place *last = NULL;

	probes->items = xcalloc(functions->count + 1, sizeof(*probes->items));
	for (size_t i = 0; i < functions->count; i++) {
		const struct function_item *item = &functions->items[places[i].item];
		bool is_same_file =
			last && last->device == places[i].device && last->inode == places[i].inode;

		if (is_same_file && last->offset == places[i].offset) {
			if (!(item->flags & EVENT_NAME_TRACED))
				warn("--span '%s' is a function that another span names already",
				     item->name);
			continue;
		}
		probes->items[probes->count] =
			function_name_probe(item, (uint32_t)places[i].item + 1);
		if (is_same_file)
			probes->items[probes->count].path = probes->items[probes->count - 1].path;
		probes->count++;
		last = &places[i];
	}
}

/* Children of a process do not get the probes that were put into it alone. Those of a command do,
 * because all processes get them, but for the ones of files that nearly every process maps. */
static void choose_processes(struct functions *functions, const struct capture_options *options)
{
	struct function_probes *probes = &functions->probes;

	if (options->pid_count == 0)
		return;
	probes->pids = xcalloc(options->pid_count, sizeof(*probes->pids));
	memcpy(probes->pids, options->pids, options->pid_count * sizeof(*probes->pids));
	probes->pid_count = options->pid_count;
	for (size_t i = 0; i < probes->count; i++) {
		uint32_t name = (uint32_t)probes->items[i].cookie;

		probes->items[i].is_private = !options->follow_children ||
					      function_name_is_of_all(&functions->items[name - 1]);
	}
}

static int check_engine(const struct functions *functions)
{
	const struct function_probes *probes = &functions->probes;

	if (probes->engine != FUNCTION_ENGINE_EVENTS)
		return 0;
	if (probes->count > FUNCTION_EVENTS_MAX)
		return fail(-E2BIG,
			    "%zu functions are too many for this kernel, which takes a tenth of a "
			    "second to let go of each probe: choose at most %d (6.6 and later take "
			    "any number)",
			    probes->count, FUNCTION_EVENTS_MAX);
	if (probes->count > 10)
		warn("this kernel takes a tenth of a second to let go of each probe: the end will "
		     "take about %zu s",
		     probes->count / 5);
	return 0;
}

int functions_find(struct functions *functions, const struct capture_options *options,
		   enum function_engine engine, struct resolver *resolver)
{
	bool repairs_returns = returns_can_be_repaired(NULL);
	int err = spans_find(&functions->spans, options, repairs_returns, resolver);

	functions->probes.engine = engine;
	functions->hides_calls = options->min_call_ns || options->max_call_rate;
	if (!err && options->wish_count > 0)
		err = function_choice_make(
			&(struct function_request){
				.wishes = options->wishes,
				.wish_count = options->wish_count,
				.command = options->command,
				.pids = options->pids,
				/* the last one is the command's, which runs nothing yet */
				.pid_count = options->pid_count - (options->command != NULL),
				.cheap_only = options->cheap_only,
				.repairs_returns = repairs_returns,
				.spares_others =
					functions->probes.engine == FUNCTION_ENGINE_SESSION,
			},
			resolver, &functions->choice);
	if (err)
		return err;
	functions->items = xcalloc(functions->spans.count + functions->choice.count + 1,
				   sizeof(*functions->items));
	add_spans(functions);
	for (size_t i = 0; i < functions->choice.count; i++)
		functions->items[functions->count++] = functions->choice.items[i];
	make_probes(functions);
	choose_processes(functions, options);
	if (functions->probes.engine != FUNCTION_ENGINE_EVENTS)
		functions->late = function_late_new(&functions->choice, options->pids,
						    options->pid_count, options->follow_children);
	return check_engine(functions);
}

void functions_spare_returns(struct functions *functions)
{
	for (size_t i = 0; i < functions->count; i++)
		functions->items[i].flags |= EVENT_NAME_ENTRY_ONLY;
	for (size_t i = 0; i < functions->probes.count; i++) {
		functions->probes.items[i].cookie |= FUNCTION_COOKIE_ENTRY_ONLY;
		functions->probes.items[i].is_entry_only = true;
	}
}

/* ---- probes ---- */

/* What cannot be probed, or was refused. */
static int check_refused(struct functions *functions)
{
	const struct function_probes *probes = &functions->probes;
	_cleanup_free_ char *why = xstrdup(fail_text());

	if (functions->left_out == 0)
		return 0;
	fail_clear();
	for (size_t i = 0; i < probes->count; i++) {
		uint32_t name = (uint32_t)probes->items[i].cookie;

		if (probes->items[i].is_left_out && name <= functions->spans.count)
			return fail(-EINVAL, "--span '%s': %s", functions->items[name - 1].name,
				    why);
	}
	if (functions->left_out == probes->count)
		return fail(-EINVAL, "no function can be probed: %s", why);
	warn("%zu of %zu functions cannot be probed, and are left out: %s", functions->left_out,
	     probes->count, why);
	return 0;
}

struct event_call_value *functions_value(const struct functions *functions,
					 const struct event_raw_call_value *raw)
{
	const struct function_item *item;

	if (raw->name < 1)
		return NULL;
	if (raw->name > functions->count)
		return function_late_value(functions->late, raw);
	item = &functions->items[raw->name - 1];
	return function_name_has_values(item) ? function_value_event(item->values, raw) : NULL;
}

int functions_attach(struct functions *functions, struct bpf_object *object,
		     const struct drain *drain)
{
	const struct function_probes *probes = &functions->probes;
	uint64_t begin_ns = capture_monotonic_ns();
	int err = 0;

	if (functions->late)
		function_late_start(functions->late, probes, object, &drain->sink,
				    drain->returns, (uint32_t)functions->count + 1);
	if (functions->count == 0)
		return 0;
	for (uint32_t i = 0; i < functions->count && !err; i++)
		err = function_name_store(&functions->items[i], i + 1, object);
	if (err)
		return err;
	functions->left_out = function_probes_attach(&functions->probes, object);
	functions->attach_ns = capture_monotonic_ns() - begin_ns;
	err = check_refused(functions);
	for (size_t i = 0; i < probes->count && !err; i++) {
		uint32_t name = (uint32_t)probes->items[i].cookie;

		if (!probes->items[i].is_left_out)
			function_name_tell(&functions->items[name - 1], name, &drain->sink);
	}
	return err;
}

void functions_detach(struct functions *functions)
{
	uint64_t begin_ns = capture_monotonic_ns();

	function_late_stop(functions->late);
	function_probes_detach(&functions->probes);
	functions->detach_ns = capture_monotonic_ns() - begin_ns;
}

void functions_tell_rest(struct functions *functions, struct bpf_object *object,
			 struct drain *drain)
{
	const struct function_rest rest = {
		.object = object,
		.drain = drain,
		.name_count = functions->count + function_late_count(functions->late),
		.hides_calls = functions->hides_calls,
	};

	if (rest.name_count > 0)
		function_rest_tell(&rest);
}

void functions_release(struct functions *functions)
{
	function_late_release(functions->late);
	function_probes_release(&functions->probes);
	free(functions->items);
	function_choice_release(&functions->choice);
	spans_release(&functions->spans);
}
