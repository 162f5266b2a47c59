/* SPDX-License-Identifier: BSD-2-Clause */
/* From addresses to names: the table, and what fills it. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/unit.h"

#include "base/memory.h"
#include "symbol/demangle.h"
#include "symbol/kernel.h"
#include "symbol/perf_map.h"
#include "symbol/symbols.h"

/* What is found at an address: "name+offset", or "-". */
static const char *at(const struct symbols *symbols, uint64_t address)
{
	static char text[600];
	const struct symbol *symbol = symbols_find(symbols, address);

	if (!symbol)
		return "-";
	snprintf(text, sizeof(text), "%s+%d", symbols_name(symbols, symbol),
		 (int)(address - symbol->start));
	return text;
}

static void add(struct symbols *symbols, uint64_t start, uint64_t end, uint16_t rank, bool open_end,
		const char *name)
{
	const struct symbol symbol = {
		.start = start, .end = end, .rank = rank, .open_end = open_end};

	symbols_add(symbols, &symbol, name);
}

static void ranges_and_gaps(void **state)
{
	struct symbols symbols = {.count = 0};

	(void)state;
	add(&symbols, 100, 120, 0, false, "second");
	add(&symbols, 10, 20, 0, false, "first@@VERSION_1");
	add(&symbols, 200, 200, 0, false, "empty");
	add(&symbols, 300, 310, 0, false, "");
	symbols_finish(&symbols);
	assert_string_equal(at(&symbols, 9), "-");
	assert_string_equal(at(&symbols, 10), "first+0");
	assert_string_equal(at(&symbols, 19), "first+9");
	assert_string_equal(at(&symbols, 20), "-");
	assert_string_equal(at(&symbols, 119), "second+19");
	assert_string_equal(at(&symbols, 200), "-");
	assert_string_equal(at(&symbols, 300), "-");
	assert_string_equal(at(&symbols, UINT64_MAX), "-");
	symbols_release(&symbols);
}

/* Inner symbols win inside their range, whatever the order and the overlap. */
static void overlapping_ranges(void **state)
{
	struct symbols symbols = {.count = 0};

	(void)state;
	add(&symbols, 140, 160, 0, false, "tail"); /* reaches beyond the outer one */
	add(&symbols, 110, 130, 0, false, "inner");
	add(&symbols, 115, 120, 0, false, "innermost");
	add(&symbols, 100, 150, 0, false, "outer");
	add(&symbols, 200, 210, 0, false, "a"); /* with a common start */
	add(&symbols, 200, 220, 0, false, "bb");
	add(&symbols, 300, 320, 0, false, "a");
	add(&symbols, 300, 310, 0, false, "bb");
	symbols_finish(&symbols);
	assert_string_equal(at(&symbols, 205), "a+5");
	assert_string_equal(at(&symbols, 215), "bb+15");
	assert_string_equal(at(&symbols, 305), "bb+5");
	assert_string_equal(at(&symbols, 315), "a+15");
	assert_string_equal(at(&symbols, 109), "outer+9");
	assert_string_equal(at(&symbols, 114), "inner+4");
	assert_string_equal(at(&symbols, 117), "innermost+2");
	assert_string_equal(at(&symbols, 125), "inner+15");
	assert_string_equal(at(&symbols, 135), "outer+35");
	assert_string_equal(at(&symbols, 145), "tail+5");
	assert_string_equal(at(&symbols, 159), "tail+19");
	assert_string_equal(at(&symbols, 160), "-");
	symbols_release(&symbols);
}

static void the_best_of_several_names(void **state)
{
	struct symbols symbols = {.count = 0};

	(void)state;
	add(&symbols, 10, 20, 1, false, "read"); /* local */
	add(&symbols, 10, 20, 0, false, "__read");
	add(&symbols, 30, 40, 0, false, "__write");
	add(&symbols, 30, 40, 0, false, "write");
	add(&symbols, 30, 40, 0, false, "_write");
	add(&symbols, 50, 60, 0, false, "sigwaitinfo");
	add(&symbols, 50, 60, 0, false, "sigwait");
	symbols_finish(&symbols);
	assert_string_equal(at(&symbols, 10), "__read+0");
	assert_string_equal(at(&symbols, 30), "write+0");
	assert_string_equal(at(&symbols, 50), "sigwait+0");
	symbols_release(&symbols);
}

