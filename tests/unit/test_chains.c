/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of real programs: a known chain of calls, built in the ways that programs are, and what
 * Debian ships. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "support/resolved.h"
#include "support/victim.h"

#define SPIN_SHOTS 150

/* The ways to build the chain program. */
static const struct build {
	const char *name;
	const char *compiler;
	const char *flags[8];
} builds[] = {
	{"pie", "gcc", {"-O2", "-fPIE", "-pie", "-lpthread"}},
	{"pointers", "gcc", {"-O2", "-fno-omit-frame-pointer", "-lpthread"}},
	{"no-pie", "gcc", {"-O2", "-fno-PIE", "-no-pie", "-lpthread"}},
	{"static", "gcc", {"-O2", "-static", "-lpthread"}},
	{"static-pie", "gcc", {"-O2", "-static-pie", "-lpthread"}},
	{"no-eh-hdr", "gcc", {"-O2", "-static", "-Wl,--no-eh-frame-hdr", "-lpthread"}},
	{"clang", "clang", {"-O2", "-lpthread"}},
	{"debug-frame", "gcc", {"-O2", "-g", "-fno-asynchronous-unwind-tables", "-lpthread"}},
};

struct fixture {
	char directory[32];
	struct resolver *resolver;
	struct resolved resolved;
	uint64_t next_id;
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct resolver_options options = {
		.sink = resolved_take,
		.context = &fixture->resolved,
	};

	strcpy(fixture->directory, "/tmp/test-chains-XXXXXX");
	*state = fixture;
	return !mkdtemp(fixture->directory) || resolver_new(&fixture->resolver, &options);
}

static void program_path(const struct fixture *fixture, const struct build *build, char *out,
			 size_t size)
{
	snprintf(out, size, "%s/%s", fixture->directory, build->name);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		program_path(fixture, &builds[i], path, sizeof(path));
		unlink(path);
	}
	rmdir(fixture->directory);
	resolver_free(fixture->resolver);
	resolved_release(&fixture->resolved);
	free(fixture);
	return 0;
}

/* Builds the chain program if that has not been done; false if this machine cannot. */
static bool build_program(const struct fixture *fixture, const struct build *build, char *out,
			  size_t size)
{
	struct stat stat_;

	program_path(fixture, build, out, size);
	return stat(out, &stat_) == 0 ||
	       victim_compile(build->compiler, "tests/programs/chain.c", out, build->flags);
}

/*
 * The C library's own functions have names only where its debug symbols are installed. So that the
 * expectations hold on every machine, those that matter here are all called "libc", with a name or
 * without.
 */
static char *with_one_libc(char *text)
{
	static const char *const insides[] = {"__libc_start_call_main",
					      "start_thread",
					      "clone3",
					      "__restore_rt",
					      "__pthread_kill_implementation",
					      "__pthread_kill_implementation.constprop.0",
					      NULL};
	struct buffer out = {0};
	char *rest = text, *name;

	while (rest && (name = strstr(rest, " < "), true)) {
		size_t length = name ? (size_t)(name - rest) : strcspn(rest, " ");
		bool is_inside = !strncmp(rest, "libc.so.6+0x", 12);

		for (int i = 0; insides[i]; i++)
			is_inside |=
				strlen(insides[i]) == length && !strncmp(rest, insides[i], length);
		if (is_inside)
			buffer_printf(&out, "libc%s", name ? " < " : rest + length);
		else
			buffer_printf(&out, "%.*s%s", (int)length, rest,
				      name ? " < " : rest + length);
		rest = name ? name + 3 : NULL;
	}
	free(text);
	return out.data ? out.data : xstrdup("");
}

/* Resolves one sleeping thread's stack; the text is to be freed. NULL: the program could not be
 * stopped. */
static char *stack_of(struct fixture *fixture, const char *const *argv, bool wait_ready,
		      bool in_thread)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct event_raw_user_stack *raw;
	pid_t pid = victim_start(argv, wait_ready), tid = pid;
	uint64_t id = ++fixture->next_id;

	if (pid < 0)
		return NULL;
	for (int i = 0; in_thread && tid == pid && i < 100; i++) {
		nanosleep(&pause, NULL);
		tid = victim_thread(pid);
	}
	raw = victim_copy_asleep(pid, tid, id);
	if (raw) {
		resolver_user_stack(fixture->resolver, raw);
		resolver_name_frames(fixture->resolver, 0);
	}
	victim_end(pid);
	resolver_exit(fixture->resolver, (uint32_t)pid);
	free(raw);
	return with_one_libc(resolved_text(&fixture->resolved, id));
}

