/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_pattern.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/glob.h"
#include "base/memory.h"

#define PATTERN_SIZE_MAX 4096

/* ---- small things ---- */

/* A run of characters of what the user wrote. */
struct span_of_text {
	const char *begin;
	const char *end;
};

static struct span_of_text trimmed(struct span_of_text text)
{
	while (text.begin < text.end && isspace((unsigned char)*text.begin))
		text.begin++;
	while (text.begin < text.end && isspace((unsigned char)text.end[-1]))
		text.end--;
	return text;
}

static int size_of(struct span_of_text text)
{
	return (int)(text.end - text.begin);
}

static bool is_text(struct span_of_text text, const char *wanted)
{
	size_t size = strlen(wanted);

	return (size_t)size_of(text) == size && !memcmp(text.begin, wanted, size);
}

static bool begins_with(struct span_of_text text, const char *wanted)
{
	size_t size = strlen(wanted);

	return (size_t)size_of(text) >= size && !memcmp(text.begin, wanted, size);
}

static char *copy_of(struct span_of_text text)
{
	return xasprintf("%.*s", size_of(text), text.begin);
}

/* A number without a sign, at most MAX, that is all of TEXT. */
static bool read_number(struct span_of_text text, uint32_t max, uint32_t *ret)
{
	uint32_t number = 0;

	if (text.begin == text.end)
		return false;
	for (; text.begin < text.end; text.begin++) {
		if (!isdigit((unsigned char)*text.begin))
			return false;
		number = number * 10 + (uint32_t)(*text.begin - '0');
		if (number > max)
			return false;
	}
	*ret = number;
	return true;
}

/* ---- values ---- */

static const struct {
	const char *name;
	enum function_value_type type;
	uint32_t size_bytes;
} value_types[] = {
	{"str", FUNCTION_VALUE_TEXT, EVENT_VALUE_BYTES_MAX},
	{"i8", FUNCTION_VALUE_SIGNED, 1},
	{"i16", FUNCTION_VALUE_SIGNED, 2},
	{"i32", FUNCTION_VALUE_SIGNED, 4},
	{"i64", FUNCTION_VALUE_SIGNED, 8},
	{"u8", FUNCTION_VALUE_UNSIGNED, 1},
	{"u16", FUNCTION_VALUE_UNSIGNED, 2},
	{"u32", FUNCTION_VALUE_UNSIGNED, 4},
	{"u64", FUNCTION_VALUE_UNSIGNED, 8},
	{"int", FUNCTION_VALUE_SIGNED, 4},
	{"long", FUNCTION_VALUE_SIGNED, 8},
	{"ptr", FUNCTION_VALUE_POINTER, 8},
};

static int read_bytes_type(struct span_of_text text, struct function_value *value)
{
	struct span_of_text number = {text.begin + strlen("bytes["), text.end - 1};

	if (text.end[-1] != ']' ||
	    !read_number(number, EVENT_VALUE_BYTES_MAX, &value->size_bytes) || !value->size_bytes)
		return fail(-EINVAL, "bytes[N] wants a number from 1 to %d", EVENT_VALUE_BYTES_MAX);
	value->type = FUNCTION_VALUE_BYTES;
	return 0;
}

static int read_type(struct span_of_text text, struct function_value *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_types); i++) {
		if (is_text(text, value_types[i].name)) {
			value->type = value_types[i].type;
			value->size_bytes = value_types[i].size_bytes;
			return 0;
		}
	}
	if (begins_with(text, "bytes["))
		return read_bytes_type(text, value);
	if (is_text(text, "f32") || is_text(text, "f64"))
		return fail(
			-ENOTSUP,
			"%.*s: the kernel lets no probe read floating-point registers; leave it "
			"out, and number the other arguments without it",
			size_of(text), text.begin);
	return fail(-EINVAL,
		    "'%.*s' is no type: str, bytes[N], i8 to i64, u8 to u64, int, long or ptr",
		    size_of(text), text.begin);
}

