/* SPDX-License-Identifier: BSD-2-Clause */
/* The event table describes every byte of every struct, and soundness is what it says. */
#include "unit/unit.h"

#include <string.h>

#include "event/schema.h"

/* Kinds whose struct ends in a flexible array. */
static bool has_tail(const struct event_schema *schema)
{
	return schema->field_count && schema->fields[schema->field_count - 1].size == 0;
}

static void test_every_byte_is_described_once(void **state)
{
	(void)state;
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);
		size_t end = sizeof(struct event_header);

		assert_non_null(schema);
		for (unsigned int i = 0; i < schema->field_count; i++) {
			const struct event_field *field = &schema->fields[i];

			if (field->offset != end)
				print_error("%s: gap or overlap before %s\n", schema->name,
					    field->name);
			assert_int_equal(field->offset, end);
			assert_true(field->count > 0);
			assert_true(field->size || i + 1 == schema->field_count);
			end += (size_t)field->size * field->count;
		}
		if (end != schema->fixed_size)
			print_error("%s: %zu bytes described of %u\n", schema->name, end,
				    schema->fixed_size);
		assert_int_equal(end, schema->fixed_size);
		assert_int_equal(schema->fixed_size % 8, 0);
	}
}

static void test_table_is_well_formed(void **state)
{
	(void)state;
	assert_null(event_schema(EVENT_NONE));
	assert_null(event_schema(EVENT_KIND_LIMIT));
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		assert_true(*schema->says != '\0');
		for (unsigned int i = 0; i < schema->field_count; i++) {
			const struct event_field *field = &schema->fields[i];

			/* padding has a name and no help; everything else has both; names are
			 * single */
			assert_int_equal(field->meaning == MEANING_RESERVED, !*field->help);
			assert_ptr_equal(event_field_find(kind, field->name), field);
			assert_true(field->size <= 8);
		}
		assert_null(event_field_find(kind, "no such field"));
	}
}

/* Numbers are on disk: this list is written by hand and only ever grows. */
static void test_numbers_never_change(void **state)
{
	static const char *const names[] = {
		NULL,
		"switch",
		"waking",
		"resume",
		"wait",
		"sample",
		"stack",
		"raw_kernel_stack",
		"raw_user_stack",
		"raw_user_frames",
		"file",
		"socket",
		"fork",
		"exec",
		"exit",
		"rename",
		"thread",
		"mapping",
		"module",
		"frame",
		"meta",
		"hook",
		"clock",
		"loss",
		"kind_info",
		"field_info",
		"signal",
		"irq",
		"disk",
		"reclaim",
		"tcp_state",
		"retransmit",
		"span_name",
		"span",
		"cgroup",
		"steal",
	};

	(void)state;
	assert_true(EVENT_KIND_LIMIT >= sizeof(names) / sizeof(names[0]));
	for (unsigned int kind = 1; kind < sizeof(names) / sizeof(names[0]); kind++)
		assert_string_equal(event_schema(kind)->name, names[kind]);
	assert_int_equal(sizeof(struct event_switch), 32);
	assert_int_equal(sizeof(struct event_waking), 32);
	assert_int_equal(sizeof(struct event_resume), 32);
}

union space {
	struct event_header header;
	char bytes[256];
};

static struct event_header *empty(union space *space, unsigned int kind, size_t size)
{
	memset(space, 0, sizeof(*space));
	space->header.kind = (uint16_t)kind;
	space->header.size = (uint16_t)size;
	return &space->header;
}

static size_t smallest_size(const struct event_schema *schema)
{
	const struct event_field *last = &schema->fields[schema->field_count - 1];
	bool has_text = has_tail(schema) &&
			(last->meaning == MEANING_TEXT || last->meaning == MEANING_TEXTS);

	return schema->fixed_size + (has_text ? 8u : 0u);
}

static void test_smallest_sound_event_of_each_kind(void **state)
{
	union space space;

	(void)state;
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);
		size_t size = smallest_size(schema);
		struct event_header *event = empty(&space, kind, size);

		assert_true(event_is_sound(event, size));
		assert_true(event_is_sound(event, size + 8));
		assert_false(event_is_sound(event, size - 8));
		event->size = (uint16_t)(size - 8);
		assert_false(event_is_sound(event, size));
		event->size = (uint16_t)(size + 4);
		assert_false(event_is_sound(event, size + 8));
		event->size = 0;
		assert_false(event_is_sound(event, size));
	}
	assert_false(event_is_sound(empty(&space, EVENT_NONE, 32), 32));
	assert_false(event_is_sound(empty(&space, EVENT_KIND_LIMIT, 32), 32));
	assert_false(event_is_sound(empty(&space, EVENT_SWITCH, 32), 15));
	assert_false(event_is_sound(empty(&space, EVENT_SWITCH, 32), 0));
}

