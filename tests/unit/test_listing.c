/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of a file: a small library made for this, with its symbols and without. */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "support/recording_maker.h"
#include "symbol/resolver.h"

/* So many that they take many pages. */
#define SMALL_FUNCTIONS 3000

static const char source[] =
	"	.text\n"
	"	.macro begin name\n"
	"	.type \\name, @function\n"
	"	\\name: .cfi_startproc\n"
	"	.endm\n"
	"	.macro end name\n"
	"	.cfi_endproc\n"
	"	.size \\name, . - \\name\n"
	"	.endm\n"
	/* two names, the readable one first; a push three bytes behind the entry */
	"	.globl open_door, __open_door\n"
	"	.set __open_door, open_door\n"
	"	.set _ZN4shop5enterEv, open_door\n"
	"	.type __open_door, @function\n"
	"	.type _ZN4shop5enterEv, @function\n"
	"	begin open_door\n"
	"	lea 1(%rdi), %eax\n"
	"	push %rax\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pop %rax\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	end open_door\n"
	"	.globl _ZN4shop4sellEi\n"
	"	begin _ZN4shop4sellEi\n"
	"	mov %edi, %eax\n"
	"	ret\n"
	"	end _ZN4shop4sellEi\n"
	/* local, without a symbol once it is stripped */
	"	begin keep_secret\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	end keep_secret\n"
	/* could be called, but nothing does */
	"	.type keep_secret.cold, @function\n"
	"	keep_secret.cold: .cfi_startproc\n"
	"	nop\n"
	"	jmp keep_secret\n"
	"	end keep_secret.cold\n"
	/* the same by another name: begins with 16 more bytes on the stack */
	"	.type rest, @function\n"
	"	rest: .cfi_startproc\n"
	"	.cfi_def_cfa_offset 24\n"
	"	nop\n"
	"	jmp keep_secret\n"
	"	end rest\n"
	/* has no caller */
	"	.type outermost, @function\n"
	"	outermost: .cfi_startproc\n"
	"	.cfi_undefined %rip\n"
	"	nop\n"
	"	ret\n"
	"	end outermost\n"
	/* a second entry in the middle, behind a push */
	"	begin outer\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.globl inside\n"
	"	.type inside, @function\n"
	"	inside: pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.size inside, 1\n"
	"	end outer\n"
	/* no information for unwinding: the symbol must do */
	"	.globl bare\n"
	"	.type bare, @function\n"
	"	bare: nop\n"
	"	ret\n"
	"	.size bare, . - bare\n"
	/* one symbol, two ranges for unwinding */
	"	.globl wide\n"
	"	.type wide, @function\n"
	"	wide: .cfi_startproc\n"
	"	nop\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.cfi_startproc\n"
	"	nop\n"
	"	ret\n"
	"	end wide\n"
	/* loops whose head is reached by a table only, in the block they begin with, and not */
	"	.macro by_distances name, target\n"
	"	begin \\name\n"
	"	xor %eax, %eax\n"
	"	1: cmp $2, %edi\n"
	"	ja 3f\n"
	"	lea 4f(%rip), %rdx\n"
	"	movslq (%rdx, %rdi, 4), %rcx\n"
	"	add %rdx, %rcx\n"
	"	jmp *%rcx\n"
	"	2: inc %eax\n"
	"	3: ret\n"
	"	end \\name\n"
	"	.section .rodata\n"
	"	4: .long 2b - 4b, 3b - 4b, \\target - 4b\n"
	"	.text\n"
	"	.endm\n"
	"	by_distances loop_by_distances, 1b\n"
	"	by_distances jump_by_distances, 2b\n"
	"	.macro by_addresses name, target\n"
	"	begin \\name\n"
	"	xor %eax, %eax\n"
	"	1: cmp $2, %edi\n"
	"	ja 3f\n"
	"	lea 4f(%rip), %rdx\n"
	"	jmp *(%rdx, %rdi, 8)\n"
	"	2: inc %eax\n"
	"	3: ret\n"
	"	end \\name\n"
	"	.section .data.rel.ro, \"aw\"\n"
	"	4: .quad 2b, 3b, \\target\n"
	"	.text\n"
	"	.endm\n"
	"	by_addresses loop_by_addresses, 1b\n"
	"	by_addresses jump_by_addresses, 2b\n"
	"	.globl choose\n"
	"	.type choose, @gnu_indirect_function\n"
	"	choose: .cfi_startproc\n"
	"	xor %eax, %eax\n"
	"	ret\n"
	"	end choose\n"
	"	.section .init, \"ax\"\n"
	"	.globl _init\n"
	"	.type _init, @function\n"
	"	_init: push %rax\n"
	"	pop %rax\n"
	"	ret\n"
	"	.text\n"
	"	.altmacro\n"
	"	.macro small number\n"
	"	begin small_\\number\n"
	"	nop\n"
	"	ret\n"
	"	end small_\\number\n"
	"	.endm\n"
	"	.set i, 0\n"
	"	.rept 3000\n"
	"	small %i\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	.section .note.GNU-stack, \"\", @progbits\n";

