/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording is when the disk is full: whole up to there, with an index that says why it
 * ends. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "recording/format.h"
#include "support/recording_maker.h"
#include "unit.h"

/* Writes small chunks, so that the index is larger than a page, until that fails; returns the
 * error. */
static int write_until_full(struct recording_writer *writer, struct buffer *events)
{
	int err = 0;

	for (uint64_t i = 0; !err && i < 1000; i++) {
		struct buffer more = {0};

		maker_add_pipe(&more, 0, 1000000 + i * 10000000, 1000, i);
		err = recording_write(writer, STREAM_SWITCH, 0, more.data, more.size);
		if (!err)
			err = recording_flush(writer);
		buffer_add(events, more.data, more.size);
		buffer_release(&more);
	}
	return err;
}

/* Bytes of the switch log's events that are in a file. */
static size_t readable_bytes(const char *path)
{
	struct buffer got = {0};
	struct recording *recording;
	uint64_t damaged;
	size_t bytes;

	assert_int_equal(recording_open(&recording, path), 0);
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	bytes = got.size;
	recording_close(recording);
	buffer_release(&got);
	return bytes;
}

/* The file has an index that says why it ends early, and events as written up to there. */
static void assert_ends_early(const char *path, const struct buffer *events, const char *says,
			      size_t at_least)
{
	struct buffer got = {0};
	struct recording *recording;
	uint64_t damaged;

	assert_int_equal(recording_open(&recording, path), 0);
	assert_false(recording_info(recording)->is_torn);
	assert_non_null(strstr(recording_info(recording)->damage, says));
	assert_int_equal(maker_read_all(recording, STREAM_BIT(STREAM_SWITCH), &got, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_true(got.size >= at_least && got.size < events->size);
	assert_memory_equal(got.data, events->data, got.size);
	recording_close(recording);
	buffer_release(&got);
}

/* Takes what room is left: only what was kept for the index remains. */
static void fill_disk(const char *directory)
{
	_cleanup_free_ char *path = xasprintf("%s/filler", directory);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char zeros[4096] = {0};

	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
}

/* In a mount namespace of its own: it goes with the test, however that ends. */
static void test_full_disk(void **state)
{
	_cleanup_free_ char *directory = maker_path("full");
	_cleanup_free_ char *path = xasprintf("%s/x.dcam", directory);
	struct recording_writer *writer;
	struct buffer events = {0};
	size_t whole;

	(void)state;
	assert_int_equal(mkdir(directory, 0700), 0);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", directory, "tmpfs", 0, "size=400k")) {
		print_message("skipped: a small tmpfs needs root\n");
		rmdir(directory);
		skip();
	}
	assert_int_equal(recording_create(&writer, path), 0);
	assert_int_equal(write_until_full(writer, &events), -ENOSPC);
	assert_non_null(strstr(fail_text(), "x.dcam: No space left on device"));
	fail_clear();
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, events.data, 32), -ENOSPC);
	assert_int_equal(recording_flush(writer), -ENOSPC);
	whole = readable_bytes(path);
	fill_disk(directory);
	assert_int_equal(recording_finish(writer), -ENOSPC);
	fail_clear();
	/* 400 kB at 2.7 bytes for 64 of events, but for what is kept for the index */
	assert_true(whole > (size_t)64 * 80000);
	assert_ends_early(path, &events, "ends early: it could not be written on (No space left",
			  whole);
	buffer_release(&events);
	assert_int_equal(umount(directory), 0);
	rmdir(directory);
}

/* Where nothing could be kept for the index, the last chunks make room. */
static void test_no_room_for_the_index(void **state)
{
	_cleanup_free_ char *path = maker_path("no-room");
	void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
	struct recording_writer *writer;
	struct rlimit old_limit, limit;
	struct buffer events = {0};

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
	assert_int_equal(recording_create(&writer, path), 0);
	maker_add_pipe(&events, 0, 1000000, 50000, 1);
	assert_int_equal(recording_write(writer, STREAM_SWITCH, 0, events.data, events.size), 0);
	assert_int_equal(recording_flush(writer), 0);
	limit = (struct rlimit){recording_written_bytes(writer) + 100, old_limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(recording_finish(writer), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
	fail_clear();
	assert_ends_early(path, &events, "ends early: it could not be written on (File too large",
			  events.size - 2 * FORMAT_CHUNK_TARGET);
	signal(SIGXFSZ, old_handler);
	unlink(path);
	buffer_release(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_room_for_the_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
