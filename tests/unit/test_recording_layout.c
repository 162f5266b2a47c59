/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings of other versions: their event table says how their events become ours. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "event/schema.h"
#include "recording/format.h"
#include "recording/layout.h"
#include "support/recording_maker.h"
#include "support/recording_mend.h"
#include "unit.h"

#define NOVEL_KIND 40

/* ---- how another version might have laid out six kinds ---- */

/* older: padding where prev_syscall is now */
struct old_switch {
	struct event_header header;
	__u32 prev_tid;
	__u32 next_tid;
	__u32 others;
	__u16 prio_and_flags;
	__u16 reserved;
};

/* older: of all of wait only this */
struct old_wait {
	struct event_header header;
	__u64 blocked_ns;
	__u32 tid;
	__u32 pid;
};

/* older: no old_tid, so the tail begins earlier */
struct old_exec {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	char comm[16];
	char cmdline[8];
};

/* numbers of other widths */
struct old_sample {
	struct event_header header;
	__u32 tid;
	__u32 period_ns;
	__s32 syscall;
	__u32 reserved;
};

/* older: no texts yet */
struct old_hook {
	struct event_header header;
	__u32 status;
	__s32 error;
};

/* newer: one field more */
struct new_exit {
	struct event_exit known;
	__u64 severity;
};

struct row {
	unsigned int kind;
	const char *name; /* of the field; NULL: of the kind */
	unsigned int offset;
	unsigned int size;
	unsigned int count;
	bool is_signed;
};

static const struct row rows[] = {
	{EVENT_SWITCH, NULL, 0, sizeof(struct old_switch), 0, 0},
	{EVENT_SWITCH, "prev_tid", 16, 4, 1, 0},
	{EVENT_SWITCH, "next_tid", 20, 4, 1, 0},
	{EVENT_SWITCH, "reserved", 30, 2, 1, 0},
	{EVENT_WAIT, NULL, 0, sizeof(struct old_wait), 0, 0},
	{EVENT_WAIT, "blocked_ns", 16, 8, 1, 0},
	{EVENT_WAIT, "tid", 24, 4, 1, 0},
	{EVENT_WAIT, "pid", 28, 4, 1, 0},
	{EVENT_EXEC, NULL, 0, 40, 0, 0},
	{EVENT_EXEC, "tid", 16, 4, 1, 0},
	{EVENT_EXEC, "pid", 20, 4, 1, 0},
	{EVENT_EXEC, "comm", 24, 1, 16, 0},
	{EVENT_EXEC, "cmdline", 40, 0, 1, 0},
	{EVENT_SAMPLE, NULL, 0, sizeof(struct old_sample), 0, 0},
	{EVENT_SAMPLE, "tid", 16, 4, 1, 0},
	{EVENT_SAMPLE, "period_ns", 20, 4, 1, 0},
	{EVENT_SAMPLE, "syscall", 24, 4, 1, 1},
	{EVENT_SAMPLE, "reserved", 28, 4, 1, 0},
	{EVENT_HOOK, NULL, 0, sizeof(struct old_hook), 0, 0},
	{EVENT_HOOK, "status", 16, 4, 1, 0},
	{EVENT_HOOK, "error", 20, 4, 1, 1},
	{EVENT_EXIT, NULL, 0, sizeof(struct new_exit), 0, 0},
	{EVENT_EXIT, "tid", 16, 4, 1, 0},
	{EVENT_EXIT, "pid", 20, 4, 1, 0},
	{EVENT_EXIT, "exit_code", 24, 4, 1, 0},
	{EVENT_EXIT, "process_ended", 28, 4, 1, 0},
	{EVENT_EXIT, "severity", 32, 8, 1, 0},
	{NOVEL_KIND, NULL, 0, 24, 0, 0},
	{NOVEL_KIND, "novelty", 16, 8, 1, 0},
};