static struct fixture {
	struct resolver *resolver;
	char *library;
	char *stripped;
	char *fixed; /* as a program at a fixed place */
	bool is_made;
} fixture;

static bool run(const char *format, const char *a, const char *b)
{
	_cleanup_free_ char *command = xasprintf(format, a, b);

	return system(command) == 0;
}

static int setup(void **state)
{
	const struct resolver_options options = {.no_sandbox = true};
	char *path = maker_path("listing.s");

	(void)state;
	assert_int_equal(resolver_new(&fixture.resolver, &options), 0);
	fixture.library = maker_path("listing.so");
	fixture.stripped = maker_path("listing-stripped.so");
	fixture.fixed = maker_path("listing-fixed");
	maker_write_file(path, source, sizeof(source) - 1);
	fixture.is_made =
		run("gcc -shared -nostdlib -Wl,-soname,libshop.so.1 -Wl,--no-as-needed -o %s "
		    "-x assembler %s -x none -lc -lm 2>/dev/null",
		    fixture.library, path) &&
		run("gcc -static -no-pie -nostdlib -Wl,-e,0 -o %s -x assembler %s 2>/dev/null",
		    fixture.fixed, path) &&
		run("strip -o %s %s 2>/dev/null", fixture.stripped, fixture.library);
	unlink(path);
	free(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	resolver_free(fixture.resolver);
	unlink(fixture.library);
	unlink(fixture.stripped);
	unlink(fixture.fixed);
	free(fixture.fixed);
	free(fixture.library);
	free(fixture.stripped);
	return 0;
}

static void list(const char *path, struct resolver_listing *ret)
{
	const struct resolver_query query = {.binary = path};

	if (!fixture.is_made)
		skip();
	assert_int_equal(resolver_list_functions(fixture.resolver, &query, ret), 0);
}

static const struct resolver_listed *find(const struct resolver_listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (!strcmp(listing->items[i].name, name))
			return &listing->items[i];
	}
	return NULL;
}

static const struct resolver_listed *find_address(const struct resolver_listing *listing,
						  uint64_t address)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->items[i].address == address)
			return &listing->items[i];
	}
	return NULL;
}

static void check(const struct resolver_listing *listing, const char *name,
		  enum resolver_place place, enum resolver_why why)
{
	const struct resolver_listed *function = find(listing, name);

	if (!function || function->place != place || function->why != why)
		print_error("%s\n", name);
	assert_non_null(function);
	assert_int_equal(function->place, place);
	assert_int_equal(function->why, why);
}

static void test_file(void **state)
{
	struct resolver_listing listing;

	(void)state;
	list(fixture.library, &listing);
	assert_string_equal(listing.soname, "libshop.so.1");
	assert_int_equal(listing.needed_count, 2);
	assert_string_equal(listing.needed[0], "libc.so.6");
	assert_string_equal(listing.needed[1], "libm.so.6");
	assert_false(listing.moves_stacks);
	assert_false(listing.may_unwind);
	resolver_listing_release(&listing);
	assert_null(listing.items);
}

static void test_names(void **state)
{
	static const char aliases[] = "__open_door\0_ZN4shop5enterEv\0shop::enter\0";
	const struct resolver_listed *function;
	struct resolver_listing listing;

	(void)state;
	list(fixture.library, &listing);
	function = find(&listing, "open_door");
	assert_non_null(function);
	assert_string_equal(function->symbol, "open_door");
	assert_memory_equal(function->aliases, aliases, sizeof(aliases));
	assert_true(function->has_symbol);
	assert_int_equal(function->size_bytes, 6);
	assert_null(find(&listing, "__open_door"));
	function = find(&listing, "wide");
	assert_non_null(function);
	assert_int_equal(function->size_bytes, 4);
	assert_null(find_address(&listing, function->address + 2));
	function = find(&listing, "shop::sell");
	assert_non_null(function);
	assert_string_equal(function->symbol, "_ZN4shop4sellEi");
	assert_string_equal(function->aliases, "");
	resolver_listing_release(&listing);
}