/* A symbol without a size reaches to the next one; inside of another it is but a label. */
static void symbols_without_size(void **state)
{
	struct symbols symbols = {.count = 0};

	(void)state;
	add(&symbols, 10, 100, 2, true, "start");
	add(&symbols, 20, 40, 0, false, "function");
	add(&symbols, 30, 100, 2, true, "label");
	add(&symbols, 50, 100, 2, true, "other");
	add(&symbols, 50, 60, 0, false, "sized");
	add(&symbols, 80, 100, 2, true, "last");
	symbols_finish(&symbols);
	assert_string_equal(at(&symbols, 15), "start+5");
	assert_string_equal(at(&symbols, 35), "function+15");
	assert_string_equal(at(&symbols, 45), "-");
	assert_string_equal(at(&symbols, 55), "sized+5");
	assert_string_equal(at(&symbols, 70), "-");
	assert_string_equal(at(&symbols, 99), "last+19");
	symbols_release(&symbols);
}

/* Against a plain search through all of them. */
static void like_a_search_through_all(void **state)
{
	enum {
		COUNT = 400,
		SPAN = 2000
	};
	struct symbols symbols = {.count = 0};
	struct symbol all[COUNT];
	unsigned int seed = 7;
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < COUNT; i++) {
		seed = seed * 1103515245 + 12345;
		all[i].start = seed >> 8 & 1023;
		seed = seed * 1103515245 + 12345;
		all[i].end = all[i].start + 1 + (seed >> 8 & 127);
		snprintf(name, sizeof(name), "%u", i);
		add(&symbols, all[i].start, all[i].end, 0, false, name);
	}
	symbols_finish(&symbols);
	for (uint64_t address = 0; address < SPAN; address++) {
		const struct symbol *found = symbols_find(&symbols, address);
		uint64_t start = 0, end = UINT64_MAX;
		bool is_covered = false;

		/* The one that starts last, and of those the one that ends first. */
		for (unsigned int i = 0; i < COUNT; i++) {
			if (address < all[i].start || address >= all[i].end)
				continue;
			if (!is_covered || all[i].start > start ||
			    (all[i].start == start && all[i].end < end)) {
				start = all[i].start;
				end = all[i].end;
			}
			is_covered = true;
		}
		assert_int_equal(is_covered, found != NULL);
		if (found)
			assert_int_equal(found->start, start);
	}
	symbols_release(&symbols);
}

static FILE *text_file(const char *text)
{
	FILE *file = tmpfile();

	fputs(text, file);
	rewind(file);
	return file;
}

static void kernel_symbols(void **state)
{
	struct symbols symbols = {.count = 0};
	FILE *file = text_file("ffffffff81000000 T _stext\n"
			       "ffffffff81000100 t do_sleep\n"
			       "ffffffff81000180 D some_data\n"
			       "ffffffff81000200 W weak_one\n"
			       "ffffffffc0000000 t ext4_write\t[ext4]\n"
			       "garbage\n"
			       "ffffffffc0000300 T\n");

	(void)state;
	assert_int_equal(kernel_read_symbols(file, &symbols), 4);
	assert_string_equal(at(&symbols, 0xffffffff81000150), "do_sleep+80");
	assert_string_equal(at(&symbols, 0xffffffff81000190), "do_sleep+144");
	assert_string_equal(at(&symbols, 0xffffffff81000210), "weak_one+16");
	assert_string_equal(at(&symbols, 0xffffffffc0000010), "ext4_write [ext4]+16");
	assert_string_equal(at(&symbols, 0xfffffffff0000010), "-");
	symbols_release(&symbols);
	fclose(file);
}

