/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing and reading recordings, in files and in memory. Damage is in test_recording_damage.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "event/schema.h"
#include "recording/format.h"
#include "support/recording_maker.h"
#include "unit.h"

#define CPUS       3
#define MIX_EVENTS 40000

static const unsigned int switch_kinds[] = {EVENT_SWITCH, EVENT_WAKING, EVENT_RESUME};
static const unsigned int evidence_kinds[] = {EVENT_WAIT, EVENT_SAMPLE, EVENT_FORK, EVENT_EXEC,
					      EVENT_EXIT, EVENT_LOSS,   EVENT_CLOCK};
static const unsigned int table_kinds[] = {EVENT_STACK, EVENT_FILE,   EVENT_THREAD,
					   EVENT_META,  EVENT_MODULE, EVENT_FRAME};

/* ---- a mix of events, and the order in which they must come back ---- */

struct mix_event {
	uint64_t time_ns;  /* 0 for tables */
	unsigned int rank; /* of streams and CPUs, for equal times */
	enum recording_stream stream;
	uint16_t cpu;
	size_t offset; /* in bytes */
};

struct mix {
	struct buffer bytes;
	struct mix_event *events;
	size_t count;
};

static unsigned int pick(const unsigned int *kinds, size_t count, uint64_t *seed)
{
	return kinds[maker_random(seed) % count];
}

/* Times rise by 0 to 500 ns, so that some are equal, and stand up to 3 us away from their place. */
static struct mix mix_make(uint64_t seed)
{
	struct mix mix = {.events = xcalloc(MIX_EVENTS, sizeof(*mix.events)), .count = MIX_EVENTS};
	uint64_t time_ns = 1000000;

	for (size_t i = 0; i < mix.count; i++) {
		struct mix_event *event = &mix.events[i];
		unsigned int which = maker_random(&seed) % 10;
		unsigned int kind;

		event->stream = which < 6   ? STREAM_SWITCH
				: which < 9 ? STREAM_EVIDENCE
					    : STREAM_TABLE;
		event->cpu = event->stream == STREAM_TABLE ? 0 : maker_random(&seed) % CPUS;
		event->offset = mix.bytes.size;
		time_ns += maker_random(&seed) % 500;
		event->time_ns = time_ns + maker_random(&seed) % 3000;
		if (event->stream == STREAM_SWITCH)
			kind = pick(switch_kinds, ARRAY_SIZE(switch_kinds), &seed);
		else if (event->stream == STREAM_EVIDENCE)
			kind = pick(evidence_kinds, ARRAY_SIZE(evidence_kinds), &seed);
		else
			kind = pick(table_kinds, ARRAY_SIZE(table_kinds), &seed);
		maker_add_event(&mix.bytes, kind, event->time_ns, i);
		event->rank =
			(event->stream == STREAM_TABLE ? 0 : 1 + event->stream) * CPUS + event->cpu;
		if (event->stream == STREAM_TABLE)
			event->time_ns = 0;
	}
	return mix;
}

static void mix_release(struct mix *mix)
{
	buffer_release(&mix->bytes);
	free(mix->events);
}

static const struct event_header *mix_event(const struct mix *mix, size_t i)
{
	return (const void *)(mix->bytes.data + mix->events[i].offset);
}

