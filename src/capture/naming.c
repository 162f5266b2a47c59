/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/naming.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/error.h"
#include "base/thread.h"
#include "base/units.h"
#include "capture/function_late.h"
#include "event/schema.h"

/* Stack copies waiting for the resolver: at 2 KB each this is some 30,000. */
#define WAITING_BYTES_MAX (64u << 20)

enum item_kind {
	ITEM_EVENT,
	ITEM_MAPPING,
	ITEM_EXEC,
	ITEM_CGROUP,
	ITEM_LOOK
};

struct naming_item {
	uint64_t time_ns;
	uint32_t order; /* keeps items of equal time in the order they were added */
	enum item_kind kind;
	size_t offset; /* of its content, in the batch's bytes */
	size_t size;
	uint32_t pid;          /* ITEM_EXEC; ITEM_CGROUP: of any of its threads */
	enum cgroup_wish wish; /* ITEM_CGROUP */
};

/* ITEM_MAPPING's content, followed by the build id and the path. */
struct stored_mapping {
	struct resolver_mapping mapping;
	uint8_t build_id[EVENT_BUILD_ID_MAX];
	char path[];
};

struct queued_batch {
	struct queued_batch *next;
	struct naming_batch batch;
};

struct naming {
	struct resolver *resolver;
	struct cgroup_reader *cgroups; /* NULL: none */
	struct function_late *late;    /* NULL: none */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t changed;
	struct queued_batch *first, *last;
	uint64_t waiting_items;
	uint64_t waiting_bytes;
	uint64_t dropped_stacks;
	bool is_ending;
	bool is_done;
};

/* Its content is what the caller adds to the batch's bytes next: SIZE bytes. */
static struct naming_item *add_item(struct naming_batch *batch, enum item_kind kind,
				    uint64_t time_ns, size_t size)
{
	struct naming_item *item;

	array_reserve((void **)&batch->items, &batch->capacity, batch->count + 1,
		      sizeof(*batch->items));
	item = &batch->items[batch->count];
	*item = (struct naming_item){.time_ns = time_ns,
				     .order = (uint32_t)batch->count,
				     .kind = kind,
				     .offset = batch->bytes.size,
				     .size = size};
	batch->count++;
	return item;
}

void naming_add_event(struct naming_batch *batch, const struct event_header *event)
{
	add_item(batch, ITEM_EVENT, event->time_ns, event->size);
	buffer_add(&batch->bytes, event, event->size);
}

void naming_add_exec(struct naming_batch *batch, uint64_t time_ns, uint32_t pid)
{
	add_item(batch, ITEM_EXEC, time_ns, 0)->pid = pid;
}

void naming_add_cgroup(struct naming_batch *batch, uint64_t time_ns, uint32_t tid,
		       enum cgroup_wish wish)
{
	struct naming_item *item = add_item(batch, ITEM_CGROUP, time_ns, 0);

	item->pid = tid;
	item->wish = wish;
}

void naming_add_look(struct naming_batch *batch, uint64_t time_ns)
{
	add_item(batch, ITEM_LOOK, time_ns, 0);
}

void naming_add_mapping(struct naming_batch *batch, uint64_t time_ns,
			const struct resolver_mapping *mapping)
{
	size_t path_bytes = strlen(mapping->path) + 1;
	size_t size = event_align(sizeof(struct stored_mapping) + path_bytes);
	struct stored_mapping *stored;

	add_item(batch, ITEM_MAPPING, time_ns, size);
	stored = buffer_extend(&batch->bytes, size);
	stored->mapping = *mapping;
	memset(stored->build_id, 0, sizeof(stored->build_id));
	if (mapping->build_id)
		memcpy(stored->build_id, mapping->build_id, mapping->build_id_size);
	memcpy(stored->path, mapping->path, path_bytes);
}