static void hidden_kernel_symbols(void **state)
{
	struct symbols symbols = {.count = 0};
	FILE *file = text_file("0000000000000000 T _stext\n0000000000000000 t do_sleep\n");

	(void)state;
	assert_int_equal(kernel_read_symbols(file, &symbols), 0);
	symbols_release(&symbols);
	fclose(file);
}

static void read_map(const char *text, size_t size, struct symbols *symbols)
{
	int fd = memfd_create("map", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, size), (ssize_t)size);
	perf_map_read(fd, symbols);
	close(fd);
}

static void jit_map(void **state)
{
	static const char text[] = "1000 20 LazyCompile:*hot /a b.js:1\n"
				   "0x2000 0x10 with_prefix\n"
				   "3000 10 abc\n"
				   "3000 10 new\n"
				   "zzz\n"
				   "4000 0 empty\n"
				   "ffffffffffffffff ff wraps\n"
				   "5000 10\n"
				   "6000 10 no newline";
	struct symbols symbols = {.count = 0};

	(void)state;
	read_map(text, sizeof(text) - 1, &symbols);
	assert_string_equal(at(&symbols, 0x101f), "LazyCompile:*hot /a b.js:1+31");
	assert_string_equal(at(&symbols, 0x2001), "with_prefix+1");
	assert_string_equal(at(&symbols, 0x3001), "new+1");
	assert_string_equal(at(&symbols, 0x4000), "-");
	assert_string_equal(at(&symbols, 0x5000), "-");
	assert_string_equal(at(&symbols, 0x6000), "-"); /* it is still being written */
	symbols_release(&symbols);
}

/* Lines of megabytes, binary noise, no line at all: no crash, and what is good is still found. */
static void hostile_jit_map(void **state)
{
	struct symbols symbols = {.count = 0};
	size_t size = 3 << 20;
	_cleanup_free_ char *text = xmalloc(size);
	unsigned int seed = 1;

	(void)state;
	memset(text, 'a', size);
	memcpy(text + size - 16, "\n1000 20 found\n\n", 16);
	read_map(text, size, &symbols);
	assert_string_equal(at(&symbols, 0x1000), "found+0");
	symbols_release(&symbols);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = (char)(seed >> 16);
	}
	read_map(text, size, &symbols);
	symbols_release(&symbols);
}

static void readable_names(void **state)
{
	static const struct {
		const char *name, *readable;
	} names[] = {
		{"main", "main"},
		{"_ZN7leveldb6DBImpl5WriteERKNS_12WriteOptionsEPNS_10WriteBatchE",
		 "leveldb::DBImpl::Write"},
		{"_ZNSt6vectorIiSaIiEE9push_backEOi",
		 "std::vector<int, std::allocator<int> >::push_back"},
		{"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
		{"_RNvCs1234_7mycrate4main", "mycrate::main"},
		{"_Zgarbage", "_Zgarbage"},
		{"_Z", "_Z"},
		{"", ""},
	};
	char out[DEMANGLE_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		demangle(names[i].name, out);
		assert_string_equal(out, names[i].readable);
	}
}

static void long_names_are_cut(void **state)
{
	char name[2000], out[DEMANGLE_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	demangle(name, out);
	assert_int_equal(strlen(out), DEMANGLE_SIZE - 1);
	assert_string_equal(out + DEMANGLE_SIZE - 4, "...");
	/* Two-byte characters are not cut in two. */
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 ? '\xa9' : '\xc3';
	demangle(name, out);
	assert_int_equal((unsigned char)out[strlen(out) - 4], 0xa9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_gaps),           cmocka_unit_test(overlapping_ranges),
		cmocka_unit_test(the_best_of_several_names), cmocka_unit_test(symbols_without_size),
		cmocka_unit_test(like_a_search_through_all), cmocka_unit_test(kernel_symbols),
		cmocka_unit_test(hidden_kernel_symbols),     cmocka_unit_test(jit_map),
		cmocka_unit_test(hostile_jit_map),           cmocka_unit_test(readable_names),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
