/* SPDX-License-Identifier: BSD-2-Clause */
/* values of calls: what the kernel side is told to read, and how what it read is written down */
#include "unit/unit.h"

#include <string.h>

#include "base/memory.h"
#include "capture/function_value.h"
#include "event/schema.h"

static void parse(const char *text, struct function_values *values)
{
	struct function_pattern pattern;

	assert_int_equal(function_pattern_parse(text, false, &pattern), 0);
	*values = pattern.values;
	function_pattern_release(&pattern);
}

static void test_sources(void **state)
{
	struct function_values values;
	struct value_sources sources;

	(void)state;
	parse("f(arg2:str, arg7:i16, arg1:bytes[5]) ret:str", &values);
	function_value_sources(&values, &sources);
	assert_int_equal(sources.argument_count, 3);
	assert_int_equal(sources.has_result, 1);
	assert_int_equal(sources.sources[0].position, 2);
	assert_int_equal(sources.sources[0].read_bytes, EVENT_VALUE_BYTES_MAX);
	assert_int_equal(sources.sources[0].is_text, 1);
	assert_int_equal(sources.sources[1].position, 7);
	assert_int_equal(sources.sources[1].read_bytes, 0);
	assert_int_equal(sources.sources[2].read_bytes, 5);
	assert_int_equal(sources.sources[2].is_text, 0);
	/* the result is the last */
	assert_int_equal(sources.sources[3].position, 0);
	assert_int_equal(sources.sources[3].is_text, 1);

	parse("f(arg1:int)", &values);
	function_value_sources(&values, &sources);
	assert_int_equal(sources.argument_count, 1);
	assert_int_equal(sources.has_result, 0);
}

/* A raw event with WORDS and one text or none. */
static struct event_raw_call_value *make(uint32_t flags, const uint64_t *words, size_t count,
					 const char *bytes, int32_t size)
{
	size_t texts = bytes || size;
	struct event_raw_call_value *raw =
		xcalloc(1, sizeof(*raw) + texts * sizeof(struct event_value_text));

	raw->header = (struct event_header){
		.kind = EVENT_RAW_CALL_VALUE,
		.size = (uint16_t)(sizeof(*raw) + texts * sizeof(struct event_value_text)),
		.time_ns = 20};
	raw->tid = 7;
	raw->name = 3;
	raw->start_ns = 10;
	raw->flags = flags;
	raw->text_count = (uint32_t)texts;
	memcpy(raw->words, words, count * sizeof(*words));
	if (texts)
		raw->texts[0].size = size;
	if (bytes)
		memcpy(raw->texts[0].bytes, bytes, (size_t)size);
	return raw;
}