static int compare_mix(const void *a, const void *b)
{
	const struct mix_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The bytes that a cursor over STREAMS and a range of time must give. */
static void mix_expect(struct mix *mix, unsigned int streams, uint64_t from_ns, uint64_t to_ns,
		       struct buffer *ret)
{
	qsort(mix->events, mix->count, sizeof(*mix->events), compare_mix);
	for (size_t i = 0; i < mix->count; i++) {
		const struct mix_event *event = &mix->events[i];
		bool is_inside = event->time_ns >= from_ns && event->time_ns <= to_ns;

		if ((streams & STREAM_BIT(event->stream)) &&
		    (event->stream == STREAM_TABLE || is_inside))
			buffer_add(ret, mix_event(mix, i), mix_event(mix, i)->size);
	}
}

/* Writes the mix as it stands, with flushes now and then. */
static void mix_write(const struct mix *mix, const char *path)
{
	struct recording_writer *writer;

	assert_int_equal(recording_create(&writer, path), 0);
	for (size_t i = 0; i < mix->count; i++) {
		const struct event_header *event = mix_event(mix, i);

		assert_int_equal(recording_write(writer, mix->events[i].stream, mix->events[i].cpu,
						 event, event->size),
				 0);
		if (i % 9000 == 8999)
			assert_int_equal(recording_flush(writer), 0);
	}
	assert_int_equal(recording_finish(writer), 0);
}

/* What a cursor gives, but for the event table that each file begins with. */
static void read_range(struct recording *recording, const struct recording_range *range,
		       struct buffer *ret)
{
	struct recording_cursor *cursor;
	const struct event_header *event;

	assert_int_equal(recording_cursor_new(&cursor, recording, range), 0);
	while (recording_cursor_next(cursor, &event) == 1) {
		if (event->kind != EVENT_KIND_INFO && event->kind != EVENT_FIELD_INFO)
			buffer_add(ret, event, event->size);
	}
	assert_int_equal(recording_cursor_damaged(cursor), 0);
	recording_cursor_free(cursor);
}

static void assert_mix(struct mix *mix, struct recording *recording, unsigned int streams,
		       uint64_t from_ns, uint64_t to_ns)
{
	struct recording_range range = {.streams = streams, .from_ns = from_ns, .to_ns = to_ns};
	struct buffer expected = {0}, got = {0};

	mix_expect(mix, streams, from_ns, to_ns, &expected);
	read_range(recording, &range, &got);
	assert_int_equal(got.size, expected.size);
	if (got.size > 0)
		assert_memory_equal(got.data, expected.data, got.size);
	buffer_release(&expected);
	buffer_release(&got);
}

static void assert_mix_all_ways(struct mix *mix, struct recording *recording)
{
	uint64_t middle_ns = mix_event(mix, mix->count / 2)->time_ns;

	assert_mix(mix, recording, MAKER_ALL_STREAMS, 0, UINT64_MAX);
	assert_mix(mix, recording, STREAM_BIT(STREAM_SWITCH), 0, UINT64_MAX);
	assert_mix(mix, recording, STREAM_BIT(STREAM_EVIDENCE) | STREAM_BIT(STREAM_TABLE),
		   middle_ns, middle_ns + 300000);
	assert_mix(mix, recording, STREAM_BIT(STREAM_SWITCH), middle_ns, middle_ns);
	assert_mix(mix, recording, MAKER_ALL_STREAMS, 0, 999);
}

/* ---- files ---- */

static void test_round_trip(void **state)
{
	_cleanup_free_ char *path = maker_path("round-trip");
	struct mix mix = mix_make(11);
	struct recording *recording;

	(void)state;
	mix_write(&mix, path);
	assert_int_equal(recording_open(&recording, path), 0);
	assert_mix_all_ways(&mix, recording);
	recording_close(recording);
	unlink(path);
	mix_release(&mix);
}

static void test_info(void **state)
{
	_cleanup_free_ char *path = maker_path("info");
	struct mix mix = mix_make(12);
	uint64_t counts[EVENT_KIND_LIMIT] = {0};
	uint64_t first_ns = UINT64_MAX, last_ns = 0, kinds = 0;
	const struct recording_info *info;
	struct recording *recording;
	struct stat stat_of_file;

	(void)state;
	mix_write(&mix, path);
	for (size_t i = 0; i < mix.count; i++) {
		const struct event_header *event = mix_event(&mix, i);

		counts[event->kind]++;
		if (mix.events[i].stream == STREAM_TABLE)
			continue;
		first_ns = event->time_ns < first_ns ? event->time_ns : first_ns;
		last_ns = event->time_ns > last_ns ? event->time_ns : last_ns;
	}
	assert_int_equal(stat(path, &stat_of_file), 0);
	assert_int_equal(stat_of_file.st_mode & 07777, 0600);
	assert_int_equal(recording_open(&recording, path), 0);
	info = recording_info(recording);
	assert_int_equal(info->format_version, 1);
	assert_int_equal(info->file_bytes, stat_of_file.st_size);
	assert_int_equal(info->good_bytes, stat_of_file.st_size);
	assert_false(info->is_torn);
	assert_string_equal(info->damage, "");
	assert_int_equal(info->first_ns, first_ns);
	assert_int_equal(info->last_ns, last_ns);
	assert_int_equal(info->cpu_limit, CPUS);
	assert_int_equal(info->unknown_events, 0);
	for (unsigned int kind = 1; kind < EVENT_KIND_INFO; kind++)
		assert_int_equal(info->event_count[kind], counts[kind]);
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++)
		kinds += event_schema(kind) != NULL;
	assert_int_equal(info->event_count[EVENT_KIND_INFO], kinds);
	recording_close(recording);
	unlink(path);
	mix_release(&mix);
}