static struct function_value *add_value(struct function_values *values)
{
	if (values->count >= EVENT_VALUES_MAX)
		return NULL;
	values->items[values->count] = (struct function_value){0};
	return &values->items[values->count++];
}

/* "arg2" names the second argument, any other name the one that stands at that place in the list.
 */
static bool read_name(struct span_of_text name, uint32_t place, struct function_value *value)
{
	struct span_of_text number = {name.begin + strlen("arg"), name.end};

	if (begins_with(name, "arg") && size_of(number) > 0 &&
	    isdigit((unsigned char)*number.begin)) {
		if (!read_number(number, FUNCTION_ARGUMENT_MAX, &value->position))
			return false;
		snprintf(value->name, sizeof(value->name), "arg%u", value->position);
		return value->position > 0;
	}
	for (const char *at = name.begin; at < name.end; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_')
			return false;
	}
	if (name.begin == name.end || isdigit((unsigned char)*name.begin) ||
	    size_of(name) >= FUNCTION_VALUE_NAME || place > FUNCTION_ARGUMENT_MAX)
		return false;
	value->position = place;
	snprintf(value->name, sizeof(value->name), "%.*s", size_of(name), name.begin);
	return true;
}

/* "arg2:u64", "path:str": number PLACE in the list. */
static int read_argument(struct span_of_text text, uint32_t place, struct function_values *values)
{
	const char *colon = memchr(text.begin, ':', (size_t)size_of(text));
	struct span_of_text name = {text.begin, colon ? colon : text.end};
	struct function_value *value = add_value(values);

	if (!value)
		return fail(-E2BIG, "at most %d values of one function", EVENT_VALUES_MAX);
	if (!colon || !read_name(trimmed(name), place, value))
		return fail(
			-EINVAL,
			"'%.*s' is no value: write arg1:TYPE to arg%d:TYPE, or NAME:TYPE for all "
			"in their order",
			size_of(text), text.begin, FUNCTION_ARGUMENT_MAX);
	return read_type(trimmed((struct span_of_text){colon + 1, text.end}), value);
}

/* What is between the parentheses. */
static int read_arguments(struct span_of_text text, struct function_values *values)
{
	uint32_t place = 0;
	int err = 0;

	text = trimmed(text);
	if (is_text(text, "*")) {
		values->from_debug_information = true;
		return 0;
	}
	while (text.begin < text.end && !err) {
		const char *comma = memchr(text.begin, ',', (size_t)size_of(text));
		struct span_of_text one = {text.begin, comma ? comma : text.end};

		err = read_argument(trimmed(one), ++place, values);
		text.begin = comma ? comma + 1 : text.end;
	}
	return err;
}

static int read_result(struct span_of_text type, struct function_values *values)
{
	struct function_value *value = add_value(values);

	if (!value)
		return fail(-E2BIG, "at most %d values of one function", EVENT_VALUES_MAX);
	strcpy(value->name, "ret");
	return read_type(trimmed(type), value);
}

/* Takes " ret:TYPE" off the end of TEXT. */
static int take_result(struct span_of_text *text, struct function_values *values)
{
	for (const char *at = text->end; at > text->begin; at--) {
		struct span_of_text rest = {at, text->end};

		if (!begins_with(rest, "ret:") ||
		    (!isspace((unsigned char)at[-1]) && at[-1] != ')'))
			continue;
		*text = trimmed((struct span_of_text){text->begin, at});
		rest.begin += strlen("ret:");
		return read_result(rest, values);
	}
	return 0;
}

/* A colon that is not half of a "::", as in C++ names. */
static bool has_colon(struct span_of_text text)
{
	for (const char *at = text.begin; at < text.end; at++) {
		if (*at != ':')
			continue;
		if (at + 1 == text.end || at[1] != ':')
			return true;
		at++;
	}
	return false;
}

