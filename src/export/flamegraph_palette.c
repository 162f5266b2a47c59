/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/flamegraph_palette.h"

#include "base/hash.h"

/* Hues in degrees, the rest in percent. Shades go evenly from the first value to the last. */
struct paint_row {
	const char *class;
	const char *label;
	double hue[2];
	double saturation[2];
	double light[2]; /* lightness in a light window */
	double dark[2];  /* and in a dark one */
};

static const struct paint_row rows[PAINT_COUNT] = {
	[PAINT_ROOT] = {"al", "all", {0, 0}, {0, 0}, {82, 82}, {28, 28}},
	[PAINT_THREAD] = {"th", "thread", {220, 220}, {6, 6}, {80, 86}, {26, 31}},
	[PAINT_MIXED] = {"mx", "on and off CPU", {300, 330}, {14, 22}, {82, 88}, {25, 30}},
	[PAINT_ON_USER] = {"nu", "on CPU, user", {24, 42}, {90, 95}, {62, 70}, {25, 27}},
	[PAINT_ON_KERNEL] = {"nk", "on CPU, kernel", {2, 14}, {80, 85}, {66, 72}, {30, 35}},
	[PAINT_ON_INLINED] = {"ni", "on CPU, inlined", {47, 58}, {85, 90}, {68, 76}, {21, 24}},
	[PAINT_OFF_USER] = {"fu", "blocked, user", {204, 216}, {68, 75}, {70, 78}, {30, 35}},
	[PAINT_OFF_KERNEL] = {"fk", "blocked, kernel", {232, 252}, {55, 62}, {72, 79}, {36, 42}},
	[PAINT_OFF_INLINED] = {"fi", "blocked, inlined", {186, 196}, {55, 62}, {72, 80}, {25, 29}},
	[PAINT_RUN_QUEUE] = {"rq", "run queue", {150, 165}, {45, 50}, {58, 66}, {24, 28}},
	[PAINT_CALL] = {"ca", "the program's functions", {24, 42}, {85, 92}, {64, 72}, {26, 29}},
	[PAINT_LIBRARY_CALL] = {"cl", "libraries", {186, 204}, {55, 62}, {70, 78}, {27, 31}},
	[PAINT_NOTE] = {"nt", "no stack", {215, 215}, {16, 16}, {86, 90}, {22, 25}},
};

const char *palette_class(enum flame_paint paint)
{
	return rows[paint].class;
}

const char *palette_label(enum flame_paint paint)
{
	return rows[paint].label;
}

unsigned int palette_shade(const char *text)
{
	return hash_text(text) % PALETTE_SHADES;
}

static double between(const double range[2], unsigned int shade)
{
	return range[0] + (range[1] - range[0]) * shade / (PALETTE_SHADES - 1);
}

static double clamp(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* Of a fully saturated hue: how much red there is; green and blue lie a third of the circle away.
 */
static double red_of(double hue)
{
	double sixths = hue / 60;

	while (sixths < 0)
		sixths += 6;
	while (sixths >= 6)
		sixths -= 6;
	return clamp((sixths < 3 ? 3 - sixths : sixths - 3) - 1);
}

static uint32_t from_hsl(double hue, double saturation, double lightness)
{
	double spread = saturation * (lightness < 0.5 ? lightness : 1 - lightness);
	uint32_t color = 0;

	for (int i = 0; i < 3; i++) {
		double part = lightness + spread * (2 * red_of(hue - 120 * i) - 1);

		color = color << 8 | (uint32_t)(clamp(part) * 255 + 0.5);
	}
	return color;
}

uint32_t palette_fill(enum flame_paint paint, unsigned int shade, bool is_dark)
{
	const struct paint_row *row = &rows[paint];

	return from_hsl(between(row->hue, shade), between(row->saturation, shade) / 100,
			between(is_dark ? row->dark : row->light, shade) / 100);
}

uint32_t palette_ink(bool is_dark)
{
	return is_dark ? 0xf4f4f4 : 0x141414;
}

static void put_rules(struct buffer *out, bool is_dark)
{
	for (unsigned int paint = 0; paint < PAINT_COUNT; paint++)
		for (unsigned int shade = 0; shade < PALETTE_SHADES; shade++)
			buffer_printf(out, ".%s%u{fill:#%06x}%s", rows[paint].class, shade,
				      palette_fill(paint, shade, is_dark),
				      shade + 1 == PALETTE_SHADES ? "\n" : "");
	buffer_printf(out, "text{fill:#%06x}\n", palette_ink(is_dark));
}

void palette_put_css(struct buffer *out)
{
	put_rules(out, false);
	buffer_printf(out, "@media (prefers-color-scheme: dark) {\n");
	put_rules(out, true);
	buffer_printf(out, "}\n");
}
