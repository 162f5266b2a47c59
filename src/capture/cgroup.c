/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/cgroup_text.h"
#include "event/schema.h"

#define AGAIN_NS       NS_PER_S
#define DEPTH_MAX      64 /* groups inside of groups */
#define PATH_MAX_BYTES 4096

struct cgroup_reader {
	struct capture_sink sink;
	struct cgroup_mounts mounts;
	struct map64 looked_ns; /* when, by pid */
};

/* What holds for a process. */
struct limits {
	uint64_t id;
	struct cgroup_quota quota;
	uint64_t memory_bytes;
};

struct cgroup_reader *cgroup_reader_new(const struct capture_sink *sink)
{
	struct cgroup_reader *reader = xcalloc(1, sizeof(*reader));
	FILE *file = fopen("/proc/self/mountinfo", "re");

	reader->sink = *sink;
	if (file) {
		cgroup_mounts_read(&reader->mounts, file);
		fclose(file);
	}
	return reader;
}

void cgroup_reader_free(struct cgroup_reader *reader)
{
	if (!reader)
		return;
	cgroup_mounts_release(&reader->mounts);
	map64_release(&reader->looked_ns);
	free(reader);
}

/* The first bytes of a small file: false if it cannot be read. */
static bool read_text(const char *directory, const char *name, char *text, size_t size)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void tighten_quota(struct limits *limits, const char *directory, bool is_unified)
{
	char text[64], period[64];
	struct cgroup_quota quota;
	bool is_known;

	if (is_unified)
		is_known = read_text(directory, "cpu.max", text, sizeof(text)) &&
			   cgroup_parse_quota(text, &quota);
	else
		is_known = read_text(directory, "cpu.cfs_quota_us", text, sizeof(text)) &&
			   read_text(directory, "cpu.cfs_period_us", period, sizeof(period)) &&
			   cgroup_parse_old_quota(text, period, &quota);
	if (is_known && cgroup_quota_is_tighter(&quota, &limits->quota))
		limits->quota = quota;
}

static void tighten_memory(struct limits *limits, const char *directory, bool is_unified)
{
	const char *name = is_unified ? "memory.max" : "memory.limit_in_bytes";
	uint64_t bytes;
	char text[64];

	if (read_text(directory, name, text, sizeof(text)) && cgroup_parse_memory(text, &bytes) &&
	    bytes && (!limits->memory_bytes || bytes < limits->memory_bytes))
		limits->memory_bytes = bytes;
}

/* The limits of one controller on the way from PLACE to the root of what is mounted. */
static void read_limits(struct limits *limits, const struct cgroup_mounts *mounts,
			const struct cgroup_place *place, enum cgroup_controller controller)
{
	const struct cgroup_mount *mount =
		place->is_unified ? &mounts->unified : &mounts->old[controller];
	_cleanup_free_ char *directory = cgroup_directory(mount, place);
	size_t top = directory ? strlen(mount->point) : 0;
	struct stat status;

	if (directory && controller == CGROUP_CPU && !stat(directory, &status))
		limits->id = status.st_ino;
	for (int depth = 0; directory && depth < DEPTH_MAX; depth++) {
		char *last = strrchr(directory, '/');

		if (controller == CGROUP_CPU)
			tighten_quota(limits, directory, place->is_unified);
		else
			tighten_memory(limits, directory, place->is_unified);
		if (!last || (size_t)(last - directory) < top)
			break;
		*last = '\0';
	}
}

static void tell(struct cgroup_reader *reader, uint32_t pid, uint32_t tid,
		 const struct cgroup_places *places, const struct limits *limits)
{
	const char *cpu = places->of[CGROUP_CPU].path, *memory = places->of[CGROUP_MEMORY].path;
	size_t cpu_size = strnlen(cpu ? cpu : "", PATH_MAX_BYTES);
	size_t memory_size = strnlen(memory ? memory : "", PATH_MAX_BYTES);
	size_t size = event_align(sizeof(struct event_cgroup) + cpu_size + memory_size + 2);
	_cleanup_free_ struct event_cgroup *event = xcalloc(1, size);

	event->header = (struct event_header){
		.kind = EVENT_CGROUP, .size = (uint16_t)size, .time_ns = capture_now_ns()};
	event->id = limits->id;
	event->pid = pid;
	event->tid = tid;
	event->quota_us = limits->quota.quota_us;
	event->period_us = limits->quota.period_us;
	event->memory_limit_bytes = limits->memory_bytes;
	if (cpu)
		memcpy(event->text, cpu, cpu_size);
	if (memory)
		memcpy(event->text + cpu_size + 1, memory, memory_size);
	reader->sink.table(reader->sink.context, &event->header);
}

/* The process of TID; 0 if it has ended, or has no memory of its own: a kernel thread. */
static uint32_t process_of(uint32_t tid)
{
	char directory[32], status[2048];
	const char *line;
	uint32_t pid;

	snprintf(directory, sizeof(directory), "/proc/%u", tid);
	if (!read_text(directory, "status", status, sizeof(status)) || !strstr(status, "\nVmSize:"))
		return 0;
	line = strstr(status, "\nTgid:");
	return line && sscanf(line, "\nTgid: %" SCNu32, &pid) == 1 ? pid : 0;
}

/* Notes that PID is looked at now, unless it need not be. */
static bool is_due(struct cgroup_reader *reader, uint32_t pid, enum cgroup_wish wish)
{
	uint64_t now_ns = capture_monotonic_ns(), *was = map64_get(&reader->looked_ns, pid);

	if (was && (wish == CGROUP_ONCE || now_ns - *was < AGAIN_NS))
		return false;
	map64_put(&reader->looked_ns, pid, now_ns);
	return true;
}

void cgroup_read(struct cgroup_reader *reader, uint32_t tid, enum cgroup_wish wish)
{
	struct cgroup_places places;
	struct limits limits = {0};
	uint32_t pid = process_of(tid);
	char path[48];
	FILE *file;

	if (!pid || !is_due(reader, pid, wish))
		return;
	snprintf(path, sizeof(path), "/proc/%u/cgroup", tid);
	file = fopen(path, "re");
	if (!file)
		return;
	cgroup_places_read(&places, file);
	fclose(file);
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++)
		read_limits(&limits, &reader->mounts, &places.of[i], i);
	if (places.of[CGROUP_CPU].path || places.of[CGROUP_MEMORY].path)
		tell(reader, pid, tid, &places, &limits);
	cgroup_places_release(&places);
}

void cgroup_forget(struct cgroup_reader *reader, uint32_t pid)
{
	map64_remove(&reader->looked_ns, pid);
}
