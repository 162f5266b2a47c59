/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/recording_maker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "event/schema.h"
#include "unit/unit.h"

uint64_t maker_random(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ULL;
	return hash_mix(*seed);
}

static void fill_random(char *to, size_t size, uint64_t *seed)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (char)maker_random(seed);
}

/* Sets an integer field by its name, if the kind has it. */
static void set_field(struct event_header *event, const char *name, uint64_t value)
{
	const struct event_field *field = event_field_find(event->kind, name);

	if (field && field->size > 0 && field->size <= sizeof(value))
		memcpy((char *)event + field->offset, &value, field->size);
}

static const struct event_field *find_tail(const struct event_schema *schema)
{
	const struct event_field *last = &schema->fields[schema->field_count - 1];

	return last->size == 0 ? last : NULL;
}

/* Two strings do for TEXT and for TEXTS. */
static size_t make_tail(const struct event_field *tail, char *to, uint64_t *seed)
{
	if (!tail)
		return 0;
	if (tail->meaning == MEANING_FRAMES || tail->meaning == MEANING_BINARY) {
		size_t size = 8 * (1 + maker_random(seed) % 20);

		fill_random(to, size, seed);
		return size;
	}
	return (size_t)sprintf(to, "name-%u%cvalue %u", (unsigned int)maker_random(seed) % 100, 0,
			       (unsigned int)maker_random(seed) % 100000) +
	       1;
}

void maker_add_event(struct buffer *events, unsigned int kind, uint64_t time_ns, uint64_t seed)
{
	const struct event_schema *schema = event_schema(kind);
	char tail[256] = {0};
	size_t tail_size = make_tail(find_tail(schema), tail, &seed);
	size_t size = event_align(schema->fixed_size + tail_size);
	struct event_header *event = buffer_extend(events, size);

	memset(event, 0, size);
	fill_random((char *)event, schema->fixed_size, &seed);
	*event = (struct event_header){
		.mark = 0, .kind = (uint16_t)kind, .size = (uint16_t)size, .time_ns = time_ns};
	memcpy((char *)event + schema->fixed_size, tail, tail_size);
	set_field(event, "frame_count", tail_size / 8);
	set_field(event, "copy_bytes", tail_size);
	set_field(event, "text_count", tail_size / sizeof(struct event_value_text));
	set_field(event, "build_id_size", maker_random(&seed) % (EVENT_BUILD_ID_MAX + 1));
	assert_true(event_is_sound(event, size));
}

/* About normal, deviation 200: twelve numbers of 0 to 200 have one of 200. */
static uint64_t jitter_ns(uint64_t *seed)
{
	uint64_t sum = 0;

	for (int i = 0; i < 12; i++)
		sum += maker_random(seed) % 201;
	return sum;
}

void maker_add_pipe(struct buffer *events, uint16_t cpu, uint64_t from_ns, size_t count,
		    uint64_t seed)
{
	uint64_t time_ns = from_ns;
	uint32_t running = 1000, other = 1001;

	for (size_t i = 0; i < count; i++) {
		struct event_waking waking = {
			.header = {.kind = EVENT_WAKING, .size = sizeof(waking)},
			.waker_tid = running,
			.wakee_tid = other,
			.cpu = cpu,
			.target_cpu = cpu,
			.wakee_prio = 120,
		};
		struct event_switch change = {
			.header = {.kind = EVENT_SWITCH, .size = sizeof(change)},
			.prev_tid = running,
			.next_tid = other,
			.prev_state = 1,
			.cpu = cpu,
			.next_prio = 120,
			.prev_syscall = EVENT_NO_SYSCALL,
		};

		waking.header.time_ns = time_ns += 800 + jitter_ns(&seed);
		change.header.time_ns = time_ns += 800 + jitter_ns(&seed);
		buffer_add(events, &waking, sizeof(waking));
		buffer_add(events, &change, sizeof(change));
		running = change.next_tid;
		other = change.prev_tid;
	}
}

char *maker_path(const char *name)
{
	const char *directory = getenv("TMPDIR");

	if (!directory)
		directory = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	return xasprintf("%s/dashcam-%s-%d", directory, name, (int)getpid());
}

void maker_read_file(const char *path, struct buffer *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	buffer_clear(ret);
	buffer_extend(ret, (size_t)stat.st_size);
	assert_int_equal(read(fd, ret->data, ret->size), stat.st_size);
}

void maker_write_file(const char *path, const void *bytes, size_t size)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
}

int maker_read_all(struct recording *recording, unsigned int streams, struct buffer *events,
		   uint64_t *ret_damaged)
{
	struct recording_range range = {.streams = streams, .to_ns = UINT64_MAX};
	struct recording_cursor *cursor;
	const struct event_header *event;
	int got = recording_cursor_new(&cursor, recording, &range);
	uint64_t last_ns = 0;

	*ret_damaged = 0;
	if (got)
		return got;
	while ((got = recording_cursor_next(cursor, &event)) == 1) {
		assert_true(event_is_sound(event, event->size));
		if (!(streams & STREAM_BIT(STREAM_TABLE)))
			assert_true(event->time_ns >= last_ns);
		last_ns = event->time_ns;
		buffer_add(events, event, event->size);
	}
	*ret_damaged = recording_cursor_damaged(cursor);
	recording_cursor_free(cursor);
	return got;
}
