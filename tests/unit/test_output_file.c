/* SPDX-License-Identifier: BSD-2-Clause */
/* files that appear when they are whole */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "cmd/output_file.h"

struct folder {
	char path[64];
	char file[96]; /* in it */
};

static struct folder folder_new(void)
{
	struct folder folder = {.path = "/tmp/dashcam-test-output-XXXXXX"};

	assert_non_null(mkdtemp(folder.path));
	snprintf(folder.file, sizeof(folder.file), "%s/out", folder.path);
	return folder;
}

/* Names in the folder, but for . and .. */
static unsigned int folder_entries(const struct folder *folder)
{
	DIR *directory = opendir(folder->path);
	unsigned int count = 0;

	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void folder_remove(const struct folder *folder)
{
	unlink(folder->file);
	assert_int_equal(rmdir(folder->path), 0); /* nothing else is left in it */
}

static void expect_content(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static int write_text(const char *path, const char *text, int result)
{
	struct output_file file;
	int err = output_file_begin(&file, path);

	assert_int_equal(err, 0);
	fputs(text, file.stream);
	return output_file_end(&file, result);
}

static void test_appears_when_whole(void **state)
{
	struct folder folder = folder_new();
	struct output_file file;
	struct stat status;

	(void)state;
	assert_int_equal(output_file_begin(&file, folder.file), 0);
	fputs("new", file.stream);
	fflush(file.stream);
	assert_int_equal(access(folder.file, F_OK), -1);
	assert_int_equal(output_file_end(&file, 0), 0);
	expect_content(folder.file, "new");
	assert_int_equal(stat(folder.file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(folder_entries(&folder), 1);
	folder_remove(&folder);
}

/* What was there stays when writing fails, and goes when it works. */
static void test_replaces_only_when_whole(void **state)
{
	struct folder folder = folder_new();

	(void)state;
	assert_int_equal(write_text(folder.file, "old", 0), 0);
	assert_int_equal(write_text(folder.file, "half", fail(-EBADMSG, "damaged")), -EBADMSG);
	assert_string_equal(fail_text(), "damaged");
	fail_clear();
	expect_content(folder.file, "old");
	assert_int_equal(folder_entries(&folder), 1);
	assert_int_equal(write_text(folder.file, "new", 0), 0);
	expect_content(folder.file, "new");
	folder_remove(&folder);
}

static void test_full_disk(void **state)
{
	(void)state;
	assert_int_equal(write_text("/dev/full", "text", 0), -ENOSPC);
	assert_string_equal(fail_text(), "writing /dev/full: No space left on device");
	fail_clear();
}

static void test_no_folder(void **state)
{
	struct output_file file;

	(void)state;
	assert_int_equal(output_file_begin(&file, "/nonexistent/out"), -ENOENT);
	assert_string_equal(fail_text(), "creating /nonexistent/out: No such file or directory");
	fail_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appears_when_whole),
		cmocka_unit_test(test_replaces_only_when_whole),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
