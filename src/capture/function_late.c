/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_late.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "capture/function_name.h"
#include "capture/function_parameters.h"
#include "capture/function_pick.h"
#include "capture/function_value.h"
#include "capture/function_variant.h"
#include "capture/returns.h"
#include "symbol/resolver.h"

struct function_late {
	struct function_choice *before; /* what was chosen at the start */
	struct map64 pids;              /* whose mappings count */
	struct map64 paths;             /* hashes of those that were looked at */
	bool follows_children;
	pthread_mutex_t mutex; /* guards all below */
	bool is_running;
	struct function_choice choice;
	struct function_probes *probes; /* of one file each */
	size_t probes_count, probes_capacity;
	const struct function_probes *like;
	struct bpf_object *object;
	const struct capture_sink *sink;
	struct returns *returns;
	uint32_t first_name;
};

struct function_late *function_late_new(struct function_choice *choice, const uint32_t *pids,
					size_t pid_count, bool follows_children)
{
	struct function_late *late;

	if (!choice->pick || pid_count == 0)
		return NULL;
	late = xcalloc(1, sizeof(*late));
	late->before = choice;
	late->follows_children = follows_children;
	pthread_mutex_init(&late->mutex, NULL);
	for (size_t i = 0; i < pid_count; i++)
		map64_put(&late->pids, pids[i], 1);
	choice->pick->choice = &late->choice;
	return late;
}

void function_late_release(struct function_late *late)
{
	if (!late)
		return;
	function_late_stop(late);
	for (size_t i = 0; i < late->probes_count; i++)
		function_probes_release(&late->probes[i]);
	free(late->probes);
	function_choice_release(&late->choice);
	map64_release(&late->pids);
	map64_release(&late->paths);
	pthread_mutex_destroy(&late->mutex);
	free(late);
}

void function_late_start(struct function_late *late, const struct function_probes *like,
			 struct bpf_object *object, const struct capture_sink *sink,
			 struct returns *returns, uint32_t first_name)
{
	pthread_mutex_lock(&late->mutex);
	late->like = like;
	late->object = object;
	late->sink = sink;
	late->returns = returns;
	late->first_name = first_name;
	late->is_running = true;
	pthread_mutex_unlock(&late->mutex);
}

void function_late_stop(struct function_late *late)
{
	if (!late)
		return;
	pthread_mutex_lock(&late->mutex);
	late->is_running = false;
	for (size_t i = 0; i < late->probes_count; i++)
		function_probes_detach(&late->probes[i]);
	pthread_mutex_unlock(&late->mutex);
}

void function_late_fork(struct function_late *late, uint32_t parent_pid, uint32_t pid)
{
	if (late->follows_children && map64_get(&late->pids, parent_pid))
		map64_put(&late->pids, pid, 1);
}

/* ---- a mapping ---- */

/* Were its functions looked at when the recording began? */
static bool was_done(const struct function_late *late, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return false;
	for (size_t i = 0; i < late->before->file_seen_count; i++) {
		const struct function_file_id *id = &late->before->files_seen[i];

		if (id->inode == status.st_ino && id->device == status.st_dev)
			return true;
	}
	return false;
}

/* Puts probes on the functions from number FROM on, and tells their names. PID mapped them. */
static void attach(struct function_late *late, size_t from, uint32_t pid)
{
	struct function_probes probes = {.engine = late->like->engine, .pid_count = 1};
	size_t refused;

	probes.items = xcalloc(late->choice.count - from + 1, sizeof(*probes.items));
	probes.pids = xcalloc(late->like->pid_count + 1, sizeof(*probes.pids));
	probes.pids[0] = pid;
	if (!late->follows_children) {
		memcpy(probes.pids, late->like->pids, late->like->pid_count * sizeof(pid));
		probes.pid_count = late->like->pid_count;
	}
	for (size_t i = from; i < late->choice.count; i++) {
		const struct function_item *item = &late->choice.items[i];
		uint32_t name = late->first_name + (uint32_t)i;

		function_name_store(item, name, late->object);
		function_name_tell(item, name, late->sink);
		probes.items[probes.count] = function_name_probe(item, name);
		probes.items[probes.count++].is_private =
			!late->follows_children || function_name_is_of_all(item);
	}
	returns_see_traced(late->returns, probes.items[0].path);
	refused = function_probes_attach(&probes, late->object);
	if (refused)
		warn("%zu of %zu functions that were mapped late cannot be probed: %s", refused,
		     probes.count, fail_text());
	fail_clear();
	array_reserve((void **)&late->probes, &late->probes_capacity, late->probes_count + 1,
		      sizeof(*late->probes));
	late->probes[late->probes_count++] = probes;
}

