/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/histogram.h"

#include <inttypes.h>

#include "base/units.h"

#define LABEL_WIDTH   28 /* "  512 us to 1024 us" and the count */
#define WIDTH_DEFAULT 80

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", NS_PER_US}, {"ns", 1}};

/* Bucket limits are powers of two of a microsecond: rounded to the unit a person reads. */
static const char *limit_text(char text[UNITS_TEXT_SIZE], uint64_t ns)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns >= units[i].ns) {
			snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 " %s",
				 (ns + units[i].ns / 2) / units[i].ns, units[i].name);
			return text;
		}
	}
	return "0";
}

static void print_bar(uint64_t count, uint64_t largest, unsigned int width, FILE *out)
{
	unsigned int cells =
		largest ? (unsigned int)((double)count / (double)largest * width + 0.5) : 0;

	if (count && !cells)
		cells = 1;
	fputs(cells ? "  " : "", out);
	for (unsigned int i = 0; i < cells; i++)
		fputs("\u2588", out);
	fputc('\n', out);
}

void histogram_print(const struct histogram_bucket *buckets, size_t count, unsigned int width,
		     FILE *out)
{
	unsigned int bar_width = width > LABEL_WIDTH + 12 ? width - LABEL_WIDTH - 4 : 8;
	char from[UNITS_TEXT_SIZE], to[UNITS_TEXT_SIZE], number[UNITS_TEXT_SIZE];
	uint64_t largest = 0;
	size_t first = 0;

	if (!width)
		bar_width = WIDTH_DEFAULT - LABEL_WIDTH - 4;
	while (first < count && !buckets[first].count)
		first++;
	for (size_t i = first; i < count; i++) {
		if (buckets[i].count > largest)
			largest = buckets[i].count;
	}
	for (size_t i = first; i < count; i++) {
		fprintf(out, "%7s to %-7s  %10s", limit_text(from, buckets[i].from_ns),
			limit_text(to, buckets[i].to_ns), format_count(number, buckets[i].count));
		print_bar(buckets[i].count, largest, bar_width, out);
	}
}
