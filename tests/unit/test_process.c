/* SPDX-License-Identifier: BSD-2-Clause */
/* What each process has mapped. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/memory.h"
#include "symbol/helper.h"
#include "symbol/process.h"

/* Pids that no process has: their /proc is not there. */
#define NO_PID 0x70000000U

static int set_up(void **state)
{
	struct processes *processes = xcalloc(1, sizeof(*processes));

	*state = processes;
	return helper_new(&processes->helper, true);
}

static int tear_down(void **state)
{
	struct processes *processes = *state;
	struct helper *helper = processes->helper;

	processes_release(processes);
	helper_free(helper);
	free(processes);
	return 0;
}

static void map(struct processes *processes, uint32_t pid, uint64_t start, uint64_t end,
		uint64_t offset, const char *path)
{
	const struct resolver_mapping mapping = {
		.pid = pid,
		.start = start,
		.end = end,
		.file_offset = offset,
		.device = 8 << 20 | 1,
		.inode = 1,
		.path = path,
	};

	processes_map(processes, &mapping);
}

/* All mappings as text: "START-END OFFSET PATH, ...". */
static char *text_of(struct processes *processes, uint32_t pid)
{
	const struct process *process = processes_get(processes, pid);
	struct buffer text = {.data = NULL};

	buffer_add(&text, "", 0);
	for (size_t i = 0; i < process->count; i++)
		buffer_printf(&text, "%s%jx-%jx %jx %s", i ? ", " : "",
			      (uintmax_t)process->maps[i].start, (uintmax_t)process->maps[i].end,
			      (uintmax_t)process->maps[i].file_offset, process->maps[i].path->text);
	return text.data;
}

static void expect(struct processes *processes, uint32_t pid, const char *expected)
{
	_cleanup_free_ char *text = text_of(processes, pid);

	assert_string_equal(text, expected);
}

static void new_mappings_replace_old_ones(void **state)
{
	struct processes *processes = *state;
	uint32_t pid = NO_PID;

	processes_exec(processes, pid);
	map(processes, pid, 0x5000, 0x6000, 0, "b");
	map(processes, pid, 0x1000, 0x4000, 0x100, "a");
	expect(processes, pid, "1000-4000 100 a, 5000-6000 0 b");
	map(processes, pid, 0x2000, 0x3000, 0, "hole"); /* in the middle */
	expect(processes, pid,
	       "1000-2000 100 a, 2000-3000 0 hole, 3000-4000 2100 a, 5000-6000 0 b");
	map(processes, pid, 0x1800, 0x2800, 0, "across");
	expect(processes, pid,
	       "1000-1800 100 a, 1800-2800 0 across, 2800-3000 800 hole, 3000-4000 2100 a, "
	       "5000-6000 0 b");
	map(processes, pid, 0x1800, 0x5800, 7, "most");
	expect(processes, pid, "1000-1800 100 a, 1800-5800 7 most, 5800-6000 800 b");
	map(processes, pid, 0, UINT64_MAX, 0, "all");
	expect(processes, pid, "0-ffffffffffffffff 0 all");
	map(processes, pid, 10, 10, 0, "empty");
	map(processes, pid, 10, 9, 0, "backwards");
	expect(processes, pid, "0-ffffffffffffffff 0 all");
}

/* Against a map with one entry per page. */
static void like_a_map_of_pages(void **state)
{
	enum {
		PAGES = 64,
		STEPS = 2000
	};
	struct processes *processes = *state;
	unsigned int owner[PAGES] = {0}, seed = 3;
	uint32_t pid = NO_PID + 1;
	char name[16];

	processes_exec(processes, pid);
	for (unsigned int step = 1; step <= STEPS; step++) {
		unsigned int start, end;

		seed = seed * 1103515245 + 12345;
		start = (seed >> 8) % PAGES;
		seed = seed * 1103515245 + 12345;
		end = start + 1 + (seed >> 8) % (PAGES - start);
		snprintf(name, sizeof(name), "%u", step);
		map(processes, pid, start, end, 1000 + start, name);
		for (unsigned int i = start; i < end; i++)
			owner[i] = step;
		for (unsigned int i = 0; i < PAGES; i++) {
			struct process *process = processes_get(processes, pid);
			size_t at = process_search(process, i);
			bool is_mapped = at < process->count && process->maps[at].start <= i;

			assert_int_equal(is_mapped, owner[i] != 0);
			if (!is_mapped)
				continue;
			snprintf(name, sizeof(name), "%u", owner[i]);
			assert_string_equal(process->maps[at].path->text, name);
			/* Cut mappings still tell the right place in the file. */
			assert_int_equal(i - process->maps[at].start +
						 process->maps[at].file_offset,
					 1000 + i);
		}
	}
}

