/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver as the recorder sees it: which file is taken for a mapping, JIT code, source lines,
 * the kernel. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "event/schema.h"
#include "support/resolved.h"
#include "support/victim.h"

/* Processes that are told of but do not exist. */
#define NO_PID 0x70000000U

struct fixture {
	struct resolver *resolver;
	struct resolved resolved;
	uint64_t next_id;
	char directory[32];
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct resolver_options options = {
		.sink = resolved_take, .context = &fixture->resolved, .source_lines = true};

	*state = fixture;
	strcpy(fixture->directory, "/tmp/test-resolver-XXXXXX");
	return !mkdtemp(fixture->directory) || resolver_new(&fixture->resolver, &options);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	rmdir(fixture->directory);
	resolver_free(fixture->resolver);
	resolved_release(&fixture->resolved);
	free(fixture);
	return 0;
}

/* Resolves a stack of plain addresses; the text is to be freed. */
static char *frames(struct fixture *fixture, uint32_t pid, const uint64_t *addresses,
		    uint32_t count)
{
	size_t size = sizeof(struct event_raw_user_frames) + count * sizeof(*addresses);
	_cleanup_free_ struct event_raw_user_frames *raw = xcalloc(1, size);

	raw->header.kind = EVENT_RAW_USER_FRAMES;
	raw->header.size = (uint16_t)size;
	raw->id = ++fixture->next_id;
	raw->pid = pid;
	raw->frame_count = count;
	memcpy(raw->addresses, addresses, count * sizeof(*addresses));
	resolver_user_frames(fixture->resolver, raw);
	resolver_name_frames(fixture->resolver, 0);
	return resolved_text(&fixture->resolved, raw->id);
}

static void expect_frame(struct fixture *fixture, uint32_t pid, uint64_t address,
			 const char *expected)
{
	_cleanup_free_ char *text = frames(fixture, pid, &address, 1);

	assert_string_equal(text, expected);
}

/* A file mapped at 0x10000 of a process that the side band has told of. */
static void tell(struct fixture *fixture, uint32_t pid, const char *path, uint64_t inode,
		 uint32_t device, const void *build_id, uint32_t build_id_size)
{
	const struct resolver_mapping mapping = {
		.pid = pid,
		.start = 0x10000,
		.end = 0x10000000,
		.path = path,
		.inode = inode,
		.device = device,
		.build_id = build_id,
		.build_id_size = build_id_size,
	};

	resolver_exec(fixture->resolver, pid);
	resolver_map(fixture->resolver, &mapping);
}

static uint32_t device_of(const struct stat *stat_)
{
	return major(stat_->st_dev) << 20 | minor(stat_->st_dev);
}

/* Where this program's file and its code lie: taken from the program headers. */
struct own_code {
	uint64_t load;   /* difference of run time and file addresses */
	uint64_t offset; /* in the file, of the address */
	const uint8_t *build_id;
	uint32_t build_id_size;
	uint64_t address;
};

static int look_at_own(struct dl_phdr_info *info, size_t size, void *context)
{
	struct own_code *own = context;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const ElfW(Nhdr) *note = (const void *)(info->dlpi_addr + header->p_vaddr);

		if (header->p_type == PT_LOAD &&
		    own->address - info->dlpi_addr - header->p_vaddr < header->p_filesz)
			own->offset =
				own->address - info->dlpi_addr - header->p_vaddr + header->p_offset;
		if (header->p_type == PT_NOTE && note->n_type == NT_GNU_BUILD_ID) {
			own->build_id = (const uint8_t *)(note + 1) + note->n_namesz;
			own->build_id_size = note->n_descsz;
		}
	}
	own->load = info->dlpi_addr;
	return 1; /* the program comes first */
}

static void the_file_must_be_the_mapped_one(void **state)
{
	struct fixture *fixture = *state;
	struct own_code own = {.address = (uint64_t)(uintptr_t)look_at_own};
	static const uint8_t other_id[20] = {1, 2, 3};
	char path[256] = "", expected[64];
	struct stat stat_;
	uint64_t at;

	dl_iterate_phdr(look_at_own, &own);
	assert_true(own.offset > 0 && own.build_id_size == 20);
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	assert_int_equal(stat(path, &stat_), 0);
	at = 0x10000 + own.offset;
	tell(fixture, NO_PID, path, stat_.st_ino, device_of(&stat_), NULL, 0);
	expect_frame(fixture, NO_PID, at, "look_at_own");
	tell(fixture, NO_PID + 1, path, 0, 0, own.build_id, own.build_id_size);
	expect_frame(fixture, NO_PID + 1, at, "look_at_own");
	/* Another file under the same name: its place in the file is all that can be said. */
	snprintf(expected, sizeof(expected), "test_resolver+0x%jx", (uintmax_t)own.offset);
	tell(fixture, NO_PID + 2, path, stat_.st_ino + 1, device_of(&stat_), NULL, 0);
	expect_frame(fixture, NO_PID + 2, at, expected);
	tell(fixture, NO_PID + 3, path, stat_.st_ino, device_of(&stat_) + 1, NULL, 0);
	expect_frame(fixture, NO_PID + 3, at, expected);
	tell(fixture, NO_PID + 4, path, 0, 0, other_id, sizeof(other_id));
	expect_frame(fixture, NO_PID + 4, at, expected);
	/* Known by inode and by build id, and removed under its name: still one module. */
	assert_int_equal(EVENT_FRAME_MODULE(resolved_stack(&fixture->resolved, 1)->frames[0]),
			 EVENT_FRAME_MODULE(resolved_stack(&fixture->resolved, 2)->frames[0]));
}