static void test_places(void **state)
{
	const struct resolver_listed *function;
	struct resolver_listing listing;

	(void)state;
	list(fixture.library, &listing);
	check(&listing, "open_door", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	function = find(&listing, "open_door");
	assert_int_equal(function->probe_offset, function->entry_offset + 3);
	check(&listing, "shop::sell", RESOLVER_PLACE_COSTLY, RESOLVER_WHY_NO_CHEAP);
	check(&listing, "keep_secret", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	check(&listing, "keep_secret.cold", RESOLVER_PLACE_NONE, RESOLVER_WHY_PART);
	check(&listing, "rest", RESOLVER_PLACE_NONE, RESOLVER_WHY_PART);
	check(&listing, "outermost", RESOLVER_PLACE_NONE, RESOLVER_WHY_PART);
	check(&listing, "outer", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	check(&listing, "inside", RESOLVER_PLACE_NONE, RESOLVER_WHY_PART);
	check(&listing, "bare", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	check(&listing, "choose", RESOLVER_PLACE_NONE, RESOLVER_WHY_CHOSEN);
	check(&listing, "_init", RESOLVER_PLACE_NONE, RESOLVER_WHY_STUB);
	resolver_listing_release(&listing);
}

/* Where a table leads is known, whether it has distances or addresses. */
static void check_tables(const char *path)
{
	struct resolver_listing listing;

	list(path, &listing);
	check(&listing, "loop_by_distances", RESOLVER_PLACE_COSTLY, RESOLVER_WHY_JUMPED_TO);
	check(&listing, "jump_by_distances", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	check(&listing, "loop_by_addresses", RESOLVER_PLACE_COSTLY, RESOLVER_WHY_JUMPED_TO);
	check(&listing, "jump_by_addresses", RESOLVER_PLACE_CHEAP, RESOLVER_WHY_OK);
	resolver_listing_release(&listing);
}

static void test_tables(void **state)
{
	(void)state;
	check_tables(fixture.library);
	check_tables(fixture.fixed);
}

/* Each once, in order, over many pages. */
static void test_many(void **state)
{
	struct resolver_listing listing;
	char name[32];

	(void)state;
	list(fixture.library, &listing);
	for (size_t i = 1; i < listing.count; i++)
		assert_true(listing.items[i - 1].address < listing.items[i].address);
	for (unsigned int i = 0; i < SMALL_FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "small_%u", i);
		assert_non_null(find(&listing, name));
	}
	resolver_listing_release(&listing);
}

/* The same functions at the same places, but those that are no functions are not there at all. */
static void test_stripped(void **state)
{
	struct resolver_listing whole, stripped;
	size_t named = 0;
	char name[32];

	(void)state;
	list(fixture.library, &whole);
	list(fixture.stripped, &stripped);
	for (size_t i = 0; i < whole.count; i++) {
		const struct resolver_listed *was = &whole.items[i];
		const struct resolver_listed *now = find_address(&stripped, was->address);

		if (was->place == RESOLVER_PLACE_NONE)
			continue;
		assert_non_null(now);
		assert_int_equal(now->place, was->place);
		assert_int_equal(now->probe_offset, was->probe_offset);
		assert_int_equal(now->size_bytes, was->size_bytes);
		named += now->has_symbol;
		snprintf(name, sizeof(name), "fn_0x%lx", (unsigned long)was->address);
		assert_string_equal(now->name, now->has_symbol ? was->name : name);
	}
	assert_int_equal(named, 4); /* what .dynsym keeps: open_door, shop::sell, wide, bare */
	assert_null(find_address(&stripped, find(&whole, "rest")->address));
	assert_null(find_address(&stripped, find(&whole, "outermost")->address));
	resolver_listing_release(&whole);
	resolver_listing_release(&stripped);
}

static void test_failures(void **state)
{
	const struct resolver_query missing = {.binary = "/no/such/file"};
	const struct resolver_query text = {.binary = "/etc/passwd"};
	struct resolver_listing listing;

	(void)state;
	fail_clear();
	assert_int_equal(resolver_list_functions(fixture.resolver, &missing, &listing), -ENOENT);
	assert_non_null(strstr(fail_text(), "/no/such/file"));
	fail_clear();
	assert_int_equal(resolver_list_functions(fixture.resolver, &text, &listing), -ENOEXEC);
	fail_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_places),   cmocka_unit_test(test_tables),
		cmocka_unit_test(test_many),     cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_failures),
	};

#if !defined(__x86_64__)
	return 0; /* the library is of that machine */
#endif
	return cmocka_run_group_tests(tests, setup, teardown);
}