static void expect_chain(struct fixture *fixture, const struct build *build, const char *how,
			 bool in_thread, const char *expected_inside)
{
	char path[64];
	const char *argv[] = {path, how, in_thread ? "thread" : NULL, NULL};
	_cleanup_free_ char *text = NULL;

	if (!build_program(fixture, build, path, sizeof(path))) {
		print_message("skipped: %s cannot be built here\n", build->name);
		return;
	}
	text = stack_of(fixture, argv, true, in_thread);
	if (!text || !strstr(text, expected_inside) || strstr(text, "(broken)") ||
	    strstr(text, "(truncated)")) {
		print_error("%s %s: %s\nexpected: %s\n", build->name, how, text ? text : "nothing",
			    expected_inside);
		assert_true(false);
	}
}

/* Every build, the whole chain up to the program's start. */
static void main_thread_to_the_start(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++)
		expect_chain(*state, &builds[i], "nanosleep", false,
			     "nanosleep < c3 < b2 < a1 < th < main < libc < __libc_start_main < "
			     "_start");
}

/* Every way to block, each with the direct caller of the library: the one that frame pointers lose.
 */
static void thread_in_library_calls(void **state)
{
	static const char *const ways[] = {"futex", "read", "poll", "sem", "condition"};

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(ways); j++)
			expect_chain(*state, &builds[i], ways[j], true,
				     " < c3 < b2 < a1 < th < libc < libc");
	}
}

static void through_a_signal_handler(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		expect_chain(*state, &builds[i], "signal", true,
			     "nanosleep < handler < libc < libc < ");
		/* raise is also called gsignal */
		expect_chain(*state, &builds[i], "signal", true,
			     " < c3 < b2 < a1 < th < libc < libc");
	}
}

/* The edges of functions: interrupted at the first instruction, and gone from at the last. */
static void at_the_edges_of_functions(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		expect_chain(*state, &builds[i], "trap", false,
			     "nanosleep < handler < libc < first8 < c3 < b2 < a1 < th < main");
		expect_chain(*state, &builds[i], "noreturn", false,
			     "nanosleep < for_ever7 < last6 < c3 < b2 < a1 < th < main");
	}
}

/* The handler has a stack of its own: what was interrupted lies elsewhere, which is not copied. */
static void handler_on_another_stack(void **state)
{
	struct fixture *fixture = *state;
	char path[64];
	const char *const argv[] = {path, "altstack", NULL};
	_cleanup_free_ char *text = NULL;

	if (!build_program(fixture, &builds[0], path, sizeof(path)))
		skip();
	text = stack_of(fixture, argv, true, false);
	assert_non_null(strstr(text, "nanosleep < handler < libc < libc"));
	assert_true(strstr(text, "(truncated)") || strstr(text, "(broken)"));
}

/* Whether a stack of the spinning program is whole: the chain from wherever it was up to the
 * thread's start. */
static bool is_whole(const char *text)
{
	static const char *const chain[] = {"e5", "d4", "c3", "b2", "a1", "th"};
	const char *end = strstr(text, "th < libc < libc");
	size_t last = 0;

	if (!end || strstr(text, "(broken)") || strstr(text, "(truncated)"))
		return false;
	end += strlen("th < ");
	/* From the outside in: each of the chain once, without a gap, until it is left. */
	for (size_t i = ARRAY_SIZE(chain); i-- > 0; last++) {
		char name[16];
		const char *at;

		snprintf(name, sizeof(name), "%s < ", chain[i]);
		at = end - strlen(name);
		if (at < text || strncmp(at, name, strlen(name)))
			break;
		end = at;
	}
	return last >= 4; /* at least up to c3, which loops */
}