static void add_row(struct buffer *table, const struct row *row)
{
	struct event_kind_info kind = {.kind = row->kind, .fixed_size = row->size};
	struct event_field_info field = {.kind = row->kind,
					 .offset = (__u16)row->offset,
					 .size = (__u16)row->size,
					 .count = (__u16)row->count,
					 .is_signed = row->is_signed};
	size_t fixed = row->name ? sizeof(field) : sizeof(kind);
	const char *name = row->name                 ? row->name
			   : row->kind == NOVEL_KIND ? "novel"
						     : event_schema(row->kind)->name;
	size_t size = event_align(fixed + strlen(name) + 2);
	char *to = buffer_extend(table, size);

	field.header = (struct event_header){.kind = EVENT_FIELD_INFO, .size = (__u16)size};
	kind.header = (struct event_header){.kind = EVENT_KIND_INFO, .size = (__u16)size};
	memset(to, 0, size);
	memcpy(to, row->name ? (void *)&field : (void *)&kind, fixed);
	memcpy(to + fixed, name, strlen(name));
}

static bool is_changed(unsigned int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].kind == kind)
			return true;
	}
	return false;
}

/* This version's table with the kinds of ROWS replaced and CLOCK left out. */
static void make_table(struct buffer *table)
{
	struct buffer ours = {0};

	layouts_write(&ours, 1);
	for (size_t at = 0; at < ours.size;) {
		const struct event_kind_info *info = (const void *)(ours.data + at);

		if (!is_changed(info->kind) && info->kind != EVENT_CLOCK)
			buffer_add(table, info, info->header.size);
		at += info->header.size;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_row(table, &rows[i]);
	buffer_release(&ours);
}

/* ---- a file of that version ---- */

static void add_chunk(struct buffer *file, unsigned int stream, unsigned int sequence,
		      const struct buffer *events)
{
	struct format_chunk chunk = {
		.sequence = sequence,
		.first_ns = 1,
		.last_ns = 1000,
		.event_count = 1,
		.decoded_bytes = (uint32_t)events->size,
		.stored_bytes = (uint32_t)events->size,
		.stream = (uint16_t)stream,
		.codec = FORMAT_CODEC_NONE,
	};

	buffer_add(file, &chunk, sizeof(chunk));
	buffer_add(file, events->data, events->size);
}

#define HEADER(number, type, at)                                                                   \
	{                                                                                          \
		.kind = number, .size = sizeof(type), .time_ns = at                                \
	}

static void add_events(struct buffer *events)
{
	struct old_switch change = {HEADER(EVENT_SWITCH, change, 9), 3, 4, 0, 0, 0};
	struct old_wait wait = {HEADER(EVENT_WAIT, wait, 10), 123, 7, 6};
	struct old_exec exec = {HEADER(EVENT_EXEC, exec, 20), 8, 8, "newcomm", "cmd -x"};
	struct old_sample sample = {HEADER(EVENT_SAMPLE, sample, 30), 9, 4000000000u, -1, 5};
	struct event_header novel[2] = {{.kind = NOVEL_KIND, .size = 24, .time_ns = 40}};
	struct new_exit exit = {{HEADER(EVENT_EXIT, exit, 50), 11, 12, 13, 1}, 99};
	struct event_clock clock = {HEADER(EVENT_CLOCK, clock, 60), 1, 2};
	struct event_rename rename = {HEADER(EVENT_RENAME, rename, 70), 14, 15, "same"};

	buffer_add(events, &change, sizeof(change));
	buffer_add(events, &wait, sizeof(wait));
	buffer_add(events, &exec, sizeof(exec));
	buffer_add(events, &sample, sizeof(sample));
	buffer_add(events, &novel, 24);
	buffer_add(events, &exit, sizeof(exit));
	buffer_add(events, &clock, sizeof(clock));
	buffer_add(events, &rename, sizeof(rename));
}

static void make_file(struct buffer *file, uint64_t table_hash)
{
	struct old_hook hook = {HEADER(EVENT_HOOK, hook, 5), EVENT_HOOK_MISSING, -1};
	struct format_header header = {
		.magic = FORMAT_MAGIC,
		.version = 1,
		.byte_order = FORMAT_BYTE_ORDER,
		.header_bytes = sizeof(header),
		.recording_id = 77,
		.table_hash = table_hash,
	};
	struct buffer table = {0}, events = {0};

	make_table(&table);
	buffer_add(&table, &hook, sizeof(hook));
	add_events(&events);
	buffer_add(file, &header, sizeof(header));
	add_chunk(file, STREAM_TABLE, 0, &table);
	add_chunk(file, STREAM_EVIDENCE, 1, &events);
	/* a trailer that points nowhere: there is no index */
	memset(buffer_extend(file, sizeof(struct format_trailer)), 0,
	       sizeof(struct format_trailer));
	recording_mend_hashes(file->data, file->size);
	buffer_release(&table);
	buffer_release(&events);
}

/* ---- what must come of it ---- */

static const void *find(const struct buffer *events, unsigned int kind, unsigned int *ret_count)
{
	const void *found = NULL;

	*ret_count = 0;
	for (size_t at = 0; at < events->size;) {
		const struct event_header *event = (const void *)(events->data + at);

		if (event->kind == kind) {
			found = event;
			(*ret_count)++;
		}
		at += event->size;
	}
	return found;
}

static const void *find_one(const struct buffer *events, unsigned int kind)
{
	unsigned int count;
	const void *found = find(events, kind, &count);

	assert_int_equal(count, 1);
	return found;
}

static void assert_translated(const struct buffer *events)
{
	const struct event_switch *change = find_one(events, EVENT_SWITCH);
	const struct event_wait *wait = find_one(events, EVENT_WAIT);
	const struct event_exec *exec = find_one(events, EVENT_EXEC);
	const struct event_sample *sample = find_one(events, EVENT_SAMPLE);
	const struct event_exit *exit = find_one(events, EVENT_EXIT);
	const struct event_rename *rename = find_one(events, EVENT_RENAME);
	const struct event_hook *hook = find_one(events, EVENT_HOOK);
	unsigned int clocks;

	/* system call 0 is read, and nobody said that it was in one */
	assert_int_equal(change->prev_syscall, EVENT_NO_SYSCALL);
	assert_int_equal(change->prev_tid, 3);
	assert_int_equal(change->next_tid, 4);

	assert_int_equal(wait->header.size, sizeof(*wait));
	assert_int_equal(wait->header.time_ns, 10);
	assert_int_equal(wait->blocked_ns, 123);
	assert_int_equal(wait->tid, 7);
	assert_int_equal(wait->pid, 6);
	assert_int_equal(wait->runnable_ns, 0);
	assert_int_equal(wait->lock_address, 0);
	assert_int_equal(wait->timeout_ns, 0);

	assert_int_equal(exec->header.size, sizeof(*exec) + 8);
	assert_int_equal(exec->tid, 8);
	assert_int_equal(exec->old_tid, 0);
	assert_string_equal(exec->comm, "newcomm");
	assert_string_equal(exec->cmdline, "cmd -x");

	assert_int_equal(sample->period_ns, 4000000000u);
	assert_int_equal(sample->syscall, -1);
	assert_int_equal(sample->user_stack, 0);

	assert_int_equal(exit->header.size, sizeof(*exit));
	assert_int_equal(exit->exit_code, 13);
	assert_int_equal(exit->process_ended, 1);
	assert_string_equal(rename->comm, "same");

	assert_int_equal(hook->status, EVENT_HOOK_MISSING);
	assert_int_equal(hook->error, -1);
	assert_string_equal(event_tail_text(&hook->header, hook->text, 1), "");

	find(events, EVENT_CLOCK, &clocks);
	assert_int_equal(clocks, 0);
}

static void test_translation(void **state)
{
	_cleanup_free_ char *path = maker_path("layout");
	struct buffer file = {0}, events = {0};
	struct recording *recording;
	uint64_t damaged;

	(void)state;
	make_file(&file, 1);
	maker_write_file(path, file.data, file.size);
	assert_int_equal(recording_open(&recording, path), 0);
	assert_int_equal(maker_read_all(recording, MAKER_ALL_STREAMS, &events, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_translated(&events);
	assert_int_equal(recording_info(recording)->event_count[EVENT_WAIT], 1);
	assert_int_equal(recording_info(recording)->event_count[EVENT_CLOCK], 0);
	assert_int_equal(recording_info(recording)->unknown_events, 2);
	recording_close(recording);
	unlink(path);
	buffer_release(&file);
	buffer_release(&events);
}

/* Our own table, read as if it were another's, changes nothing. */
static void test_same_layout(void **state)
{
	struct buffer table = {0}, events = {0}, out = {0};
	struct layouts *layouts;
	uint64_t dropped = 0;

	(void)state;
	layouts_write(&table, 1);
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		if (event_schema(kind))
			maker_add_event(&events, kind, kind, kind);
	}
	layouts = layouts_read(table.data, table.size);
	layouts_translate(layouts, events.data, events.size, &out, &dropped);
	assert_int_equal(dropped, 0);
	assert_int_equal(out.size, events.size);
	assert_memory_equal(out.data, events.data, events.size);
	layouts_free(layouts);
	buffer_release(&table);
	buffer_release(&events);
	buffer_release(&out);
}

/* A second row for a kind, with a smaller size, would let fields be read behind the event. */
static void test_repeated_kind(void **state)
{
	static const struct row repeated[] = {
		{EVENT_WAIT, NULL, 0, 1000, 0, 0},
		{EVENT_WAIT, "blocked_ns", 900, 8, 1, 0},
		{EVENT_WAIT, NULL, 0, 16, 0, 0},
	};
	struct event_header event = {.kind = EVENT_WAIT, .size = sizeof(event)};
	struct buffer table = {0}, out = {0};
	struct layouts *layouts;
	uint64_t dropped = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++)
		add_row(&table, &repeated[i]);
	layouts = layouts_read(table.data, table.size);
	layouts_translate(layouts, &event, sizeof(event), &out, &dropped);
	assert_int_equal(dropped, 1);
	assert_int_equal(out.size, 0);
	layouts_free(layouts);
	buffer_release(&table);
	buffer_release(&out);
}

static void test_damaged_table(void **state)
{
	_cleanup_free_ char *path = maker_path("layout-damaged");
	struct recording *recording;
	struct buffer file = {0};

	(void)state;
	make_file(&file, 1);
	file.data[200] ^= 1;
	maker_write_file(path, file.data, file.size);
	assert_int_equal(recording_open(&recording, path), -EBADMSG);
	assert_non_null(strstr(fail_text(), "its event table is damaged"));
	fail_clear();

	/* this version needs no table to read its own */
	buffer_clear(&file);
	make_file(&file, layouts_hash());
	file.data[200] ^= 1;
	maker_write_file(path, file.data, file.size);
	assert_int_equal(recording_open(&recording, path), 0);
	recording_close(recording);
	unlink(path);
	buffer_release(&file);
}

/* Forged tables and events: what comes out is sound, which maker_read_all checks. */
static void test_forged_table(void **state)
{
	_cleanup_free_ char *path = maker_path("layout-forged");
	struct buffer file = {0}, forged = {0}, events = {0};
	uint64_t seed = 3, damaged;

	(void)state;
	make_file(&file, 1);
	for (unsigned int i = 0; i < 3000; i++) {
		struct recording *recording;

		buffer_clear(&forged);
		buffer_clear(&events);
		buffer_add(&forged, file.data, file.size);
		for (uint64_t n = 1 + maker_random(&seed) % 8; n > 0; n--)
			forged.data[64 + maker_random(&seed) % (forged.size - 64)] ^=
				(char)(1 << maker_random(&seed) % 8);
		recording_mend_hashes(forged.data, forged.size);
		maker_write_file(path, forged.data, forged.size);
		if (recording_open(&recording, path)) {
			fail_clear();
			continue;
		}
		maker_read_all(recording, MAKER_ALL_STREAMS, &events, &damaged);
		recording_close(recording);
	}
	unlink(path);
	buffer_release(&file);
	buffer_release(&forged);
	buffer_release(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translation),   cmocka_unit_test(test_same_layout),
		cmocka_unit_test(test_repeated_kind), cmocka_unit_test(test_damaged_table),
		cmocka_unit_test(test_forged_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