static void test_texts(void **state)
{
	char long_text[EVENT_VALUE_BYTES_MAX + 1];
	const struct {
		const char *values;
		uint32_t flags;
		uint64_t words[3];
		const char *bytes;
		int32_t size;
		const char *text;
	} cases[] = {
		{"f(arg1:int, arg2:u8, arg3:i64)",
		 0,
		 {0xdead00000000ffff, 0x1ff, UINT64_MAX},
		 NULL,
		 0,
		 "arg1=65535, arg2=255, arg3=-1"},
		{"f(arg1:int, arg2:i8)", 0, {0xffffffff, 0x80}, NULL, 0, "arg1=-1, arg2=-128"},
		{"f(arg1:ptr, arg2:ptr)", 0, {0, 0x1000}, NULL, 0, "arg1=NULL, arg2=0x1000"},
		{"f(arg1:int, arg2:str)",
		 0,
		 {1, 0x1000},
		 "a\"b\\\n\x1b\xc3\xa9\xff\0",
		 10,
		 "arg1=1, arg2=\"a\\\"b\\\\\\n\\x1b\xc3\xa9\\xff\""},
		{"f(arg1:str)", 0, {0x1000}, "", 1, "arg1=\"\""},
		{"f(arg1:str)", 0, {0x1000}, NULL, -14, "arg1=0x1000"},
		{"f(arg1:str)", 0, {0}, NULL, -14, "arg1=NULL"},
		{"f(arg1:bytes[3])", 0, {0x1000}, "\0a\xc3", 3, "arg1=\"\\x00a\\xc3\""},
		{"f(arg1:int) ret:str", EVENT_VALUE_RESULT, {0x1000}, "ok", 3, "\"ok\""},
		{"f(arg1:str) ret:int", EVENT_VALUE_RESULT, {0xffffffff}, NULL, 0, "-1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function_values values;
		_cleanup_free_ struct event_raw_call_value *raw =
			make(cases[i].flags, cases[i].words, 3, cases[i].bytes, cases[i].size);
		_cleanup_free_ struct event_call_value *event = NULL;

		parse(cases[i].values, &values);
		assert_true(event_is_sound(&raw->header, raw->header.size));
		event = function_value_event(&values, raw);
		assert_true(event_is_sound(&event->header, event->header.size));
		assert_string_equal(event->text, cases[i].text);
		assert_string_equal(event_tail_text(&event->header, event->text, 1), "");
		assert_int_equal(event->header.time_ns, 20);
		assert_int_equal(event->start_ns, 10);
		assert_int_equal(event->tid, 7);
		assert_int_equal(event->name, 3);
		assert_int_equal(event->flags, cases[i].flags);
	}
	memset(long_text, 'x', sizeof(long_text));
	{
		struct function_values values;
		const uint64_t word = 0x1000;
		_cleanup_free_ struct event_raw_call_value *raw =
			make(0, &word, 1, long_text, sizeof(long_text));
		_cleanup_free_ struct event_call_value *event = NULL;

		parse("f(arg1:str)", &values);
		event = function_value_event(&values, raw);
		assert_int_equal(event->flags, EVENT_VALUE_CUT);
		assert_int_equal(strlen(event->text),
				 strlen("arg1=\"\"...") + EVENT_VALUE_BYTES_MAX);
	}
}

/* Older kernels say so of an empty text. */
static void test_nothing_was_read(void **state)
{
	const uint64_t word = 0x1000;
	struct function_values values;
	_cleanup_free_ struct event_raw_call_value *raw = make(0, &word, 1, "", 1);
	_cleanup_free_ struct event_call_value *event = NULL;

	(void)state;
	raw->texts[0].size = 0;
	parse("f(arg1:str)", &values);
	event = function_value_event(&values, raw);
	assert_string_equal(event->text, "arg1=\"\"");
}

/* All that can be asked for at once fits into an event. */
static void test_the_most(void **state)
{
	struct function_values values;
	_cleanup_free_ struct event_raw_call_value *raw = NULL;
	_cleanup_free_ struct event_call_value *event = NULL;

	(void)state;
	parse("f(arg1:str, arg2:str, arg3:str, arg4:str, arg5:str, arg6:str, arg7:str, arg8:str, "
	      "arg9:u64, arg10:u64, arg11:u64, arg12:u64)",
	      &values);
	raw = xcalloc(1, sizeof(*raw) + EVENT_VALUE_TEXTS_MAX * sizeof(struct event_value_text));
	raw->text_count = EVENT_VALUE_TEXTS_MAX;
	memset(raw->words, 0xff, sizeof(raw->words));
	for (size_t i = 0; i < EVENT_VALUE_TEXTS_MAX; i++) {
		raw->texts[i].size = EVENT_VALUE_BYTES_MAX + 1;
		memset(raw->texts[i].bytes, 0xff, sizeof(raw->texts[i].bytes));
	}
	event = function_value_event(&values, raw);
	assert_true(event_is_sound(&event->header, event->header.size));
	assert_non_null(strstr(event->text, "arg8=0xffffffffffffffff, arg9=18446744073709551615"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_nothing_was_read),
		cmocka_unit_test(test_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