/* Are these parentheses about values? Those of operator() and (anonymous namespace) are part of a
 * name. */
static bool is_about_values(struct span_of_text text, const char *open)
{
	struct span_of_text inside = trimmed((struct span_of_text){open + 1, text.end - 1});
	struct span_of_text before = trimmed((struct span_of_text){text.begin, open});
	static const char word[] = "operator";
	bool is_operator = size_of(before) >= (int)strlen(word) &&
			   !memcmp(before.end - strlen(word), word, strlen(word));

	if (inside.begin == inside.end)
		return !is_operator;
	return is_text(inside, "*") || begins_with(inside, "arg") || has_colon(inside);
}

/* Takes "(VALUES)" off the end of TEXT. */
static int take_arguments(struct span_of_text *text, struct function_values *values)
{
	const char *open = memrchr(text->begin, '(', (size_t)size_of(*text));
	struct span_of_text inside;

	if (text->begin == text->end || text->end[-1] != ')' || !open ||
	    !is_about_values(*text, open))
		return 0;
	inside = (struct span_of_text){open + 1, text->end - 1};
	*text = trimmed((struct span_of_text){text->begin, open});
	return read_arguments(inside, values);
}

/* ---- names ---- */

/* The '/' that ends the expression that begins at TEXT; NULL if there is none. */
static const char *regex_end(struct span_of_text text)
{
	for (const char *at = text.begin + 1; at < text.end; at++) {
		if (*at == '\\' && at + 1 < text.end)
			at++;
		else if (*at == '/')
			return at;
	}
	return NULL;
}

