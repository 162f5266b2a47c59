/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzing the reader of function patterns: whatever is written behind -F, it gives a sentence or a
 * pattern whose parts are within their bounds, and matching ends.
 *
 * An input is a pattern, and behind its first NUL the names to match. `make fuzz-pattern` builds it
 * with clang's libFuzzer and lets it run for a minute. Without libFuzzer it is a program that reads
 * the files given as arguments: `make check-fuzz-pattern` does that with the corpus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/function_harm.h"
#include "capture/function_pattern.h"

#define INPUT_SIZE_MAX 65536

/* The C library compiles "a++++++" to something that doubles with each sign. */
#define REGEX_SIZE_MAX 12

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_pattern: %s\n", what);
	abort();
}

static void check_values(const struct function_values *values)
{
	require(values->count <= EVENT_VALUES_MAX, "too many values");
	for (uint32_t i = 0; i < values->count; i++) {
		const struct function_value *value = &values->items[i];

		require(value->position <= FUNCTION_ARGUMENT_MAX, "no such argument");
		require(value->size_bytes >= 1 && value->size_bytes <= EVENT_VALUE_BYTES_MAX,
			"a value without a size");
		require(memchr(value->name, '\0', sizeof(value->name)) && value->name[0],
			"a value without a name");
	}
}

static void check_pattern(const struct function_pattern *pattern, const char *name)
{
	require(pattern->name && pattern->name[0], "a pattern without a name");
	require(!pattern->place || pattern->place[0], "an empty place");
	check_values(&pattern->values);
	/* the C library's regular expressions can take time that grows with powers of the text */
	if (!pattern->regex) {
		bool matches = function_pattern_matches(pattern, name);

		require(!pattern->is_exact || !matches || strlen(name) <= strlen(pattern->name),
			"an exact name matches a longer one");
	}
	function_pattern_is_at(pattern, name, name);
	function_harm_find(name);
	function_harm_is_linker(name, name);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	_cleanup_free_ char *text = xcalloc(1, size + 2);
	struct function_pattern pattern;
	int err;

	memcpy(text, data, size);
	if (text[strspn(text, " \t\n\v\f\r")] == '/' && strlen(text) > REGEX_SIZE_MAX)
		return 0;
	err = function_pattern_parse(text, false, &pattern);
	if (err) {
		require(err < 0 && *fail_text(), "a pattern is wrong, but there is no sentence");
		fail_clear();
		return 0;
	}
	check_pattern(&pattern, text + strlen(text) + (strlen(text) < size));
	function_pattern_release(&pattern);
	return 0;
}

#ifndef FUZZ_LIBFUZZER
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		static unsigned char bytes[INPUT_SIZE_MAX];
		FILE *file = fopen(argv[i], "re");

		require(file, argv[i]);
		LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof(bytes), file));
		fclose(file);
	}
	return 0;
}
#endif
