/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader and its sandbox: hostile files, and what the process may do. */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/memory.h"
#include "symbol/helper.h"
#include "symbol/unwind.h"
#include "support/victim.h"

#define FLIPS    3000
#define LIMIT_MS 5000

struct fixture {
	char directory[32];
	char program[48];
	struct helper *helper;
	char *bytes; /* of the program */
	size_t size;
};

static int set_up(void **state)
{
	static const char *const flags[] = {"-O2", "-g", "-lpthread", NULL};
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct stat stat_;
	int fd;

	*state = fixture;
	strcpy(fixture->directory, "/tmp/test-reader-XXXXXX");
	if (!mkdtemp(fixture->directory) || helper_new(&fixture->helper, false))
		return -1;
	snprintf(fixture->program, sizeof(fixture->program), "%s/program", fixture->directory);
	if (!victim_compile("gcc", "tests/programs/chain.c", fixture->program, flags))
		return -1;
	fd = open(fixture->program, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat_))
		return -1;
	fixture->size = (size_t)stat_.st_size;
	fixture->bytes = xmalloc(fixture->size);
	if (pread(fd, fixture->bytes, fixture->size, 0) != stat_.st_size)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->program);
	rmdir(fixture->directory);
	helper_free(fixture->helper);
	free(fixture->bytes);
	free(fixture);
	return 0;
}

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	if (size > 0)
		assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
	return fd;
}

static int ask(struct fixture *fixture, const struct message *request, size_t size, int fd,
	       const struct message **ret_reply, size_t *ret_size)
{
	return helper_ask(fixture->helper, request, size, fd, LIMIT_MS, ret_reply, ret_size);
}

static int open_elf(struct fixture *fixture, int fd, struct message_opened *ret)
{
	const struct message_open request = {.message = {.type = MESSAGE_OPEN_ELF, .module = 1},
					     .source_lines = 1};
	const struct message *reply;
	size_t size;
	int err = ask(fixture, &request.message, sizeof(request), fd, &reply, &size);

	if (!err) {
		assert_int_equal(size, sizeof(*ret));
		memcpy(ret, reply, size);
	}
	return err;
}

static int ask_row(struct fixture *fixture, uint64_t address)
{
	const struct message_address request = {.message = {.type = MESSAGE_ROW, .module = 1},
						.address = address};
	const struct message *reply;
	size_t size;
	int err = ask(fixture, &request.message, sizeof(request), -1, &reply, &size);

	const uint8_t *at = (const uint8_t *)(reply + 1);

	if (err)
		return err;
	size -= sizeof(*reply);
	assert_true(reply->count > 0);
	for (uint32_t i = 0; i < reply->count; i++) {
		const struct unwind_row *row = (const struct unwind_row *)at;
		size_t row_size;

		assert_true(size >= sizeof(*row));
		row_size = unwind_row_size(row);
		assert_true(row_size <= size && unwind_row_is_sound(row, row_size));
		at += row_size;
		size -= row_size;
	}
	assert_int_equal(size, 0);
	return 0;
}

/* Asks for the name at an address; the first place's name is copied to NAME ("" if there is none).
 */
static int ask_name(struct fixture *fixture, uint64_t address, char *name, size_t name_size)
{
	const struct {
		struct message message;
		uint64_t address;
	} request = {.message = {.type = MESSAGE_NAMES, .module = 1, .count = 1},
		     .address = address};
	const struct message *reply;
	size_t size;
	int err = ask(fixture, &request.message, sizeof(request), -1, &reply, &size);
	const struct message_place *place = (const struct message_place *)(reply + 1);

	name[0] = '\0';
	if (!err && size > sizeof(*reply))
		snprintf(name, name_size, "%s", (const char *)(place + 1));
	return err;
}

/* The address where the program's main is, by asking for names all over its code. */
static uint64_t find_function(struct fixture *fixture, const struct message_opened *opened,
			      const char *wanted)
{
	char name[64];

	for (uint32_t i = 0; i < opened->segment_count; i++) {
		const struct message_segment *segment = &opened->segments[i];

		for (uint64_t at = 0; segment->is_code && at < segment->file_bytes; at += 16) {
			ask_name(fixture, segment->address + at, name, sizeof(name));
			if (!strcmp(name, wanted))
				return segment->address + at;
		}
	}
	return 0;
}

static void the_sandbox(void **state)
{
	struct fixture *fixture = *state;
	static const char *const expected[] = {"\nCapEff:\t0000000000000000\n",
					       "\nCapPrm:\t0000000000000000\n",
					       "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"};
	struct message_opened opened;
	char path[40], text[4096] = "";
	_cleanup_close_ int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	FILE *in;

	assert_int_equal(open_elf(fixture, fd, &opened), -ENOEXEC); /* it lives */
	snprintf(path, sizeof(path), "/proc/%d/status", helper_pid(fixture->helper, ZYGOTE_READER));
	in = fopen(path, "re");
	assert_non_null(in);
	assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
	fclose(in);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (!strstr(text, expected[i]))
			print_error("not in /proc/PID/status:%s", expected[i]);
		assert_non_null(strstr(text, expected[i]));
	}
	if (getuid() == 0)
		assert_non_null(strstr(text, "\nUid:\t65534\t65534\t65534\t65534\n"));
}

