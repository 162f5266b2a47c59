/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions by their names: in this program itself, in a program of C++, in libraries. */
#include "unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/span.h"
#include "support/recording_maker.h"
#include "symbol/binary.h"
#include "symbol/resolver.h"

#define SELF "/proc/self/exe"

int find_this_function(int number);

/* Begins in a way of its own, and has more than one instruction. */
__attribute__((noinline)) int find_this_function(int number)
{
	__asm__ volatile("nop; nop; nop; nop" ::: "memory");
	return number * 7919;
}

struct fixture {
	struct resolver *resolver;
	char *program; /* of C++; NULL: it could not be made */
};

static struct fixture fixture;

static int find(const char *binary, const char *function, struct resolver_function *ret)
{
	const struct resolver_query query = {.binary = binary, .function = function};

	fail_clear();
	*ret = (struct resolver_function){0};
	return resolver_find_function(fixture.resolver, &query, ret);
}

/* The sentence with which it is not found. */
static const char *refusal(const char *binary, const char *function, int err)
{
	struct resolver_function place;

	assert_int_equal(find(binary, function, &place), err);
	assert_null(place.path);
	return fail_text();
}

static int setup(void **state)
{
	static const char source[] =
		"#include <cstdio>\n"
		"namespace shop { struct till { int sell(int n); int sell(const char *s); void pay(); }; }\n"
		"int shop::till::sell(int n) { if (n > 3) throw n; return n; }\n"
		"int shop::till::sell(const char *s) { return *s; }\n"
		"void shop::till::pay() { puts(\"paid\"); }\n"
		"int main(int c, char **v) { shop::till t; t.pay(); return t.sell(c) + t.sell(v[0]); }\n";
	const struct resolver_options options = {.no_sandbox = true};
	char *path = maker_path("shop.cc"), *command;

	(void)state;
	assert_int_equal(resolver_new(&fixture.resolver, &options), 0);
	fixture.program = maker_path("shop");
	maker_write_file(path, source, sizeof(source) - 1);
	command = xasprintf("g++ -x c++ -O1 -o %s %s 2>/dev/null", fixture.program, path);
	if (system(command)) {
		free(fixture.program);
		fixture.program = NULL;
	}
	unlink(path);
	free(command);
	free(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	resolver_free(fixture.resolver);
	if (fixture.program)
		unlink(fixture.program);
	free(fixture.program);
	return 0;
}

/* What lies at the place in the file is what the program runs. */
static void check_code(const struct resolver_function *place, const void *code)
{
	char bytes[16];
	int fd = open(place->path, O_RDONLY);

	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)place->file_offset), sizeof(bytes));
	assert_memory_equal(bytes, code, sizeof(bytes));
	close(fd);
}

static void test_place(void **state)
{
	struct resolver_function place;
	/* a sanitizer has a qsort of its own */
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	char *path;

	(void)state;
	assert_non_null(libc);
	assert_int_equal(find(SELF, "find_this_function", &place), 0);
	path = realpath(SELF, NULL);
	assert_string_equal(place.path, path);
	check_code(&place, (const void *)(uintptr_t)find_this_function);
	assert_false(place.may_unwind);
	assert_true(place.probe_offset - place.file_offset < 16);
	free(path);
	free(place.path);

	assert_int_equal(find("libc.so.6", "qsort", &place), 0);
	assert_non_null(strstr(place.path, "/libc.so.6"));
	check_code(&place, dlsym(libc, "qsort"));
	free(place.path);
	dlclose(libc);
}

/* Through what a process maps: the file that it has, by the name that it has been loaded by. */
static void test_mapped(void **state)
{
	const uint32_t pid = (uint32_t)getpid();
	const struct resolver_query query = {.binary = "libsqlite3.so.0",
					     .function = "sqlite3_step",
					     .pids = &pid,
					     .pid_count = 1};
	struct resolver_function place;
	char *prefix = xasprintf("/proc/%u/map_files/", pid);

	(void)state;
	if (!dlsym(RTLD_DEFAULT, "sqlite3_step"))
		skip(); /* a static program */
	assert_int_equal(resolver_find_function(fixture.resolver, &query, &place), 0);
	assert_memory_equal(place.path, prefix, strlen(prefix));
	if (geteuid() == 0)
		check_code(&place, dlsym(RTLD_DEFAULT, "sqlite3_step"));
	free(place.path);
	free(prefix);
}