static void strange_files(void **state)
{
	struct fixture *fixture = *state;
	char path[64];
	struct stat stat_;

	/* Opening a FIFO would wait for a writer. */
	snprintf(path, sizeof(path), "%s/fifo", fixture->directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(stat(path, &stat_), 0);
	tell(fixture, NO_PID + 10, path, stat_.st_ino, device_of(&stat_), NULL, 0);
	expect_frame(fixture, NO_PID + 10, 0x10123, "fifo+0x123");
	unlink(path);
	/* A text file, mapped as code: it is nobody's symbol table, so it counts as code made at
	 * run time. */
	assert_int_equal(stat("/etc/passwd", &stat_), 0);
	tell(fixture, NO_PID + 11, "/etc/passwd", stat_.st_ino, device_of(&stat_), NULL, 0);
	expect_frame(fixture, NO_PID + 11, 0x10123, "perf-1879048203.map+0x10123");
	tell(fixture, NO_PID + 12, "", 0, 0, NULL, 0);
	expect_frame(fixture, NO_PID + 12, 0x10123, "perf-1879048204.map+0x10123");
	expect_frame(fixture, NO_PID + 12, 0x123, "?+0x123"); /* mapped nowhere */
}

/* Appends a line to our own perf-PID.map. */
static void add_to_map(const char *path, const void *code, const char *name)
{
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	fprintf(file, "%jx 10 %s\n", (uintmax_t)(uintptr_t)code, name);
	fclose(file);
}

/* Code made by this process: named by the map, also by what is added to that later. */
static void code_made_at_run_time(void **state)
{
	struct fixture *fixture = *state;
	char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t stack[] = {0, (uint64_t)(uintptr_t)code + 0x115, 0, 0};
	_cleanup_free_ struct event_raw_user_stack *raw = xcalloc(1, sizeof(*raw) + sizeof(stack));
	_cleanup_free_ char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	unlink(path);
	add_to_map(path, code, "first");
	expect_frame(fixture, (uint32_t)getpid(), (uint64_t)(uintptr_t)code + 3, "first");
	add_to_map(path, code + 0x100, "a second");
	add_to_map(path, code + 0x110, "third");
	/* By frame pointers: code, then its caller, then the end. */
	raw->header.kind = EVENT_RAW_USER_STACK;
	raw->header.size = (uint16_t)(sizeof(*raw) + sizeof(stack));
	raw->id = ++fixture->next_id;
	raw->pid = (uint32_t)getpid();
	raw->copy_bytes = sizeof(stack);
	raw->regs[7] = 0x7f0000001000;
	raw->regs[6] = 0x7f0000001000;
	raw->regs[16] = (uint64_t)(uintptr_t)code + 0x103;
	stack[0] = 0x7f0000001010;
	memcpy(raw->copy, stack, sizeof(stack));
	resolver_user_stack(fixture->resolver, raw);
	resolver_name_frames(fixture->resolver, 0);
	text = resolved_text(&fixture->resolved, raw->id);
	assert_string_equal(text, "a second < third");
	unlink(path);
	munmap(code, 4096);
}

/* A link, or somebody else's file, is not read. */
static void map_that_is_a_link(void **state)
{
	struct fixture *fixture = *state;
	char path[64], target[64], expected[64];
	char *code = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	snprintf(target, sizeof(target), "%s/map", fixture->directory);
	unlink(path);
	add_to_map(target, code + 0x500,
		   "hidden and much longer than what was there before, to be read again");
	assert_int_equal(symlink(target, path), 0);
	snprintf(expected, sizeof(expected), "perf-%d.map+0x%jx", getpid(),
		 (uintmax_t)(uintptr_t)code + 0x501);
	usleep(300000); /* until the mappings may be read again */
	expect_frame(fixture, (uint32_t)getpid(), (uint64_t)(uintptr_t)code + 0x501, expected);
	unlink(path);
	unlink(target);
	munmap(code, 8192);
}

/* The functions that the compiler has put into c3 are there, with their lines; c3 is the outermost.
 */
static void source_lines_and_inlined_calls(void **state)
{
	struct fixture *fixture = *state;
	static const char *const flags[] = {"-O2", "-g", "-lpthread", NULL};
	char path[64];
	const char *const argv[] = {path, "nanosleep", NULL};
	struct event_raw_user_stack *raw;
	_cleanup_free_ char *text = NULL;
	const struct event_frame *frame;
	uint64_t inlined = fixture->resolved.inlined;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/program", fixture->directory);
	if (!victim_compile("gcc", "tests/programs/chain.c", path, flags))
		skip();
	pid = victim_start(argv, true);
	raw = victim_copy_asleep(pid, pid, ++fixture->next_id);
	assert_non_null(raw);
	resolver_user_stack(fixture->resolver, raw);
	resolver_name_frames(fixture->resolver, 0);
	victim_end(pid);
	unlink(path);
	free(raw);
	text = resolved_text(&fixture->resolved, fixture->next_id);
	/* Only the innermost name of each frame is in the text. */
	assert_non_null(strstr(text, "nanosleep < sleep_for_ever < b2 < a1 < th < main"));
	assert_int_equal(fixture->resolved.inlined - inlined, 2); /* and block */
	frame = resolved_frame(&fixture->resolved,
			       resolved_stack(&fixture->resolved, fixture->next_id)->frames[2]);
	assert_int_equal(frame->flags, EVENT_FRAME_INLINED);
	assert_true(frame->line > 10 && frame->line < 80);
	assert_non_null(strstr(event_tail_text(&frame->header, frame->text, 1), "chain.c"));
}

static void the_kernel(void **state)
{
	struct fixture *fixture = *state;
	size_t size = sizeof(struct event_raw_kernel_stack) + 2 * sizeof(uint64_t);
	_cleanup_free_ struct event_raw_kernel_stack *raw = xcalloc(1, size);
	_cleanup_free_ char *text = NULL;
	char line[256];
	uint64_t address = 0;
	FILE *in = fopen("/proc/kallsyms", "re");

	while (in && fgets(line, sizeof(line), in)) {
		if (strstr(line, " T schedule\n"))
			address = strtoull(line, NULL, 16);
	}
	if (in)
		fclose(in);
	if (!address)
		skip();
	raw->header.kind = EVENT_RAW_KERNEL_STACK;
	raw->header.size = (uint16_t)size;
	raw->id = ++fixture->next_id;
	raw->frame_count = 2;
	raw->addresses[0] = address;
	raw->addresses[1] = address + 1; /* returns to there: the call is in the byte before */
	resolver_kernel_stack(fixture->resolver, raw);
	resolver_name_frames(fixture->resolver, 0);
	text = resolved_text(&fixture->resolved, raw->id);
	assert_string_equal(text, "schedule < schedule");
	assert_int_equal(resolved_stack(&fixture->resolved, raw->id)->frames[1],
			 EVENT_FRAME(EVENT_MODULE_KERNEL, address - EVENT_KERNEL_BASE));
}

/* Stacks and frames are given once; a limit leaves the rest for later. */
static void once_each_and_by_and_by(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t addresses[] = {0x20000, 0x20010, 0x20020};
	struct resolver_statistics before, after;
	uint64_t events;
	char *text;

	tell(fixture, NO_PID + 20, "/no/such/file", 5, 5, NULL, 0);
	free(frames(fixture, NO_PID + 20, addresses, 3));
	events = fixture->resolved.frame_events;
	free(frames(fixture, NO_PID + 20, addresses, 3));
	assert_int_equal(fixture->resolved.frame_events, events);
	resolver_statistics(fixture->resolver, &before);
	fixture->next_id--; /* the same id again */
	text = frames(fixture, NO_PID + 20, addresses, 1);
	assert_string_equal(text, "file+0x10000 < file+0x1000f < file+0x1001f");
	free(text);
	resolver_statistics(fixture->resolver, &after);
	assert_int_equal(before.stacks, after.stacks);
	assert_int_equal(resolver_name_frames(fixture->resolver, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_must_be_the_mapped_one),
		cmocka_unit_test(strange_files),
		cmocka_unit_test(code_made_at_run_time),
		cmocka_unit_test(map_that_is_a_link),
		cmocka_unit_test(source_lines_and_inlined_calls),
		cmocka_unit_test(the_kernel),
		cmocka_unit_test(once_each_and_by_and_by),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