static int compare_items(const void *a, const void *b)
{
	const struct naming_item *one = a, *other = b;

	if (one->time_ns != other->time_ns)
		return one->time_ns < other->time_ns ? -1 : 1;
	return one->order < other->order ? -1 : 1;
}

static bool is_stack_copy(const struct naming_batch *batch, const struct naming_item *item)
{
	return item->kind == ITEM_EVENT &&
	       ((const struct event_header *)(batch->bytes.data + item->offset))->kind ==
		       EVENT_RAW_USER_STACK;
}

/* Too much is waiting: keeps everything of BATCH but its stack copies. Returns how many went. */
static uint64_t drop_stack_copies(struct naming_batch *batch)
{
	size_t kept = 0, was = batch->count;
	struct buffer bytes = {0};

	for (size_t i = 0; i < was; i++) {
		struct naming_item item = batch->items[i];

		if (is_stack_copy(batch, &item))
			continue;
		buffer_add(&bytes, batch->bytes.data + item.offset, item.size);
		item.offset = bytes.size - item.size;
		batch->items[kept++] = item;
	}
	buffer_release(&batch->bytes);
	batch->bytes = bytes;
	batch->count = kept;
	return was - kept;
}

void naming_submit(struct naming *naming, struct naming_batch *batch)
{
	struct queued_batch *queued;

	if (batch->count == 0)
		return;
	qsort(batch->items, batch->count, sizeof(*batch->items), compare_items);
	queued = xcalloc(1, sizeof(*queued));
	pthread_mutex_lock(&naming->mutex);
	if (naming->waiting_bytes > WAITING_BYTES_MAX)
		naming->dropped_stacks += drop_stack_copies(batch);
	queued->batch = *batch;
	*batch = (struct naming_batch){0};
	if (naming->last)
		naming->last->next = queued;
	else
		naming->first = queued;
	naming->last = queued;
	naming->waiting_items += queued->batch.count;
	naming->waiting_bytes += queued->batch.bytes.size;
	pthread_cond_broadcast(&naming->changed);
	pthread_mutex_unlock(&naming->mutex);
}

static void tell_death(struct naming *naming, const struct event_exit *death)
{
	if (!death->process_ended)
		return;
	resolver_exit(naming->resolver, death->pid);
	if (naming->cgroups)
		cgroup_forget(naming->cgroups, death->pid);
}

static void tell_birth(struct naming *naming, const struct event_fork *birth)
{
	resolver_fork(naming->resolver, birth->parent_pid, birth->pid);
	if (naming->late)
		function_late_fork(naming->late, birth->parent_pid, birth->pid);
}

static void tell_event(struct naming *naming, const struct event_header *event)
{
	struct resolver *resolver = naming->resolver;
	const struct event_fork *birth = (const void *)event;

	switch (event->kind) {
	case EVENT_RAW_KERNEL_STACK:
		resolver_kernel_stack(resolver, (const void *)event);
		break;
	case EVENT_RAW_USER_STACK:
		resolver_user_stack(resolver, (const void *)event);
		break;
	case EVENT_RAW_USER_FRAMES:
		resolver_user_frames(resolver, (const void *)event);
		break;
	case EVENT_FORK:
		if (birth->pid != birth->parent_pid)
			tell_birth(naming, birth);
		break;
	case EVENT_EXIT:
		tell_death(naming, (const struct event_exit *)event);
		break;
	default:
		break;
	}
}

static void tell_mapping(struct naming *naming, struct stored_mapping *stored)
{
	stored->mapping.build_id = stored->mapping.build_id_size ? stored->build_id : NULL;
	stored->mapping.path = stored->path;
	resolver_map(naming->resolver, &stored->mapping);
	if (naming->late)
		function_late_map(naming->late, naming->resolver, stored->mapping.pid,
				  stored->path);
}