/* The row at an address; the caller frees. NULL: there is none. */
static struct unwind_row *copy_row(struct fixture *fixture, uint64_t address)
{
	const struct message_address request = {.message = {.type = MESSAGE_ROW, .module = 1},
						.address = address};
	const struct message *reply;
	struct unwind_row *row;
	size_t size;

	if (ask(fixture, &request.message, sizeof(request), -1, &reply, &size))
		return NULL;
	size = unwind_row_size((const struct unwind_row *)(reply + 1));
	row = xmalloc(size);
	memcpy(row, reply + 1, size);
	return row;
}

/* A row holds for all the addresses that it claims, in a library with all kinds of functions. */
static void rows_hold_where_they_say(void **state)
{
	struct fixture *fixture = *state;
	struct message_opened opened;
	unsigned int seed = 9, rows = 0;
	Dl_info library;
	_cleanup_close_ int fd = -1;

	assert_true(dladdr((void *)(uintptr_t)strtol, &library) != 0);
	fd = open(library.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_int_equal(open_elf(fixture, fd, &opened), 0);
	for (uint32_t i = 0; i < opened.segment_count; i++) {
		const struct message_segment *segment = &opened.segments[i];

		for (unsigned int shot = 0; segment->is_code && shot < 3000; shot++) {
			_cleanup_free_ struct unwind_row *row = NULL, *same = NULL;
			uint64_t other;

			seed = seed * 1103515245 + 12345;
			row = copy_row(fixture,
				       segment->address + (seed >> 4) % segment->file_bytes);
			if (!row)
				continue;
			other = row->start + (seed >> 8) % (row->end - row->start);
			same = copy_row(fixture, other);
			assert_non_null(same);
			assert_int_equal(row->cfa_reg, same->cfa_reg);
			assert_int_equal(row->cfa_offset, same->cfa_offset);
			assert_int_equal(row->rule_count, same->rule_count);
			assert_memory_equal(unwind_row_rules(row), unwind_row_rules(same),
					    row->rule_count * sizeof(struct unwind_rule));
			rows++;
		}
	}
	assert_true(rows > 1000);
}

static void what_is_no_elf_file(void **state)
{
	struct fixture *fixture = *state;
	struct message_opened opened;
	char noise[5000];
	unsigned int seed = 1;
	uint64_t restarts = helper_restarts(fixture->helper);

	for (size_t i = 0; i < sizeof(noise); i++) {
		seed = seed * 1103515245 + 12345;
		noise[i] = (char)(seed >> 16);
	}
	for (size_t size = 0; size < sizeof(noise); size += 250) {
		_cleanup_close_ int fd = memory_file(noise, size);

		assert_int_equal(open_elf(fixture, fd, &opened), -ENOEXEC);
	}
	/* Noise behind a good magic number: open or not, nothing breaks. */
	memcpy(noise, fixture->bytes, 20);
	for (size_t size = 20; size < sizeof(noise); size += 250) {
		_cleanup_close_ int fd = memory_file(noise, size);

		if (open_elf(fixture, fd, &opened) == 0)
			ask_row(fixture, 0x1000);
	}
	assert_int_equal(helper_restarts(fixture->helper), restarts);
}

/* A 32-bit program, one of another machine: ELF files, but not of ours. */
static void what_is_not_for_this_machine(void **state)
{
	static const struct {
		size_t at;
		char value;
	} changes[] = {{EI_CLASS, ELFCLASS32}, {offsetof(Elf64_Ehdr, e_machine), EM_S390}};
	struct fixture *fixture = *state;
	struct message_opened opened;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_close_ int fd = memory_file(fixture->bytes, fixture->size);

		assert_int_equal(pwrite(fd, &changes[i].value, 1, (off_t)changes[i].at), 1);
		assert_int_equal(open_elf(fixture, fd, &opened), -ENOTSUP);
	}
}

static void truncated_files(void **state)
{
	struct fixture *fixture = *state;
	struct message_opened opened;
	char name[64];

	for (size_t size = 0; size < fixture->size; size += fixture->size / 200) {
		_cleanup_close_ int fd = memory_file(fixture->bytes, size);

		if (open_elf(fixture, fd, &opened))
			continue;
		ask_row(fixture, 0x1200);
		ask_name(fixture, 0x1200, name, sizeof(name));
		/* It gets shorter still, under the reader's eyes. */
		assert_int_equal(ftruncate(fd, (off_t)size / 2), 0);
		ask_row(fixture, 0x1300);
		ask_name(fixture, 0x1300, name, sizeof(name));
	}
	print_message("restarts so far: %ju\n", (uintmax_t)helper_restarts(fixture->helper));
}

