/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root is on top and callees hang below it. A window shows the top of a picture first: so the
 * reader begins with the threads and the greatest shares and scrolls towards the leaves, as in an
 * indented list. With the root at the bottom a deep stack opens on the tips of a few spikes
 * instead.
 *
 * The file has the picture twice. The elements drawn here need no script: they are what a page sees
 * that shows the file as an image. The same frames are in <metadata> as JSON; the script reads
 * them, throws the elements away and draws its own at the window's width.
 */
#include "export/flamegraph_svg.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "export/clean_text.h"
#include "export/flamegraph_assets.h"
#include "export/flamegraph_palette.h"
#include "export/thread_stacks.h"

/* All lengths in pixels, for a fixed-width font of 12 px. */
#define WIDTH            1200
#define MARGIN           10
#define COLUMN_WIDTH     7.3 /* a little more than a character takes, since fonts differ */
#define LINE_HEIGHT      17
#define FRAME_HEIGHT     18
#define FRAME_GAP        1
#define TEXT_BASE        13 /* below the frame's upper edge */
#define TEXT_PADDING     4
#define TEXT_COLUMNS_MIN 3 /* less says nothing */
#define SHARE_HEIGHT     3 /* of the strip that says how much of a frame was on a CPU */
#define VISIBLE_WIDTH    0.3

/* Longer names are cut, so that a file's size has a limit. */
#define NAME_COLUMNS 300

static const double inner_width = WIDTH - 2 * MARGIN;

static void put(struct buffer *out, const char *text)
{
	buffer_add(out, text, strlen(text));
}

/* A line of the head. Returns the y below it. */
static double put_line(struct buffer *out, double y, const char *text)
{
	buffer_printf(out, "<text x=\"%d\" y=\"%g\">", MARGIN, y + TEXT_BASE);
	clean_text_put_xml(out, text, (unsigned int)(inner_width / COLUMN_WIDTH));
	put(out, "</text>\n");
	return y + LINE_HEIGHT;
}

/* The same, as many lines as it takes, broken at spaces. */
static double put_wrapped(struct buffer *out, double y, const char *text)
{
	const unsigned int columns = (unsigned int)(inner_width / COLUMN_WIDTH);

	while (*text) {
		_cleanup_free_ char *line = xstrdup(text);
		char *end = line + strlen(line);

		while (utf8_columns(line) > columns) {
			char *space = strrchr(line, ' ');

			if (!space)
				break;
			*space = '\0';
			end = space;
		}
		y = put_line(out, y, line);
		text += end - line;
		text += strspn(text, " ");
	}
	return y;
}

static double put_legend(struct buffer *out, double y, const struct flame_layout *layout)
{
	bool is_used[PAINT_COUNT] = {false};
	double x = MARGIN;

	for (size_t i = 0; i < layout->count; i++)
		is_used[layout->frames[i].paint] = true;
	for (unsigned int paint = PAINT_MIXED; paint < PAINT_COUNT; paint++) {
		const char *label = palette_label(paint);

		if (!is_used[paint])
			continue;
		buffer_printf(out,
			      "<rect class=\"%s2\" x=\"%g\" y=\"%g\" width=\"11\" height=\"11\"/>"
			      "<text x=\"%g\" y=\"%g\">%s</text>\n",
			      palette_class(paint), x, y + 2, x + 16, y + TEXT_BASE, label);
		x += 16 + (double)(strlen(label) + 2) * COLUMN_WIDTH;
	}
	return y + LINE_HEIGHT;
}

/* Below a frame with both sides: its share on a CPU in warm paint, the rest in cool. */
static void put_share(struct buffer *out, const struct flame_frame *frame, double x, double width)
{
	double on_width = width * (double)frame->value[TIME_ON_CPU] / (double)frame->total_ns;
	int y = FRAME_HEIGHT - FRAME_GAP - SHARE_HEIGHT;

	if (!frame->value[TIME_ON_CPU] || frame->value[TIME_ON_CPU] == frame->total_ns || width < 2)
		return;
	buffer_printf(out,
		      "<rect class=\"warm\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", x,
		      y, on_width, SHARE_HEIGHT);
	buffer_printf(out,
		      "<rect class=\"cool\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
		      x + on_width, y, width - on_width, SHARE_HEIGHT);
}

static void put_frame(struct buffer *out, const struct flame_frame *frame, double scale)
{
	double x = (double)frame->start_ns * scale;
	double width = (double)frame->total_ns * scale;
	double gap = width > 4 ? 0.5 : 0;
	double columns = (width - 2 * TEXT_PADDING) / COLUMN_WIDTH;

	if (width < VISIBLE_WIDTH)
		return;
	buffer_printf(out, "<rect class=\"%s%u\" x=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
		      palette_class(frame->paint), palette_shade(frame->text), x, width - gap,
		      FRAME_HEIGHT - FRAME_GAP);
	put_share(out, frame, x, width - gap);
	if (columns >= TEXT_COLUMNS_MIN) {
		buffer_printf(out, "<text x=\"%.1f\" y=\"%d\">", x + TEXT_PADDING, TEXT_BASE);
		clean_text_put_xml(out, frame->text, (unsigned int)columns);
		put(out, "</text>");
	}
	put(out, "\n");
}

static void put_frames(struct buffer *out, double y, const struct flame_layout *layout)
{
	double scale =
		layout->frames[0].total_ns ? inner_width / (double)layout->frames[0].total_ns : 0;

	for (uint32_t depth = 0; depth < layout->depth_limit; depth++) {
		buffer_printf(out, "<g transform=\"translate(%d %g)\">\n", MARGIN,
			      y + depth * FRAME_HEIGHT);
		for (size_t i = 0; i < layout->count; i++)
			if (layout->frames[i].depth == depth)
				put_frame(out, &layout->frames[i], scale);
		put(out, "</g>\n");
	}
}