/* Marks are of logs only; what is flushed is in the file before the end. */
static void test_mark_and_flush(void **state)
{
	_cleanup_free_ char *path = maker_path("flush");
	struct buffer events = {0}, got = {0};
	struct recording_writer *writer;
	struct recording *recording;
	uint64_t damaged;

	(void)state;
	maker_add_event(&events, EVENT_SWITCH, 100, 1);
	assert_int_equal(recording_create(&writer, path), 0);
	((struct event_header *)(void *)events.data)->mark = 0x12345678;
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, events.data, events.size), 0);
	assert_int_equal(recording_flush(writer), 0);

	assert_int_equal(recording_open(&recording, path), 0);
	assert_true(recording_info(recording)->is_torn);
	assert_int_equal(recording_written_bytes(writer), recording_info(recording)->good_bytes);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	((struct event_header *)(void *)events.data)->mark = 0;
	assert_int_equal(got.size, events.size);
	assert_memory_equal(got.data, events.data, events.size);
	recording_close(recording);
	assert_int_equal(recording_finish(writer), 0);
	unlink(path);
	buffer_release(&events);
	buffer_release(&got);
}

static void test_malformed_event_is_refused(void **state)
{
	_cleanup_free_ char *path = maker_path("refused");
	struct event_switch event = {.header = {.kind = EVENT_SWITCH, .size = 24}};
	struct recording_writer *writer;

	(void)state;
	assert_int_equal(recording_create(&writer, path), 0);
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, &event, sizeof(event)),
			 -EBADMSG);
	assert_non_null(strstr(fail_text(), "malformed"));
	fail_clear();
	event.header.size = sizeof(event);
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, &event, sizeof(event)), 0);
	assert_int_equal(recording_finish(writer), 0);
	unlink(path);
}

/* Events of one CPU that come a whole chunk late still find their place. */
static void test_late_by_a_chunk(void **state)
{
	_cleanup_free_ char *path = maker_path("late");
	struct buffer late = {0}, early = {0}, got = {0};
	struct recording_writer *writer;
	struct recording *recording;
	uint64_t damaged;

	(void)state;
	maker_add_pipe(&late, 0, 100000000, 10000, 1);
	maker_add_pipe(&early, 0, 50000, 3000, 2);
	assert_int_equal(recording_create(&writer, path), 0);
	recording_write(writer, STREAM_SWITCH, 0, late.data, late.size);
	recording_write(writer, STREAM_SWITCH, 0, early.data, early.size);
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(recording_open(&recording, path), 0);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_int_equal(got.size, late.size + early.size);
	assert_memory_equal(got.data, early.data, early.size);
	assert_memory_equal(got.data + early.size, late.data, late.size);
	recording_close(recording);
	unlink(path);
	buffer_release(&late);
	buffer_release(&early);
	buffer_release(&got);
}

/* ---- creating ---- */

static void assert_not_created(const char *path)
{
	struct recording_writer *writer;

	assert_int_equal(recording_create(&writer, path), -EEXIST);
	assert_non_null(strstr(fail_text(), "not a regular file"));
	fail_clear();
}

static void test_create_over(void **state)
{
	_cleanup_free_ char *path = maker_path("over"), *target = maker_path("target");
	struct recording_writer *writer;
	struct buffer content = {0};
	struct stat stat_of_file;

	(void)state;
	maker_write_file(target, "precious", 8);
	assert_int_equal(symlink(target, path), 0);
	assert_not_created(path);
	maker_read_file(target, &content);
	assert_memory_equal(content.data, "precious", 8);
	unlink(path);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_created(path);
	unlink(path);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_not_created(path);
	rmdir(path);

	assert_int_equal(chmod(target, 0644), 0);
	assert_int_equal(recording_create(&writer, target), 0);
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(stat(target, &stat_of_file), 0);
	assert_int_equal(stat_of_file.st_mode & 07777, 0600);
	unlink(target);

	assert_int_equal(recording_create(&writer, "/nowhere/at/all.dcam"), -ENOENT);
	assert_non_null(strstr(fail_text(), "creating /nowhere/at/all.dcam: No such file"));
	fail_clear();
	buffer_release(&content);
}

