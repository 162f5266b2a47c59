/* SPDX-License-Identifier: BSD-2-Clause */
/* strlen and its like: which of their variants this machine has chosen; and what a command runs */
#include "unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/function_program.h"
#include "capture/function_variant.h"

/* A listing of the C library with the variant of strlen that is used here, without a symbol. */
static void test_a_variant_gets_its_name(void **state)
{
	void *strlen_here = dlsym(RTLD_DEFAULT, "strlen");
	struct resolver_listed items[] = {
		{.name = "strlen_ifunc",
		 .symbol = "strlen",
		 .aliases = "__strlen\0",
		 .address = 1,
		 .why = RESOLVER_WHY_CHOSEN},
		{.name = "fn_0x123",
		 .symbol = "fn_0x123",
		 .aliases = "",
		 .place = RESOLVER_PLACE_CHEAP},
		{.name = "other", .symbol = "other", .aliases = "", .place = RESOLVER_PLACE_CHEAP},
	};
	struct resolver_listing listing = {.items = items, .count = ARRAY_SIZE(items)};
	Dl_info info;

	(void)state;
	if (!strlen_here || !dladdr(strlen_here, &info) || !strstr(info.dli_fname, "libc"))
		skip();
	listing.path = (char *)info.dli_fname;
	items[1].address = (uintptr_t)strlen_here - (uintptr_t)info.dli_fbase;
	items[2].address = items[1].address + 0x1000;
	function_variant_name(&listing);
	assert_string_equal(items[1].name, "strlen");
	assert_string_equal(items[1].symbol, "fn_0x123");
	assert_string_equal(items[2].name, "other");

	/* another file: its choice is not known */
	items[1].name = "fn_0x123";
	listing.path = (char *)"/proc/self/exe";
	function_variant_name(&listing);
	assert_string_equal(items[1].name, "fn_0x123");
}

/* ---- programs ---- */

static char last_warning[512];

static void keep_warning(const char *text)
{
	strncpy(last_warning, text, sizeof(last_warning) - 1);
}

static void write_script(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static void test_what_a_command_runs(void **state)
{
	char directory[] = "/tmp/dashcam-test-XXXXXX";
	_cleanup_free_ char *script = NULL, *second = NULL, *line = NULL;
	_cleanup_free_ char *cat = realpath("/bin/cat", NULL), *shell = realpath("/bin/sh", NULL);
	static const char *const lines[] = {"#!/bin/cat\n", "#! /bin/cat -n\nx", "#!/bin/cat",
					    "#!/usr/bin/env cat\n",
					    "#!/usr/bin/env -S A=1 cat -n\n"};
	char *path;

	(void)state;
	assert_non_null(mkdtemp(directory));
	script = xasprintf("%s/script", directory);
	second = xasprintf("%s/second", directory);
	assert_int_equal(function_program_find("/bin/cat", &path), 0);
	assert_string_equal(path, cat);
	free(path);
	assert_int_equal(function_program_find("cat", &path), 0);
	assert_true(strstr(path, "/cat"));
	free(path);
	warn_set_handler(keep_warning);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		last_warning[0] = '\0';
		write_script(script, lines[i]);
		assert_int_equal(function_program_find(script, &path), 0);
		assert_string_equal(path, cat);
		assert_non_null(strstr(last_warning, "is a script: functions are traced of what "
						     "runs it"));
		free(path);
	}
	/* a script that a script runs; one that says nothing is a shell's */
	write_script(script, "echo 1\n");
	line = xasprintf("#!%s\n", script);
	write_script(second, line);
	assert_int_equal(function_program_find(second, &path), 0);
	assert_string_equal(path, shell);
	free(path);
	warn_set_handler(NULL);
	unlink(second);
	unlink(script);
	rmdir(directory);
}

static void test_no_such_program(void **state)
{
	char *path;

	(void)state;
	fail_clear();
	assert_int_equal(function_program_find("no-such-program", &path), -ENOENT);
	assert_string_equal(fail_text(), "there is no program no-such-program in PATH");
	fail_clear();
	assert_int_equal(function_program_find("/no/such", &path), -ENOENT);
	fail_clear();
	assert_int_equal(function_program_find("/etc/passwd", &path), -EACCES);
	assert_string_equal(fail_text(), "/etc/passwd is no program that can be run");
	fail_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_variant_gets_its_name),
		cmocka_unit_test(test_what_a_command_runs),
		cmocka_unit_test(test_no_such_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
