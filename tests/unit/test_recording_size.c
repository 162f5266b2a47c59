/* SPDX-License-Identifier: BSD-2-Clause */
/* What a switch takes on disk; how fast it is written and read is printed, not judged. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"
#include "support/recording_maker.h"
#include "unit.h"

#define PAIRS 500000

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Two threads that take turns on one CPU, 2 us apart with a deviation of 0.2 us: of their times
 * alone about 9.7 bits are new in each event, so 2.4 bytes a pair is the least any format could do.
 */
static void test_bytes_of_a_pair(void **state)
{
	_cleanup_free_ char *path = maker_path("size");
	struct recording_writer *writer;
	struct recording *recording;
	struct recording_range range = {.streams = STREAM_BIT(STREAM_SWITCH), .to_ns = UINT64_MAX};
	struct recording_cursor *cursor;
	const struct event_header *event;
	struct buffer events = {0};
	double begin, bytes;
	uint64_t count = 0;

	(void)state;
	maker_add_pipe(&events, 0, 1000000000, PAIRS, 1);
	begin = seconds();
	assert_int_equal(recording_create(&writer, path), 0);
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, events.data, events.size), 0);
	assert_int_equal(recording_finish(writer), 0);
	print_message("written: %.1f million events a second\n",
		      2 * PAIRS / (seconds() - begin) / 1e6);

	begin = seconds();
	assert_int_equal(recording_open(&recording, path), 0);
	assert_int_equal(recording_cursor_new(&cursor, recording, &range), 0);
	while (recording_cursor_next(cursor, &event) == 1)
		count++;
	print_message("read: %.1f million events a second\n",
		      2 * PAIRS / (seconds() - begin) / 1e6);
	assert_int_equal(count, 2 * PAIRS);

	bytes = (double)recording_info(recording)->file_bytes / PAIRS;
	print_message("%.3f bytes for a switch and its waking\n", bytes);
	assert_true(bytes < 3);
	recording_cursor_free(cursor);
	recording_close(recording);
	unlink(path);
	buffer_release(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes_of_a_pair)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