/* ---- the same as data ---- */

static void put_strings(struct buffer *out, const char *key, const struct intern *strings)
{
	buffer_printf(out, ",\n\"%s\":[", key);
	for (uint32_t i = 0; i < strings->count; i++) {
		put(out, i ? ",\n" : "");
		put(out, intern_at(strings, i));
	}
	put(out, "]");
}

static uint32_t name_number(struct intern *names, const char *text)
{
	struct buffer json = {0};
	uint32_t number;

	clean_text_put_json_in_xml(&json, text, NAME_COLUMNS);
	number = intern_text(names, json.data);
	buffer_release(&json);
	return number;
}

/* What the frame's details say of where the function is: [kind, module, file, line]. */
static uint32_t place_number(struct intern *places, const struct calltree_node *node)
{
	static const struct calltree_node nowhere = {.kind = FRAME_NOTE};
	struct buffer json = {0};
	uint32_t number;

	if (!node)
		node = &nowhere;
	buffer_printf(&json, "[%u,", node->kind);
	clean_text_put_json_in_xml(&json, node->module ? node->module : "", NAME_COLUMNS);
	put(&json, ",");
	clean_text_put_json_in_xml(&json, node->file ? node->file : "", NAME_COLUMNS);
	buffer_printf(&json, ",%u]", node->line);
	number = intern_text(places, json.data);
	buffer_release(&json);
	return number;
}

static void put_paints(struct buffer *out)
{
	put(out, ",\n\"paints\":[");
	for (unsigned int paint = 0; paint < PAINT_COUNT; paint++)
		buffer_printf(out, "%s[\"%s\",\"%s\"]", paint ? "," : "", palette_class(paint),
			      palette_label(paint));
	put(out, "]");
}

/* Each frame is eight numbers: depth, name, place, paint, shade, and its time in each column. */
static void put_frame_numbers(struct buffer *out, const struct flame_layout *layout,
			      struct intern *names, struct intern *places)
{
	put(out, ",\n\"frames\":[");
	for (size_t i = 0; i < layout->count; i++) {
		const struct flame_frame *frame = &layout->frames[i];

		buffer_printf(out, "%s%u,%u,%u,%u,%u", i ? ",\n" : "", frame->depth,
			      name_number(names, frame->text), place_number(places, frame->node),
			      frame->paint, palette_shade(frame->text));
		for (unsigned int column = 0; column < CALLTREE_COLUMNS; column++)
			buffer_printf(out, ",%" PRIu64, frame->value[column]);
	}
	put(out, "]");
}

static void put_data(struct buffer *out, const struct flame_layout *layout,
		     const struct flame_head *head)
{
	struct intern names = {0}, places = {0};

	put(out, "<metadata>{\"title\":");
	clean_text_put_json_in_xml(out, head->title, NAME_COLUMNS);
	put(out, ",\n\"lines\":[");
	for (size_t i = 0; i < head->line_count; i++) {
		put(out, i ? ",\n" : "");
		clean_text_put_json_in_xml(out, head->lines[i], 4 * NAME_COLUMNS);
	}
	put(out, "]");
	buffer_printf(out, ",\n\"columns\":[\"%s\",\"blocked\",\"in run queues\"],\"isCount\":%s",
		      head->first_column ? head->first_column : "on CPU",
		      head->is_count ? "true" : "false");
	put_paints(out);
	put_frame_numbers(out, layout, &names, &places);
	put_strings(out, "names", &names);
	put_strings(out, "places", &places);
	put(out, "}</metadata>\n");
	intern_release(&names);
	intern_release(&places);
}

static double head_height(const struct flame_layout *layout, const struct flame_head *head)
{
	struct buffer unused = {0};
	double y = MARGIN + LINE_HEIGHT + 4;

	for (size_t i = 0; i < head->line_count; i++)
		y = put_wrapped(&unused, y, head->lines[i]);
	y = put_legend(&unused, y + 4, layout) + 6;
	buffer_release(&unused);
	return y;
}

static void put_head(struct buffer *out, const struct flame_layout *layout,
		     const struct flame_head *head)
{
	double y = MARGIN + LINE_HEIGHT + 4;

	buffer_printf(out, "<text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN, MARGIN + TEXT_BASE);
	clean_text_put_xml(out, head->title, (unsigned int)(inner_width / COLUMN_WIDTH * 12 / 16));
	put(out, "</text>\n<g class=\"head\">\n");
	for (size_t i = 0; i < head->line_count; i++)
		y = put_wrapped(out, y, head->lines[i]);
	put_legend(out, y + 4, layout);
	put(out, "</g>\n");
}

void flame_svg_write(FILE *out, const struct flame_layout *layout, const struct flame_head *head)
{
	struct buffer svg = {0};
	double top = head_height(layout, head);
	double height = top + layout->depth_limit * FRAME_HEIGHT + MARGIN;

	buffer_printf(&svg,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%g\" "
		      "viewBox=\"0 0 %d %g\" font-family=\"monospace\" font-size=\"12\" "
		      "role=\"img\">\n<title>",
		      WIDTH, height, WIDTH, height);
	clean_text_put_xml(&svg, head->title, NAME_COLUMNS);
	put(&svg, "</title>\n<style>\n");
	put(&svg, flamegraph_style);
	palette_put_css(&svg);
	put(&svg, "</style>\n<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n");
	put_head(&svg, layout, head);
	put_frames(&svg, top, layout);
	put_data(&svg, layout, head);
	put(&svg, "<script><![CDATA[\n");
	put(&svg, flamegraph_script);
	put(&svg, "]]></script>\n</svg>\n");
	fwrite(svg.data, 1, svg.size, out);
	buffer_release(&svg);
}