static void spinning_anywhere(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		char path[64];
		const char *argv[] = {path, "spin", "thread", NULL};
		const struct timespec pause = {.tv_nsec = 20000000};
		unsigned int shots = 0, whole = 0;
		pid_t pid, tid;

		if (!build_program(fixture, &builds[i], path, sizeof(path)))
			continue;
		pid = victim_start(argv, true);
		/* on a busy machine its thread is born later than it is ready */
		for (int waits = 0; waits < 250 && victim_thread(pid) == pid; waits++)
			nanosleep(&pause, NULL);
		nanosleep(&pause, NULL);
		tid = victim_thread(pid);
		assert_true(pid > 0 && victim_seize(tid));
		for (; shots < SPIN_SHOTS && victim_interrupt(tid); shots++) {
			uint64_t id = ++fixture->next_id;
			_cleanup_free_ struct event_raw_user_stack *raw = victim_copy(pid, tid, id);
			_cleanup_free_ char *text = NULL;

			victim_continue(tid);
			resolver_user_stack(fixture->resolver, raw);
			resolver_name_frames(fixture->resolver, 0);
			text = with_one_libc(resolved_text(&fixture->resolved, id));
			whole += is_whole(text);
			if (!is_whole(text))
				print_message("%s: %s\n", builds[i].name, text);
		}
		victim_interrupt(tid);
		victim_detach(tid);
		victim_end(pid);
		resolver_exit(fixture->resolver, (uint32_t)pid);
		print_message("%s: %u of %u whole\n", builds[i].name, whole, shots);
		assert_int_equal(shots, SPIN_SHOTS);
		assert_true(whole * 100 >= shots * 95);
	}
}

/* What nobody prepared: stripped programs without frame pointers. */
static void programs_of_debian(void **state)
{
	static const struct {
		const char *argv[4];
		const char *expected;
	} programs[] = {
		{{"/bin/sleep", "1000"}, "nanosleep < sleep+0x"},
		{{"/usr/bin/python3.11", "-c", "import time; time.sleep(1000)"}, "Py_BytesMain < "},
		{{"/bin/sh", "-c", "sleep 1000; :"}, " < dash+0x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_free_ char *text = NULL;

		if (access(programs[i].argv[0], X_OK))
			continue;
		text = stack_of(*state, programs[i].argv, false, false);
		assert_non_null(text);
		print_message("%s\n", text);
		if (!strstr(text, programs[i].expected) || strstr(text, "(broken)") ||
		    !strstr(text, "__libc_start_main"))
			assert_true(false);
	}
}

/* The program is gone, and removed too: what the side band has told must do, while the file can be
 * had by its path. */
static void gone_before_it_is_resolved(void **state)
{
	struct fixture *fixture = *state;
	struct event_raw_user_stack *raw;
	char path[64];
	const char *const argv[] = {path, "read", NULL};
	char maps_path[40], line[512];
	uint64_t id = ++fixture->next_id;
	_cleanup_free_ char *text = NULL;
	pid_t pid;
	FILE *maps;

	if (!build_program(fixture, &builds[0], path, sizeof(path)))
		skip();
	pid = victim_start(argv, true);
	resolver_fork(fixture->resolver, (uint32_t)getpid(), (uint32_t)pid);
	resolver_exec(fixture->resolver, (uint32_t)pid);
	raw = victim_copy_asleep(pid, pid, id);
	assert_non_null(raw);
	snprintf(maps_path, sizeof(maps_path), "/proc/%d/maps", pid);
	maps = fopen(maps_path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		struct resolver_mapping mapping = {.pid = (uint32_t)pid};
		unsigned long start, end, offset, inode;
		unsigned int major, minor;
		char access[5], name[256] = "";

		if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %255s", &start, &end, access, &offset,
			   &major, &minor, &inode, name) < 7 ||
		    access[2] != 'x')
			continue;
		mapping.start = start;
		mapping.end = end;
		mapping.file_offset = offset;
		mapping.device = major << 20 | minor;
		mapping.inode = inode;
		mapping.path = name;
		resolver_map(fixture->resolver, &mapping);
	}
	fclose(maps);
	victim_end(pid);
	resolver_exit(fixture->resolver, (uint32_t)pid);
	resolver_user_stack(fixture->resolver, raw);
	resolver_name_frames(fixture->resolver, 0);
	free(raw);
	text = with_one_libc(resolved_text(&fixture->resolved, id));
	assert_non_null(strstr(text, "read < c3 < b2 < a1 < th < main < libc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_thread_to_the_start),
		cmocka_unit_test(thread_in_library_calls),
		cmocka_unit_test(through_a_signal_handler),
		cmocka_unit_test(at_the_edges_of_functions),
		cmocka_unit_test(handler_on_another_stack),
		cmocka_unit_test(spinning_anywhere),
		cmocka_unit_test(programs_of_debian),
		cmocka_unit_test(gone_before_it_is_resolved),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