static void test_tails_must_be_whole(void **state)
{
	union space space;
	struct event_header *event;

	(void)state;
	/* a text needs its NUL, two texts need two */
	event = empty(&space, EVENT_FILE, sizeof(struct event_file) + 8);
	memset(((struct event_file *)event)->path, 'x', 8);
	assert_false(event_is_sound(event, event->size));
	((struct event_file *)event)->path[7] = '\0';
	assert_true(event_is_sound(event, event->size));

	event = empty(&space, EVENT_META, sizeof(struct event_meta) + 8);
	memcpy(((struct event_meta *)event)->text, "name\0val", 8);
	assert_false(event_is_sound(event, event->size));
	memcpy(((struct event_meta *)event)->text, "name\0va", 8);
	assert_true(event_is_sound(event, event->size));

	/* as many frames as it says, and not one more */
	event = empty(&space, EVENT_STACK, sizeof(struct event_stack) + 16);
	((struct event_stack *)event)->frame_count = 2;
	assert_true(event_is_sound(event, event->size));
	((struct event_stack *)event)->frame_count = 3;
	assert_false(event_is_sound(event, event->size));

	event = empty(&space, EVENT_RAW_KERNEL_STACK, sizeof(struct event_raw_kernel_stack) + 8);
	((struct event_raw_kernel_stack *)event)->frame_count = 0x20000001;
	assert_false(event_is_sound(event, event->size));

	event = empty(&space, EVENT_RAW_USER_FRAMES, sizeof(struct event_raw_user_frames) + 8);
	((struct event_raw_user_frames *)event)->frame_count = 2;
	assert_false(event_is_sound(event, event->size));

	event = empty(&space, EVENT_RAW_USER_STACK, sizeof(struct event_raw_user_stack) + 8);
	((struct event_raw_user_stack *)event)->copy_bytes = 9;
	assert_false(event_is_sound(event, event->size));

	event = empty(&space, EVENT_MODULE, sizeof(struct event_module) + 8);
	((struct event_module *)event)->build_id_size = EVENT_BUILD_ID_MAX + 1;
	assert_false(event_is_sound(event, event->size));
}

static void test_values(void **state)
{
	struct event_wait wait = {.syscall = EVENT_NO_SYSCALL,
				  .tid = 0xffffffff,
				  .args = {1, 2, 3, 4, 5, UINT64_MAX},
				  .descriptor = -7};
	const struct event_header *event = &wait.header;

	(void)state;
	assert_int_equal(event_field_value(event, event_field_find(EVENT_WAIT, "syscall"), 0), -1);
	assert_int_equal(event_field_value(event, event_field_find(EVENT_WAIT, "descriptor"), 0),
			 -7);
	assert_int_equal(event_field_value(event, event_field_find(EVENT_WAIT, "tid"), 0),
			 0xffffffff);
	assert_int_equal(event_field_value(event, event_field_find(EVENT_WAIT, "args"), 3), 4);
	assert_int_equal(event_field_value(event, event_field_find(EVENT_WAIT, "args"), 5), -1);
}

static void test_texts(void **state)
{
	union space space;
	struct event_meta *meta =
		(struct event_meta *)empty(&space, EVENT_META, sizeof(struct event_meta) + 16);

	(void)state;
	memcpy(meta->text, "name\0value\0three", 16);
	assert_string_equal(event_tail_text(&meta->header, meta->text, 0), "name");
	assert_string_equal(event_tail_text(&meta->header, meta->text, 1), "value");
	assert_string_equal(event_tail_text(&meta->header, meta->text, 5), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_is_described_once),
		cmocka_unit_test(test_table_is_well_formed),
		cmocka_unit_test(test_numbers_never_change),
		cmocka_unit_test(test_smallest_sound_event_of_each_kind),
		cmocka_unit_test(test_tails_must_be_whole),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
