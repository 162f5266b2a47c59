/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit time_units[] = {
	{"ns", 1}, {"us", 1e3}, {"ms", 1e6},   {"s", 1e9},
	{"", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9},
};

static const struct unit size_units[] = {
	{"", 1},        {"B", 1},        {"k", 1024},      {"kB", 1024},
	{"KiB", 1024},  {"M", 1 << 20},  {"MB", 1 << 20},  {"MiB", 1 << 20},
	{"G", 1 << 30}, {"GB", 1 << 30}, {"GiB", 1 << 30},
};

/* A non-negative decimal number and one of the units; false if it is anything else or too large. */
static int parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
	char *end;
	double value;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	value = strtod(text, &end);
	if (end == text || strpbrk(text, "xXpP"))
		return -EINVAL;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(end, units[i].name))
			continue;
		value = value * units[i].factor + 0.5;
		if (!(value < 9e18))
			return -ERANGE;
		*ret = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

int parse_time_ns(const char *text, uint64_t *ret_ns)
{
	int err = parse_with_unit(text, time_units, ARRAY_SIZE(time_units), ret_ns);

	return err ? fail(err, "a time is written such as 10ms or 2s, not '%s'", text) : 0;
}

int parse_size_bytes(const char *text, uint64_t *ret_bytes)
{
	int err = parse_with_unit(text, size_units, ARRAY_SIZE(size_units), ret_bytes);

	return err ? fail(err, "a size is written such as 64k or 16M, not '%s'", text) : 0;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno)
		return fail(-EINVAL, "'%s' is not a whole number", text);
	if (value < min || value > max)
		return fail(-ERANGE, "%s is not between %" PRIu64 " and %" PRIu64, text, min, max);
	*ret = value;
	return 0;
}

/* Three significant digits: 1.23, 12.3, 123. */
static void three_digits(char text[UNITS_TEXT_SIZE], double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, UNITS_TEXT_SIZE, "%.*f %s", decimals, value, unit);
}

char *format_ns(char text[UNITS_TEXT_SIZE], uint64_t ns)
{
	if (ns < NS_PER_US)
		snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 " ns", ns);
	else if (ns < 999500)
		three_digits(text, (double)ns / 1e3, "us");
	else if (ns < 999500000)
		three_digits(text, (double)ns / 1e6, "ms");
	else if (ns < 600 * NS_PER_S)
		three_digits(text, (double)ns / 1e9, "s");
	else if (ns < 5997 * NS_PER_S)
		three_digits(text, (double)ns / 60e9, "min");
	else
		three_digits(text, (double)ns / 3600e9, "h");
	return text;
}

char *format_bytes(char text[UNITS_TEXT_SIZE], uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t i = 0;

	if (bytes < 1000) {
		snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 " B", bytes);
		return text;
	}
	for (; value >= 999.5 && i + 1 < ARRAY_SIZE(units); i++)
		value /= 1000;
	three_digits(text, value, units[i]);
	return text;
}

char *format_count(char text[UNITS_TEXT_SIZE], uint64_t count)
{
	char digits[UNITS_TEXT_SIZE];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *out = text;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}