static void add_file(struct function_late *late, struct resolver *resolver,
		     const struct function_file *file, struct resolver_listing *listing,
		     uint32_t pid)
{
	size_t from;
	int err = 0;

	pthread_mutex_lock(&late->mutex);
	from = late->choice.count;
	if (late->is_running)
		err = function_pick_take(late->before->pick, file);
	if (err || late->choice.count > FUNCTION_LATE_MAX) {
		warn("functions of %s are left out: too many have come late", file->shown);
		fail_clear();
		late->choice.count = from;
	} else if (late->choice.count > from) {
		function_parameters_fill(&late->choice, from, resolver, listing);
		attach(late, from, pid);
	}
	pthread_mutex_unlock(&late->mutex);
}

void function_late_map(struct function_late *late, struct resolver *resolver, uint32_t pid,
		       const char *path)
{
	const struct resolver_query query = {.binary = path, .pids = &pid, .pid_count = 1};
	struct function_file file = {.shown = path};
	struct resolver_listing listing;

	if (path[0] != '/' || !map64_get(&late->pids, pid) ||
	    !function_pick_wants(late->before->pick, false, path, "") ||
	    map64_get(&late->paths, hash_text(path)))
		return;
	map64_put(&late->paths, hash_text(path), 1);
	if (was_done(late, path))
		return;
	if (resolver_list_functions(resolver, &query, &listing)) {
		warn("functions of %s are missing: %s", path, fail_text());
		fail_clear();
		return;
	}
	function_variant_name(&listing);
	file.listing = &listing;
	if (!was_done(late, listing.path))
		add_file(late, resolver, &file, &listing, pid);
	resolver_listing_release(&listing);
}

/* Paths with a NUL behind each. */
static void take_path(void *context, const struct resolver_mapped *file)
{
	buffer_add(context, file->path, strlen(file->path) + 1);
}

void function_late_look(struct function_late *late, struct resolver *resolver)
{
	uint64_t pid, value;
	size_t at = 0;

	/* a command's children are told of when they map anything */
	while (!late->follows_children && map64_next(&late->pids, &at, &pid, &value)) {
		struct buffer paths = {0};

		resolver_mapped_files(resolver, (uint32_t)pid, take_path, &paths);
		for (size_t i = 0; i < paths.size; i += strlen(paths.data + i) + 1)
			function_late_map(late, resolver, (uint32_t)pid, paths.data + i);
		buffer_release(&paths);
	}
}

/* ---- what there is ---- */

size_t function_late_count(struct function_late *late)
{
	size_t count = 0;

	if (late) {
		pthread_mutex_lock(&late->mutex);
		count = late->choice.count;
		pthread_mutex_unlock(&late->mutex);
	}
	return count;
}

struct event_call_value *function_late_value(struct function_late *late,
					     const struct event_raw_call_value *raw)
{
	struct event_call_value *event = NULL;

	if (!late)
		return NULL;
	pthread_mutex_lock(&late->mutex);
	if (raw->name >= late->first_name && raw->name - late->first_name < late->choice.count) {
		const struct function_item *item =
			&late->choice.items[raw->name - late->first_name];

		event = item->values ? function_value_event(item->values, raw) : NULL;
	}
	pthread_mutex_unlock(&late->mutex);
	return event;
}
