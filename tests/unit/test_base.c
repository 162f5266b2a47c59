/* SPDX-License-Identifier: BSD-2-Clause */
/* units, errors, memory, hash */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/units.h"

/* ---- units ---- */

static void test_times_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{"0", 0},
		{"80ns", 80},
		{"500us", 500000},
		{"10ms", 10000000},
		{"2s", 2000000000},
		{"2", 2000000000},
		{"0.5", 500000000},
		{".5ms", 500000},
		{"3m", 180000000000},
		{"3min", 180000000000},
		{"1.5h", 5400000000000},
		{"10 MS", 10000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = 77;

		assert_int_equal(parse_time_ns(cases[i].text, &ns), 0);
		if (ns != cases[i].ns)
			print_error("'%s' was read wrongly\n", cases[i].text);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void test_what_is_no_time_is_refused(void **state)
{
	static const char *const cases[] = {"",    "ms",   "-1s", "1x",   "1 s s", "0x10",
					    "nan", "1p3s", "inf", "5ms,", "1e300"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = 77;

		fail_clear();
		if (parse_time_ns(cases[i], &ns) >= 0)
			print_error("'%s' was taken for a time\n", cases[i]);
		assert_int_equal(ns, 77);
		assert_non_null(strstr(fail_text(), "a time is written such as 10ms or 2s"));
	}
	fail_clear();
}

static void test_sizes_and_numbers_are_read(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(parse_size_bytes("4096", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(parse_size_bytes("64k", &value), 0);
	assert_int_equal(value, 65536);
	assert_int_equal(parse_size_bytes("16MiB", &value), 0);
	assert_int_equal(value, 16 << 20);
	assert_int_equal(parse_size_bytes("1.5G", &value), 0);
	assert_int_equal(value, 3 << 29);
	assert_int_equal(parse_size_bytes("16T", &value), -EINVAL);

	assert_int_equal(parse_number("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(parse_number("18446744073709551616", 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(parse_number("-1", 0, 10, &value), -EINVAL);
	assert_int_equal(parse_number(" 1", 0, 10, &value), -EINVAL);
	assert_int_equal(parse_number("1a", 0, 10, &value), -EINVAL);
	assert_int_equal(parse_number("11", 0, 10, &value), -ERANGE);
	assert_int_equal(value, UINT64_MAX);
	fail_clear();
}

static void test_numbers_are_printed_with_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} times[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1.00 us"},
		{9994, "9.99 us"},
		{9996, "10.0 us"},
		{999499, "999 us"},
		{999500, "1.00 ms"},
		{1234567, "1.23 ms"},
		{12000000000, "12.0 s"},
		{599000000000, "599 s"},
		{600000000000, "10.0 min"},
		{5900000000000, "98.3 min"},
		{7500000000000, "2.08 h"},
		{3600000000000000, "1000 h"},
	};
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{0, "0 B"},          {999, "999 B"},
		{1000, "1.00 kB"},   {12345678, "12.3 MB"},
		{999600, "1.00 MB"}, {UINT64_MAX, "18.4 EB"},
	};
	char text[UNITS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		assert_string_equal(format_ns(text, times[i].ns), times[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_string_equal(format_bytes(text, sizes[i].bytes), sizes[i].text);
	assert_string_equal(format_count(text, 0), "0");
	assert_string_equal(format_count(text, 999), "999");
	assert_string_equal(format_count(text, 12345678), "12,345,678");
	assert_string_equal(format_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
}

/* ---- errors ---- */

static void test_a_sentence_is_built_on_the_way_up(void **state)
{
	(void)state;
	fail_clear();
	assert_string_equal(fail_text(), "");
	assert_int_equal(fail(-EBADMSG, "the header is %d bytes, expected %d", 3, 64), -EBADMSG);
	assert_int_equal(fail(-EBADMSG, "opening %s", "x.dcam"), -EBADMSG);
	assert_string_equal(fail_text(), "opening x.dcam: the header is 3 bytes, expected 64");

	assert_int_equal(fail_errno(-ENOENT, "opening %s", "y"), -ENOENT);
	assert_string_equal(fail_text(), "opening y: No such file or directory");
	fail_clear();
	assert_string_equal(fail_text(), "");
}

static void test_a_long_sentence_is_cut_at_its_end(void **state)
{
	char name[3000];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fail_clear();
	fail(-EINVAL, "%s", name);
	fail(-EINVAL, "first %s", name);
	assert_memory_equal(fail_text(), "first aaa", 9);
	assert_in_range(strlen(fail_text()), 500, sizeof(name) - 1);
	fail_clear();
}

static char warned[64];

static void keep_warning(const char *text)
{
	strncpy(warned, text, sizeof(warned) - 1);
}

static void test_warnings_are_counted_and_handed_on(void **state)
{
	unsigned int before = warn_count();

	(void)state;
	warn("nobody listens");
	warn_set_handler(keep_warning);
	warn("lost %d events", 7);
	warn_set_handler(NULL);
	assert_string_equal(warned, "lost 7 events");
	assert_int_equal(warn_count(), before + 2);
}

/* ---- memory ---- */

static void test_arrays_grow_and_keep_their_items(void **state)
{
	uint32_t *items = NULL;
	size_t capacity = 0;
	unsigned int moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		size_t before = capacity;

		array_reserve((void **)&items, &capacity, i + 1, sizeof(*items));
		assert_true(capacity >= i + 1);
		moves += capacity != before;
		items[i] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(items[i], i);
	assert_true(moves < 40);
	free(items);
}

static void test_an_arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena arena = {0};
	char *first = arena_strdup(&arena, "first");
	char *copy = arena_copy(&arena, "\1\2\3", 3);

	(void)state;
	for (size_t size = 1; size < 300000; size = size * 3 + 1) {
		unsigned char *at = arena_alloc(&arena, size);

		assert_int_equal((uintptr_t)at % 8, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(at[i], 0);
		memset(at, 0xff, size);
	}
	assert_string_equal(first, "first");
	assert_memory_equal(copy, "\1\2\3", 3);
	assert_true(arena.used_bytes > 300);
	arena_release(&arena);
	arena_release(&arena);
}

static void test_a_buffer_always_ends_in_nul(void **state)
{
	struct buffer buffer = {0};
	char *part;

	(void)state;
	buffer_add(&buffer, "abc", 3);
	assert_string_equal(buffer.data, "abc");
	buffer_printf(&buffer, "-%d", 42);
	assert_string_equal(buffer.data, "abc-42");
	assert_int_equal(buffer.size, 6);
	part = buffer_extend(&buffer, 2);
	memcpy(part, "xy", 2);
	assert_string_equal(buffer.data, "abc-42xy");
	buffer_printf(&buffer, "%5000d", 1);
	assert_int_equal(strlen(buffer.data), 8 + 5000);
	buffer_clear(&buffer);
	assert_string_equal(buffer.data, "");
	buffer_release(&buffer);
	assert_null(buffer.data);
}

/* ---- hash ---- */

static void test_hashes_tell_texts_apart(void **state)
{
	uint8_t bytes[17] = {0};
	uint64_t hashes[2 * sizeof(bytes)];
	size_t count = 0;

	(void)state;
	assert_int_equal(hash_text("abc"), hash_bytes("abc", 3));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		hashes[count++] = hash_bytes(bytes, i); /* zeros: only the length differs */
		bytes[i] = 1;
		hashes[count++] = hash_bytes(bytes, sizeof(bytes));
		bytes[i] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++)
			assert_int_not_equal(hashes[i], hashes[k]);
	}
}

/* The table agrees with a plain array, whatever is put, changed and removed. */
static void test_a_map_remembers_what_was_put(void **state)
{
	enum {
		KEYS = 512,
		STEPS = 20000
	};
	struct map64 map = {0};
	uint64_t values[KEYS] = {0}; /* 0: not in the map */
	uint64_t random = 1;
	size_t count = 0, seen = 0, at = 0;
	uint64_t key, value;

	(void)state;
	assert_null(map64_get(&map, 5));
	assert_false(map64_remove(&map, 5));
	for (uint64_t i = 1; i <= STEPS; i++) {
		random = hash_mix(random + i);
		key = random % KEYS;
		if (random >> 62) {
			assert_int_equal(*map64_put(&map, key << 32, i), i);
			count += !values[key];
			values[key] = i;
		} else {
			assert_int_equal(map64_remove(&map, key << 32), values[key] != 0);
			count -= values[key] != 0;
			values[key] = 0;
		}
		assert_int_equal(map.count, count);
	}
	for (key = 0; key < KEYS; key++) {
		const uint64_t *found = map64_get(&map, key << 32);

		assert_int_equal(found ? *found : 0, values[key]);
	}
	while (map64_next(&map, &at, &key, &value)) {
		assert_int_equal(values[key >> 32], value);
		seen++;
	}
	assert_int_equal(seen, count);
	assert_true(map.capacity <= 4 * KEYS);
	map64_release(&map);
	assert_null(map64_get(&map, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_read),
		cmocka_unit_test(test_what_is_no_time_is_refused),
		cmocka_unit_test(test_sizes_and_numbers_are_read),
		cmocka_unit_test(test_numbers_are_printed_with_three_digits),
		cmocka_unit_test(test_a_sentence_is_built_on_the_way_up),
		cmocka_unit_test(test_a_long_sentence_is_cut_at_its_end),
		cmocka_unit_test(test_warnings_are_counted_and_handed_on),
		cmocka_unit_test(test_arrays_grow_and_keep_their_items),
		cmocka_unit_test(test_an_arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(test_a_buffer_always_ends_in_nul),
		cmocka_unit_test(test_hashes_tell_texts_apart),
		cmocka_unit_test(test_a_map_remembers_what_was_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
