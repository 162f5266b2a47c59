/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "analysis/leaf.h"
#include "base/units.h"

/* Requests before and after a wait that are asked who serves the device. */
#define SERVER_LOOKS 256

/* Of the kernel's enum req_op. */
#define OPERATION_READ 0

/* Documentation/admin-guide/devices.txt. */
#define MAJOR_LOOP 7
#define MAJOR_NBD  43

/* Threads that filled a device's queue, told apart. */
#define USERS_MAX 32

struct disk_user {
	uint32_t tid;
	uint64_t ns; /* sum of its requests' times in the queue, inside the wait */
	uint64_t bytes;
};

/* What a wait has to do with the disk requests of its time. */
struct disk_look {
	const struct event_disk *own; /* the longest request of the waiting thread */
	uint32_t device;
	uint64_t own_ns;
	struct disk_user users[USERS_MAX]; /* of the device, but for the thread itself */
	size_t user_count;
	uint32_t looks; /* requests looked at */
};

static uint64_t inside_ns(const struct event_disk *request, const struct piece *piece)
{
	uint64_t from_ns =
		request->queued_ns > piece->from_ns ? request->queued_ns : piece->from_ns;
	uint64_t to_ns =
		request->header.time_ns < piece->to_ns ? request->header.time_ns : piece->to_ns;

	return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* The requests that were in a queue during PIECE. They are ordered by their completion; those that
 * completed much later are left out. */
static void requests_begin(struct history_over *over, const struct history *history,
			   const struct piece *piece)
{
	history_over_begin(over, history, EVENT_DISK, 0, piece->from_ns, piece->to_ns);
}

static const struct event_disk *requests_next(struct history_over *over, const struct piece *piece)
{
	const struct event_disk *request;

	while ((request = (const void *)history_over_next(over))) {
		if (request->header.time_ns > piece->to_ns + NS_PER_S)
			return NULL;
		if (inside_ns(request, piece))
			return request;
	}
	return NULL;
}

static bool is_own(const struct event_disk *request, const struct thread *thread, uint64_t inode)
{
	return request->tid == thread->tid || (inode && request->inode == inode);
}

/* The thread's own requests say which device it was. Without any, none is guessed. */
static void find_own(struct disk_look *look, const struct history *history,
		     const struct thread *thread, const struct piece *piece, uint64_t inode)
{
	const struct event_disk *request;
	struct history_over over;

	requests_begin(&over, history, piece);
	while ((request = requests_next(&over, piece))) {
		if (!is_own(request, thread, inode))
			continue;
		look->own_ns += inside_ns(request, piece);
		if (!look->own || request->header.time_ns - request->queued_ns >
					  look->own->header.time_ns - look->own->queued_ns)
			look->own = request;
	}
	look->looks += over.looks;
	look->device = look->own ? look->own->device : 0;
}

static void add_user(struct disk_look *look, const struct event_disk *request, uint64_t ns)
{
	struct disk_user *user = NULL;

	for (size_t i = 0; i < look->user_count && !user; i++) {
		if (look->users[i].tid == request->tid)
			user = &look->users[i];
	}
	if (!user && look->user_count < USERS_MAX) {
		user = &look->users[look->user_count++];
		*user = (struct disk_user){.tid = request->tid};
	}
	if (user) {
		user->ns += ns;
		user->bytes += request->size_bytes;
	}
}

static void find_users(struct disk_look *look, const struct history *history,
		       const struct thread *thread, const struct piece *piece, uint64_t inode)
{
	const struct event_disk *request;
	struct history_over over;

	requests_begin(&over, history, piece);
	while ((request = requests_next(&over, piece))) {
		if (request->device == look->device && !is_own(request, thread, inode))
			add_user(look, request, inside_ns(request, piece));
	}
	look->looks += over.looks;
}

/* "vda", or "disk 254:0" where the recording has no name for it. */
static void name_disk(char *text, size_t size, const struct history *history, uint32_t device)
{
	const char *line = model_meta(history_model(history), "disk_names");
	unsigned int major, minor;
	char name[64];

	snprintf(text, size, "disk %u:%u", device >> 20, device & 0xfffff);
	while (line) {
		if (sscanf(line, "%u:%u %63s", &major, &minor, name) == 3 &&
		    major == device >> 20 && minor == (device & 0xfffff)) {
			snprintf(text, size, "disk %s", name);
			return;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
}

static const char *operation_says(const struct event_disk *request)
{
	if (request->flags & EVENT_DISK_FLUSH)
		return ", to be flushed";
	return request->operation == OPERATION_READ ? ", read" : ", written";
}

/* "/data/x on disk vda, read, 12 requests in its queue, throttled by its cgroup" */
static void describe(struct leaf *leaf, const struct history *history, const struct disk_look *look)
{
	char file[sizeof(leaf->object)], disk[80];
	size_t length;

	memcpy(file, leaf->object, sizeof(file));
	name_disk(disk, sizeof(disk), history, look->device);
	length = (size_t)snprintf(leaf->object, sizeof(leaf->object), "%.120s%s%s%s", file,
				  file[0] ? " on " : "", disk, operation_says(look->own));
	if (look->own->depth > 1 && length < sizeof(leaf->object))
		length += (size_t)snprintf(leaf->object + length, sizeof(leaf->object) - length,
					   ", %u requests in its queue", look->own->depth);
	if (look->own->flags & EVENT_DISK_THROTTLED && length < sizeof(leaf->object))
		snprintf(leaf->object + length, sizeof(leaf->object) - length,
			 ", throttled by its cgroup");
}

static uint64_t inode_of(const struct history *history, const struct piece *piece)
{
	const struct wait *wait = history_wait(history, piece->turn);
	const struct event_file *file = NULL;

	if (wait && wait->evidence && wait->evidence->object_kind == EVENT_OBJECT_FILE)
		file = model_file(history_model(history), wait->evidence->object);
	return file ? file->inode : 0;
}

/* Loop devices and network block devices: a thread does their work. */
static bool is_served_by_thread(uint32_t device)
{
	return device >> 20 == MAJOR_LOOP || device >> 20 == MAJOR_NBD;
}

void leaf_disk(struct leaf *leaf, const struct history *history, const struct thread *thread,
	       const struct piece *piece)
{
	uint64_t inode = inode_of(history, piece);
	const struct disk_user *most = NULL;
	struct disk_look look = {.own = NULL};

	leaf->culprit = NULL;
	find_own(&look, history, thread, piece, inode);
	leaf->looks = look.looks;
	if (!look.device)
		return;
	leaf->group = look.device;
	describe(leaf, history, &look);
	find_users(&look, history, thread, piece, inode);
	leaf->looks = look.looks;
	for (size_t i = 0; i < look.user_count; i++) {
		if (!most || look.users[i].ns > most->ns)
			most = &look.users[i];
	}
	/* others had more in the queue than the thread itself: it stood behind them */
	if (most && most->tid && most->ns > look.own_ns)
		leaf->culprit = model_thread_at(history_model(history), most->tid, piece->from_ns);
	/* it would have been followed, had it been seen */
	else if (is_served_by_thread(look.device) && !(look.own->flags & EVENT_DISK_THROTTLED))
		leaf->end = BLAME_NO_WAKER;
}

/* That of one of the device's other requests, where this one was completed by an interrupt on its
 * behalf. */
static uint32_t server_of_device(const struct history_events *events, const struct piece *piece,
				 uint32_t device)
{
	size_t at = history_event_from(events, piece->from_ns);
	size_t first = at > SERVER_LOOKS ? at - SERVER_LOOKS : 0;

	for (size_t i = first; i < events->count && i < at + SERVER_LOOKS; i++) {
		const struct event_disk *request = (const void *)events->events[i];

		if (request->device == device && request->server_tid)
			return request->server_tid;
	}
	return 0;
}

const struct thread *leaf_disk_server(const struct history *history, const struct thread *thread,
				      const struct piece *piece)
{
	struct history_events events = history_events(history, EVENT_DISK);
	struct disk_look look = {.own = NULL};
	const struct thread *server;
	uint32_t tid;

	find_own(&look, history, thread, piece, inode_of(history, piece));
	if (!look.own)
		return NULL;
	tid = look.own->server_tid ? look.own->server_tid
				   : server_of_device(&events, piece, look.device);
	server = tid ? model_thread_at(history_model(history), tid, piece->to_ns) : NULL;
	return server == thread ? NULL : server;
}