/* The expression without the backslashes that only kept a '/' from ending it. */
static char *regex_text(struct span_of_text text)
{
	char *copy = copy_of(text), *to = copy;

	for (const char *from = copy; *from; from++) {
		if (*from == '\\' && from[1] == '/')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return copy;
}

static int compile(struct function_pattern *pattern)
{
	char why[256];
	regex_t *regex = xcalloc(1, sizeof(*regex));
	int err = regcomp(regex, pattern->name, REG_EXTENDED | REG_NOSUB);

	if (err) {
		regerror(err, regex, why, sizeof(why));
		free(regex);
		return fail(-EINVAL, "/%s/ is no regular expression: %s", pattern->name, why);
	}
	pattern->regex = regex;
	return 0;
}

/* Nothing, or "@PLACE". */
static int read_place(struct span_of_text text, struct function_pattern *pattern)
{
	if (text.begin == text.end)
		return 0;
	text.begin++;
	text = trimmed(text);
	if (text.begin == text.end)
		return fail(-EINVAL, "which library? Write *@libc.so.6, or a path behind the @");
	pattern->place = copy_of(text);
	return 0;
}

static int read_glob(struct span_of_text name, struct function_pattern *pattern)
{
	const char *open;

	name = trimmed(name);
	if (name.begin == name.end)
		return fail(-EINVAL, "a function has a name: write '*%s%s' for all of them",
			    pattern->place ? "@" : "", pattern->place ? pattern->place : "");
	pattern->name = copy_of(name);
	open = name.end[-1] == ')' ? memrchr(name.begin, '(', (size_t)size_of(name)) : NULL;
	if (open && open + 2 != name.end)
		return fail(-EINVAL, "functions are named without their parameters; values are "
				     "written as in NAME(arg1:str, arg2:int)");
	pattern->is_exact = !glob_has_wildcard(pattern->name);
	return 0;
}

/* TEXT stands between slashes; nothing but values and a place may stand behind them. */
static int read_regex(struct span_of_text text, struct span_of_text rest,
		      struct function_pattern *pattern)
{
	rest = trimmed(rest);
	if (text.begin == text.end)
		return fail(-EINVAL, "the regular expression is empty");
	if (rest.begin < rest.end)
		return fail(-EINVAL,
			    "'%.*s' makes no sense behind the name: write @LIBRARY, (VALUES) or "
			    "ret:TYPE",
			    size_of(rest), rest.begin);
	pattern->name = regex_text(text);
	return compile(pattern);
}

static int take_values(struct span_of_text *text, struct function_values *values)
{
	int err;

	*text = trimmed(*text);
	err = take_result(text, values);
	return err ? err : take_arguments(text, values);
}

/* Values stand at the end, or in front of the @ if there is one. */
static int read_pattern(struct span_of_text text, struct function_pattern *pattern)
{
	bool is_regex = *text.begin == '/';
	const char *end = is_regex ? regex_end(text) : NULL, *at;
	/* what stands in an expression is about nothing else */
	struct span_of_text head = {end ? end + 1 : text.begin, text.end}, place;
	int err;

	if (is_regex && !end)
		return fail(-EINVAL, "the regular expression lacks the '/' at its end");
	at = memchr(head.begin, '@', (size_t)size_of(head));
	place = (struct span_of_text){at ? at : text.end, text.end};
	head.end = place.begin;
	err = take_values(&place, &pattern->values);
	if (!err)
		err = take_values(&head, &pattern->values);
	if (!err)
		err = read_place(place, pattern);
	if (err)
		return err;
	return is_regex ? read_regex((struct span_of_text){text.begin + 1, end}, head, pattern)
			: read_glob(head, pattern);
}

int function_pattern_parse(const char *text, bool is_excluded, struct function_pattern *ret)
{
	struct span_of_text all = {text, text + strlen(text)};
	int err;

	*ret = (struct function_pattern){.is_excluded = is_excluded};
	all = trimmed(all);
	if (all.begin == all.end)
		return fail(-EINVAL, "a function has a name: write '*' for all of the program");
	if (size_of(all) > PATTERN_SIZE_MAX)
		return fail(-EINVAL, "it is longer than %d characters", PATTERN_SIZE_MAX);
	err = read_pattern(all, ret);
	if (!err && is_excluded && (ret->values.count || ret->values.from_debug_information))
		err = fail(-EINVAL, "values of functions that are left out cannot be recorded");
	if (err)
		function_pattern_release(ret);
	return err;
}

/* ---- matching ---- */

bool function_pattern_matches(const struct function_pattern *pattern, const char *name)
{
	if (pattern->regex)
		return !regexec(pattern->regex, name, 0, NULL, 0);
	return glob_matches(pattern->name, name);
}

/* Is NAME called WANTED, or WANTED and a dot and more? */
static bool is_cut_name(const char *wanted, const char *name)
{
	size_t size = strlen(wanted);

	return !strncmp(wanted, name, size) && (name[size] == '\0' || name[size] == '.');
}

/* A path leads there by itself, or without its links: /lib may be one to /usr/lib. */
static bool leads_to(const char *glob, const char *path)
{
	_cleanup_free_ char *real = NULL;

	if (glob_matches(glob, path))
		return true;
	real = realpath(path, NULL);
	return real && glob_matches(glob, real);
}

bool function_pattern_is_at(const struct function_pattern *pattern, const char *path,
			    const char *soname)
{
	const char *base = strrchr(path, '/');

	if (!pattern->place)
		return false;
	if (strchr(pattern->place, '/'))
		return leads_to(pattern->place, path);
	base = base ? base + 1 : path;
	if (glob_has_wildcard(pattern->place))
		return glob_matches(pattern->place, base) || glob_matches(pattern->place, soname);
	return is_cut_name(pattern->place, base) || is_cut_name(pattern->place, soname);
}

bool function_pattern_names_file(const struct function_pattern *pattern)
{
	return pattern->place && !glob_has_wildcard(pattern->place);
}

void function_pattern_release(struct function_pattern *pattern)
{
	if (pattern->regex)
		regfree(pattern->regex);
	free(pattern->regex);
	free(pattern->name);
	free(pattern->place);
	*pattern = (struct function_pattern){0};
}