/* ---- in memory ---- */

static void test_memory(void **state)
{
	struct recording *recording = recording_memory_new();
	struct mix mix = mix_make(13);

	(void)state;
	for (size_t i = 0; i < mix.count; i++)
		recording_memory_add(recording, mix.events[i].stream, mix.events[i].cpu,
				     mix_event(&mix, i), mix_event(&mix, i)->size);
	assert_mix_all_ways(&mix, recording);
	assert_int_equal(recording_info(recording)->cpu_limit, CPUS);
	assert_int_equal(recording_info(recording)->decoded_bytes, mix.bytes.size);
	recording_close(recording);
	mix_release(&mix);
}

/* One event comes so late that 20 MB would have to be held back for it: it is dropped and counted.
 */
static void test_much_too_late(void **state)
{
	struct recording *recording = recording_memory_new();
	struct buffer events = {0}, late = {0}, got = {0};
	uint64_t damaged;

	(void)state;
	maker_add_pipe(&events, 0, 1000000000, 20000000 / 64, 1);
	maker_add_event(&late, EVENT_SWITCH, 5, 2);
	recording_memory_add(recording, STREAM_SWITCH, 0, events.data, events.size);
	recording_memory_add(recording, STREAM_SWITCH, 0, late.data, late.size);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, 1);
	assert_int_equal(got.size, events.size);
	recording_close(recording);
	buffer_release(&events);
	buffer_release(&late);
	buffer_release(&got);
}

/* Events that belong to no CPU do not make readers count on 65,536 of them. */
static void test_cpu_limit(void **state)
{
	struct recording *recording = recording_memory_new();
	struct buffer events = {0};

	(void)state;
	maker_add_event(&events, EVENT_LOSS, 5, 1);
	recording_memory_add(recording, STREAM_EVIDENCE, 7, events.data, events.size);
	recording_memory_add(recording, STREAM_EVIDENCE, EVENT_ANY_CPU, events.data, events.size);
	assert_int_equal(recording_info(recording)->cpu_limit, 8);
	recording_close(recording);
	buffer_release(&events);
}

/* Whole chunks go, tables stay, what comes later is added as before. */
static void test_memory_forget(void **state)
{
	struct recording *recording = recording_memory_new();
	const struct recording_info *info = recording_info(recording);
	struct buffer old = {0}, young = {0}, table = {0}, got = {0};
	uint64_t damaged;

	(void)state;
	maker_add_pipe(&old, 1, 1000, 4096, 1); /* 256 KiB: exactly one chunk */
	maker_add_pipe(&young, 1, 1000000000, 10, 2);
	maker_add_event(&table, EVENT_META, 5, 3);
	recording_memory_add(recording, STREAM_SWITCH, 1, old.data, old.size);
	recording_memory_add(recording, STREAM_TABLE, 0, table.data, table.size);
	recording_memory_add(recording, STREAM_SWITCH, 1, young.data, young.size);
	assert_int_equal(info->event_count[EVENT_SWITCH], 4106);
	assert_int_equal(info->chunks, 3);

	recording_memory_forget(recording, 1000000000);
	assert_int_equal(info->event_count[EVENT_SWITCH], 10);
	assert_int_equal(info->event_count[EVENT_META], 1);
	assert_int_equal(info->chunks, 2);
	assert_int_equal(info->first_ns, ((struct event_header *)(void *)young.data)->time_ns);
	recording_memory_add(recording, STREAM_SWITCH, 1, young.data, young.size);
	assert_int_equal(info->chunks, 2);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(got.size, 2 * young.size);
	recording_close(recording);
	buffer_release(&old);
	buffer_release(&young);
	buffer_release(&table);
	buffer_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_mark_and_flush),
		cmocka_unit_test(test_malformed_event_is_refused),
		cmocka_unit_test(test_late_by_a_chunk),
		cmocka_unit_test(test_create_over),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_forget),
		cmocka_unit_test(test_much_too_late),
		cmocka_unit_test(test_cpu_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