static void tell_item(struct naming *naming, struct naming_item *item, void *content)
{
	switch (item->kind) {
	case ITEM_EVENT:
		tell_event(naming, content);
		break;
	case ITEM_MAPPING:
		tell_mapping(naming, content);
		break;
	case ITEM_EXEC:
		resolver_exec(naming->resolver, item->pid);
		break;
	case ITEM_CGROUP:
		if (naming->cgroups)
			cgroup_read(naming->cgroups, item->pid, item->wish);
		break;
	case ITEM_LOOK:
		if (naming->late)
			function_late_look(naming->late, naming->resolver);
		break;
	}
}

static void tell_batch(struct naming *naming, struct naming_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		tell_item(naming, &batch->items[i], batch->bytes.data + batch->items[i].offset);
	resolver_name_frames(naming->resolver, 0);
}

/* The next batch, or NULL when the end has come. Called with the mutex held. */
static struct queued_batch *next_batch(struct naming *naming)
{
	struct queued_batch *queued;

	while (!naming->first && !naming->is_ending)
		pthread_cond_wait(&naming->changed, &naming->mutex);
	queued = naming->first;
	if (queued) {
		naming->first = queued->next;
		if (!naming->first)
			naming->last = NULL;
	}
	return queued;
}

static void *run(void *argument)
{
	struct naming *naming = argument;
	struct queued_batch *queued;

	/* draining the logs is more urgent than naming what was in them */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
	pthread_mutex_lock(&naming->mutex);
	while ((queued = next_batch(naming))) {
		pthread_mutex_unlock(&naming->mutex);
		tell_batch(naming, &queued->batch);
		pthread_mutex_lock(&naming->mutex);
		naming->waiting_items -= queued->batch.count;
		naming->waiting_bytes -= queued->batch.bytes.size;
		buffer_release(&queued->batch.bytes);
		free(queued->batch.items);
		free(queued);
	}
	naming->is_done = true;
	pthread_cond_broadcast(&naming->changed);
	pthread_mutex_unlock(&naming->mutex);
	return NULL;
}

int naming_start(struct naming **ret, struct resolver *resolver, struct cgroup_reader *cgroups,
		 struct function_late *late)
{
	struct naming *naming = xcalloc(1, sizeof(*naming));
	int err;

	naming->resolver = resolver;
	naming->cgroups = cgroups;
	naming->late = late;
	pthread_mutex_init(&naming->mutex, NULL);
	pthread_cond_init(&naming->changed, NULL);
	err = thread_start(&naming->thread, run, naming);
	if (err) {
		resolver_free(resolver);
		cgroup_reader_free(cgroups);
		free(naming);
		return fail_errno(err, "starting the naming thread");
	}
	*ret = naming;
	return 0;
}

void naming_status(struct naming *naming, struct naming_status *ret)
{
	pthread_mutex_lock(&naming->mutex);
	ret->waiting_items = naming->waiting_items;
	ret->dropped_stacks = naming->dropped_stacks;
	pthread_mutex_unlock(&naming->mutex);
}

void naming_finish(struct naming *naming, void (*progress)(void *context, uint64_t waiting),
		   void *context, struct resolver_statistics *ret_statistics)
{
	pthread_mutex_lock(&naming->mutex);
	naming->is_ending = true;
	pthread_cond_broadcast(&naming->changed);
	while (!naming->is_done) {
		struct timespec until;

		if (progress)
			progress(context, naming->waiting_items);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100 * (long)NS_PER_MS;
		until.tv_sec += until.tv_nsec / (long)NS_PER_S;
		until.tv_nsec %= (long)NS_PER_S;
		pthread_cond_timedwait(&naming->changed, &naming->mutex, &until);
	}
	pthread_mutex_unlock(&naming->mutex);
	pthread_join(naming->thread, NULL);
	if (ret_statistics)
		resolver_statistics(naming->resolver, ret_statistics);
	resolver_free(naming->resolver);
	cgroup_reader_free(naming->cgroups);
	pthread_mutex_destroy(&naming->mutex);
	pthread_cond_destroy(&naming->changed);
	free(naming);
}