static void fork_exec_and_exit(void **state)
{
	struct processes *processes = *state;
	uint32_t parent = NO_PID + 2, child = NO_PID + 3;

	processes_exec(processes, parent);
	map(processes, parent, 0x1000, 0x2000, 0, "a");
	processes_fork(processes, parent, child);
	map(processes, parent, 0x3000, 0x4000, 0, "later");
	expect(processes, child, "1000-2000 0 a");
	expect(processes, parent, "1000-2000 0 a, 3000-4000 0 later");
	processes_exec(processes, child);
	expect(processes, child, "");
	map(processes, child, 0x8000, 0x9000, 0, "new");
	processes_exit(processes, child);
	processes_exit(processes, child);
	expect(processes, child, "8000-9000 0 new"); /* its late stacks still come */
	processes_fork(processes, parent, child);    /* its number is used again */
	expect(processes, child, "1000-2000 0 a, 3000-4000 0 later");
	assert_int_equal(processes->dead_count, 0);
}

/* The oldest dead are forgotten; the number of the others stays within bounds. */
static void many_dead(void **state)
{
	struct processes *processes = *state;

	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t pid = NO_PID + 100 + i;

		processes_exec(processes, pid);
		map(processes, pid, 0x1000, 0x2000, 0, "a");
		processes_exit(processes, pid);
	}
	assert_true(processes->dead_count <= 4096);
	assert_true(processes->by_pid.count <= 4200);
	expect(processes, NO_PID + 100 + 9999, "1000-2000 0 a");
	expect(processes, NO_PID + 100, "");
}

/* Read from /proc when it is needed first: our own. */
static void lazily_from_proc(void **state)
{
	struct processes *processes = *state;
	struct process *process = processes_get(processes, (uint32_t)getpid());
	struct mapping *mapping =
		processes_find(processes, process, (uint64_t)(uintptr_t)lazily_from_proc);

	assert_non_null(mapping);
	assert_non_null(strstr(mapping->path->text, "test_process"));
	assert_true(mapping->inode > 0);
	assert_null(processes_find(processes, process, 0x10)); /* never mapped */
	process_read_identity(process);
	assert_int_equal(process->uid, getuid());
}

/* Code mapped behind the side band's back is found by reading again. */
static void again_for_an_unknown_address(void **state)
{
	struct processes *processes = *state;
	struct process *process = processes_get(processes, (uint32_t)getpid());
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mapping *mapping;

	process->read_ns = 0; /* long ago */
	mapping = processes_find(processes, process, (uint64_t)(uintptr_t)code + 5);
	assert_non_null(mapping);
	assert_int_equal(mapping->inode, 0);
	munmap(code, 4096);
}

static bool read_text(struct process *process, const char *text, size_t size)
{
	int fd = memfd_create("maps", MFD_CLOEXEC);
	bool is_read;

	assert_int_equal(write(fd, text, size), (ssize_t)size);
	is_read = process_read_maps(process, fd);
	close(fd);
	return is_read;
}

static void the_maps_file(void **state)
{
	static const char text[] =
		"00400000-00401000 r-xp 00001000 08:01 77    /bin/some thing (deleted)\n"
		"00401000-00402000 rw-p 00002000 08:01 77    /bin/some thing (deleted)\n"
		"7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
		"7fff00000000-7fff00001000 --xp 00000000 00:00 0    [vdso]";
	struct processes *processes = *state;
	struct process *process = processes_get(processes, NO_PID + 5);

	assert_true(read_text(process, text, sizeof(text) - 1));
	expect(processes, NO_PID + 5,
	       "400000-401000 1000 /bin/some thing (deleted), 7f0000000000-7f0000001000 0 , "
	       "7fff00000000-7fff00001000 0 [vdso]");
	assert_int_equal(process->maps[0].inode, 77);
	assert_int_equal(process->maps[0].device, 8 << 20 | 1);
}

/* No such file was ever written by a kernel. */
static void hostile_maps_files(void **state)
{
	struct processes *processes = *state;
	struct process *process = processes_get(processes, NO_PID + 6);
	size_t size = 2 << 20;
	_cleanup_free_ char *text = xmalloc(size);
	unsigned int seed = 5;

	memset(text, 'f', size); /* one giant line */
	read_text(process, text, size);
	memcpy(text, "1000-2000 r-xp 0 08:01 1 /", 26); /* with a giant path */
	assert_true(read_text(process, text, size));
	assert_int_equal(process->count, 1);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = "0123456789abcdef- rwxp:\n\0/"[(seed >> 16) % 26];
	}
	read_text(process, text, size);
	assert_false(read_text(process, "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_mappings_replace_old_ones),
		cmocka_unit_test(like_a_map_of_pages),
		cmocka_unit_test(fork_exec_and_exit),
		cmocka_unit_test(many_dead),
		cmocka_unit_test(lazily_from_proc),
		cmocka_unit_test(again_for_an_unknown_address),
		cmocka_unit_test(the_maps_file),
		cmocka_unit_test(hostile_maps_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