static void flipped_bits(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int good = memory_file(fixture->bytes, fixture->size);
	_cleanup_free_ char *bytes = xmalloc(fixture->size);
	struct message_opened opened;
	unsigned int seed = 42, failures = 0;
	uint64_t target, restarts;
	char name[64];

	assert_int_equal(open_elf(fixture, good, &opened), 0);
	target = find_function(fixture, &opened, "c3");
	assert_true(target > 0);
	restarts = helper_restarts(fixture->helper);
	for (unsigned int i = 0; i < FLIPS; i++) {
		_cleanup_close_ int fd = -1;

		memcpy(bytes, fixture->bytes, fixture->size);
		for (unsigned int flip = 0; flip <= i % 4; flip++) {
			/* Half of them in the headers, where they hurt most. */
			size_t range = flip % 2 ? 1024 : fixture->size, at;

			seed = seed * 1103515245 + 12345;
			at = (seed >> 4) % range;
			seed = seed * 1103515245 + 12345;
			bytes[at] = (char)(bytes[at] ^ 1 << (seed >> 16 & 7));
		}
		fd = memory_file(bytes, fixture->size);
		if (open_elf(fixture, fd, &opened)) {
			failures++;
			continue;
		}
		ask_row(fixture, target);
		ask_row(fixture, target + 40);
		ask_name(fixture, target + 8, name, sizeof(name));
	}
	print_message("%u flips: %u not opened, %ju restarts\n", FLIPS, failures,
		      (uintmax_t)(helper_restarts(fixture->helper) - restarts));
	/* The reader still answers. */
	assert_int_equal(open_elf(fixture, good, &opened), 0);
	assert_int_equal(ask_name(fixture, target + 8, name, sizeof(name)), 0);
	assert_string_equal(name, "c3");
}

/* Files that claim to be huge: refused or slow, but no memory is eaten and the reader comes back.
 */
static void a_sparse_giant(void **state)
{
	struct fixture *fixture = *state;
	struct message_opened opened;
	_cleanup_close_ int fd = memory_file(fixture->bytes, fixture->size);
	char name[64];

	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(open_elf(fixture, fd, &opened), 0);
	ask_row(fixture, 0x1200);
	ask_name(fixture, 0x1200, name, sizeof(name));
}

static void wrong_requests(void **state)
{
	struct fixture *fixture = *state;
	const struct message *reply;
	uint64_t restarts = helper_restarts(fixture->helper);
	size_t size;

	for (uint32_t type = 0; type < 10; type++) {
		const struct message request = {.type = type, .module = 99, .count = 1U << 30};

		assert_true(ask(fixture, &request, sizeof(request), -1, &reply, &size) < 0);
	}
	assert_int_equal(helper_restarts(fixture->helper), restarts);
}

static void a_dead_reader_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = memory_file(fixture->bytes, fixture->size);
	uint64_t restarts = helper_restarts(fixture->helper);
	struct message_opened opened;

	assert_int_equal(open_elf(fixture, fd, &opened), 0);
	if (kill(helper_pid(fixture->helper, ZYGOTE_READER), SIGKILL))
		skip();
	assert_int_equal(ask_row(fixture, 0x1200), -EPIPE);
	assert_int_equal(helper_restarts(fixture->helper), restarts + 1);
	assert_int_equal(ask_row(fixture, 0x1200), -ENOENT); /* it knows nothing */
	assert_int_equal(open_elf(fixture, fd, &opened), 0);
}

static void a_hanging_reader_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	const struct message_address request = {.message = {.type = MESSAGE_ROW, .module = 1}};
	uint64_t restarts = helper_restarts(fixture->helper);
	const struct message *reply;
	size_t size;

	if (kill(helper_pid(fixture->helper, ZYGOTE_READER), SIGSTOP))
		skip();
	assert_int_equal(helper_ask(fixture->helper, &request.message, sizeof(request), -1, 50,
				    &reply, &size),
			 -ETIMEDOUT);
	assert_int_equal(helper_restarts(fixture->helper), restarts + 1);
	assert_int_equal(ask_row(fixture, 0x1200), -ENOENT);
}

/* As when a file system does not answer: given up after a while, and the next file is opened again.
 */
static void a_hanging_opener_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	const struct opener_request request = {.what = OPENER_MAPS, .pid = (uint32_t)getpid()};
	struct opener_reply reply;
	int fd;

	if (kill(helper_pid(fixture->helper, ZYGOTE_OPENER), SIGSTOP))
		skip();
	assert_int_equal(helper_open(fixture->helper, &request, &reply), -ETIMEDOUT);
	fd = helper_open(fixture->helper, &request, &reply);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sandbox),
		cmocka_unit_test(rows_hold_where_they_say),
		cmocka_unit_test(what_is_no_elf_file),
		cmocka_unit_test(what_is_not_for_this_machine),
		cmocka_unit_test(truncated_files),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(a_sparse_giant),
		cmocka_unit_test(wrong_requests),
		cmocka_unit_test(a_dead_reader_is_replaced),
		cmocka_unit_test(a_hanging_reader_is_replaced),
		cmocka_unit_test(a_hanging_opener_is_replaced),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
