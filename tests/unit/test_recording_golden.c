/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/golden/v1.dcam, a recording of format version 1, stays readable for ever: each field that
 *was written into it is still given back. v1.expected says what: a line an event, as a cursor gives
 *them, and each field as the hexadecimal bytes it had. Fields added since may stand between; they
 *are not looked at.
 *
 *	build/tests/test_recording_golden --make FILE      writes such a recording
 *	build/tests/test_recording_golden --expect FILE    prints what is in one
 *
 * Both were done once for version 1 and are never done again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "event/schema.h"
#include "support/recording_maker.h"
#include "unit.h"

#define GOLDEN   "tests/golden/v1.dcam"
#define EXPECTED "tests/golden/v1.expected"

static bool is_table(unsigned int kind)
{
	return (kind >= EVENT_STACK && kind <= EVENT_SOCKET) ||
	       (kind >= EVENT_THREAD && kind <= EVENT_HOOK);
}

static void add(struct recording_writer *writer, enum recording_stream stream, uint16_t cpu,
		struct buffer *events)
{
	if (recording_write(writer, stream, cpu, events->data, events->size))
		fprintf(stderr, "%s\n", fail_text());
	buffer_release(events);
}

/* Every kind that version 1 knew, and enough of the switch log for columns. */
static int make_golden(const char *path)
{
	struct buffer switches = {0}, evidence = {0}, tables = {0};
	struct recording_writer *writer;

	if (recording_create(&writer, path)) {
		fprintf(stderr, "%s\n", fail_text());
		return 1;
	}
	maker_add_pipe(&switches, 0, 5000000, 30, 1);
	maker_add_event(&switches, EVENT_RESUME, 6000000, 2);
	for (unsigned int kind = EVENT_WAIT; kind < EVENT_KIND_INFO; kind++)
		maker_add_event(is_table(kind) ? &tables : &evidence, kind, 7000000 + kind, kind);
	add(writer, STREAM_TABLE, 0, &tables);
	add(writer, STREAM_SWITCH, 0, &switches);
	add(writer, STREAM_EVIDENCE, 1, &evidence);
	return recording_finish(writer) ? 1 : 0;
}

/* " name=0123abcd": the bytes of a field or tail. */
static void describe_field(const struct event_header *event, const struct event_field *field,
			   struct buffer *text)
{
	const unsigned char *at = (const unsigned char *)event + field->offset;
	size_t size = (size_t)field->size * field->count;

	if (field->size == 0)
		size = (size_t)event->size - field->offset;
	buffer_printf(text, " %s=", field->name);
	for (size_t i = 0; i < size; i++)
		buffer_printf(text, "%02x", at[i]);
}

/* All events of a recording but for its event table; DO_EVENT for each. */
static int for_all(const char *path, int (*do_event)(const struct event_header *event, FILE *file),
		   FILE *file)
{
	struct recording_range range = {.streams = MAKER_ALL_STREAMS, .to_ns = UINT64_MAX};
	const struct event_header *event;
	struct recording_cursor *cursor = NULL;
	struct recording *recording;
	int bad;

	if (recording_open(&recording, path))
		return -1;
	bad = recording_info(recording)->is_torn || recording_info(recording)->unknown_events ||
	      recording_cursor_new(&cursor, recording, &range);
	while (!bad && recording_cursor_next(cursor, &event) == 1) {
		if (event->kind != EVENT_KIND_INFO && event->kind != EVENT_FIELD_INFO)
			bad = do_event(event, file);
	}
	bad |= cursor && recording_cursor_damaged(cursor);
	recording_cursor_free(cursor);
	recording_close(recording);
	return bad;
}

static int print_event(const struct event_header *event, FILE *file)
{
	const struct event_schema *schema = event_schema(event->kind);
	struct buffer text = {0};

	buffer_printf(&text, "%s %" PRIu64, schema->name, (uint64_t)event->time_ns);
	for (unsigned int i = 0; i < schema->field_count; i++)
		describe_field(event, &schema->fields[i], &text);
	fprintf(file, "%s\n", text.data);
	buffer_release(&text);
	return 0;
}

/* The next line of the file names the kind and time of EVENT, then fields that it must have. */
static int compare_event(const struct event_header *event, FILE *file)
{
	char line[4096], head[64];
	char *rest = NULL;

	assert_non_null(fgets(line, sizeof(line), file));
	line[strcspn(line, "\n")] = '\0';
	snprintf(head, sizeof(head), "%s %" PRIu64, event_schema(event->kind)->name,
		 (uint64_t)event->time_ns);
	assert_memory_equal(line, head, strlen(head));
	if (event->kind == EVENT_SWITCH)
		assert_int_equal(((const struct event_switch *)event)->prev_syscall,
				 EVENT_NO_SYSCALL);
	for (char *word = strtok_r(line + strlen(head), " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		_cleanup_free_ char *name = strndup(word, strcspn(word, "="));
		const struct event_field *field = event_field_find(event->kind, name);
		struct buffer text = {0};

		/* padding says nothing; a field may have taken its place */
		if (!field && !strcmp(name, "reserved"))
			continue;
		assert_non_null(field);
		describe_field(event, field, &text);
		assert_string_equal(text.data + 1, word);
		buffer_release(&text);
	}
	return 0;
}

static void test_golden(void **state)
{
	FILE *file = fopen(EXPECTED, "re");

	(void)state;
	assert_non_null(file);
	assert_int_equal(for_all(GOLDEN, compare_event, file), 0);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

/* The hash is part of the format: if it changed, all old recordings would look damaged. */
static void test_hash(void **state)
{
	(void)state;
	assert_true(hash_bytes("", 0) == 0xf52a15e9a9b5e89bULL);
	assert_true(hash_bytes("dashcam recording", 17) == 0x3733ee8e21dbedb1ULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_hash),
	};

	if (argc == 3 && !strcmp(argv[1], "--make"))
		return make_golden(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--expect"))
		return for_all(argv[2], print_event, stdout) ? 1 : 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