/* By address: the begin of the function only, or calls would be harmed. */
static void test_address(void **state)
{
	struct resolver_function named, place;
	Dl_info self;
	char text[32];

	(void)state;
	assert_int_equal(find(SELF, "find_this_function", &named), 0);
	dladdr((const void *)(uintptr_t)find_this_function, &self);
	for (unsigned int at = 0; at < 8; at++) {
		uint64_t base = (uint64_t)(uintptr_t)self.dli_fbase;

		snprintf(text, sizeof(text), "0x%lx",
			 (unsigned long)((uintptr_t)find_this_function - base + at));
		if (at > 0) {
			assert_non_null(strstr(refusal(SELF, text, -EINVAL), "begins at"));
			continue;
		}
		assert_int_equal(find(SELF, text, &place), 0);
		assert_int_equal(place.file_offset, named.file_offset);
		free(place.path);
	}
	free(named.path);
	assert_non_null(strstr(refusal(SELF, "0x12zz", -EINVAL), "is no address"));
	assert_non_null(strstr(refusal(SELF, "_start", -EINVAL), "no function that returns"));
}

static void test_missing(void **state)
{
	(void)state;
	assert_non_null(strstr(refusal(SELF, "find_this_fnction", -ENOENT),
			       "did you mean 'find_this_function'?"));
	assert_null(strstr(refusal(SELF, "nothing_like_any_name_here", -ENOENT), "did you mean"));
	assert_non_null(
		strstr(refusal("/no/such/file", "f", -ENOENT), "opening /no/such/file: No such"));
	assert_non_null(strstr(refusal("no-such-program", "f", -ENOENT), "give its path"));
	assert_non_null(strstr(refusal("/etc/passwd", "f", -ENOEXEC), "no program and no library"));
	assert_non_null(strstr(refusal("/dev/null", "f", -EACCES), "no regular file"));
	assert_non_null(strstr(refusal("libc.so.6", "memcpy", -EINVAL), "only chooses"));
}

static void test_cxx(void **state)
{
	const char *program = fixture.program;
	struct resolver_function place;

	(void)state;
	if (!program)
		skip();
	assert_int_equal(find(program, "shop::till::pay", &place), 0);
	assert_true(place.may_unwind);
	assert_false(place.moves_stacks);
	free(place.path);
	assert_non_null(strstr(refusal(program, "shop::till::sell", -ENOTUNIQ), "2 functions"));
	assert_int_equal(find(program, "shop::till::sell(int)", &place), 0);
	free(place.path);
	assert_int_equal(find(program, "_ZN4shop4till4sellEPKc", &place), 0);
	free(place.path);
	assert_non_null(strstr(refusal(program, "shop::till::bay", -ENOENT), "'shop::till::pay'"));
}

static void test_names_of_files(void **state)
{
	(void)state;
	assert_true(binary_is_named("/usr/lib/libm.so.6", "libm.so.6"));
	assert_true(binary_is_named("/usr/lib/libz.so.1.2.13", "libz.so.1"));
	assert_true(binary_is_named("/usr/lib/libz.so.1.2.13", "/usr/lib/libz.so.1.2.13"));
	assert_true(binary_is_named("/usr/sbin/nginx", "nginx"));
	assert_false(binary_is_named("/usr/lib/libz.so.12", "libz.so.1"));
	assert_false(binary_is_named("/usr/sbin/nginx.old", "nginx"));
	assert_false(binary_is_named("/usr/sbin/nginx", "sbin/nginx"));
}

static void test_parse(void **state)
{
	static const char *const bad[] = {"", "a", "a=", "a=b", "=b:c", "a=:c", "a=b:", "a:b=c"};
	struct span_probe span;

	(void)state;
	assert_int_equal(span_parse("query=/bin/x:shop::till::sell(int)", &span), 0);
	assert_string_equal(span.name, "query");
	assert_string_equal(span.binary, "/bin/x");
	assert_string_equal(span.function, "shop::till::sell(int)");
	free(span.name);
	free(span.binary);
	free(span.function);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fail_clear();
		assert_int_equal(span_parse(bad[i], &span), -EINVAL);
		assert_non_null(strstr(fail_text(), "NAME=BINARY:FUNCTION"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),   cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_address), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_cxx),     cmocka_unit_test(test_names_of_files),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
