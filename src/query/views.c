/* SPDX-License-Identifier: BSD-2-Clause */
#include "query/views.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/spelling.h"
#include "base/units.h"

/* All files of views/, put together by the Makefile. */
__asm__(".section .rodata\n"
	".global dashcam_views_text\n"
	"dashcam_views_text:\n"
	".incbin \"" VIEWS_PATH "\"\n"
	".byte 0\n"
	".previous\n");
extern const char dashcam_views_text[];

struct views {
	struct arena arena;
	struct view *views;
	size_t count;
	size_t capacity;
};

/* What is being read. */
struct reader {
	struct views *views;
	struct view *view;
	struct buffer help;
	struct buffer sql;
	size_t section_capacity;
	bool help_goes_on;
};

static struct view_section *current_section(struct reader *reader)
{
	struct view *view = reader->view;

	if (!view->section_count) {
		array_reserve((void **)&view->sections, &reader->section_capacity, 1,
			      sizeof(*view->sections));
		view->sections[view->section_count++] = (struct view_section){0};
	}
	return &view->sections[view->section_count - 1];
}

static void end_section(struct reader *reader)
{
	struct view *view = reader->view;

	while (reader->sql.size > 1 && !strncmp(reader->sql.data + reader->sql.size - 2, "\n\n", 2))
		reader->sql.data[--reader->sql.size] = '\0';
	if (view->section_count)
		view->sections[view->section_count - 1].sql = arena_strdup(
			&reader->views->arena, reader->sql.data ? reader->sql.data : "");
	buffer_clear(&reader->sql);
}

static void end_view(struct reader *reader)
{
	if (!reader->view)
		return;
	end_section(reader);
	reader->view->help =
		arena_strdup(&reader->views->arena, reader->help.data ? reader->help.data : "");
	buffer_clear(&reader->help);
	reader->view = NULL;
}

static void begin_view(struct reader *reader, const char *name)
{
	struct views *views = reader->views;

	end_view(reader);
	array_reserve((void **)&views->views, &views->capacity, views->count + 1,
		      sizeof(*views->views));
	reader->view = &views->views[views->count++];
	*reader->view = (struct view){.name = arena_strdup(&views->arena, name), .title = ""};
	reader->section_capacity = 0;
}

static void begin_section(struct reader *reader, const char *caption)
{
	struct view *view = reader->view;

	end_section(reader);
	array_reserve((void **)&view->sections, &reader->section_capacity, view->section_count + 1,
		      sizeof(*view->sections));
	view->sections[view->section_count++] =
		(struct view_section){.caption = arena_strdup(&reader->views->arena, caption)};
}

static int read_shape(const char *word, enum view_shape *ret)
{
	static const char *const shapes[] = {"table", "tree", "histogram", "list", "listing"};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (!strcmp(word, shapes[i])) {
			*ret = (enum view_shape)i;
			return 0;
		}
	}
	return fail(-EINVAL, "there is no shape '%s'", word);
}

/* One "-- KEY: VALUE". 1 if KEY is none that is known: a plain comment. */
static int read_directive(struct reader *reader, const char *key, const char *value)
{
	struct view *view = reader->view;
	struct arena *arena = &reader->views->arena;

	if (!strcmp(key, "title")) {
		view->title = arena_strdup(arena, value);
	} else if (!strcmp(key, "help")) {
		buffer_printf(&reader->help, "%s", value);
		reader->help_goes_on = true;
	} else if (!strcmp(key, "limits")) {
		view->tells_waits = strstr(value, "waits");
		view->tells_samples = strstr(value, "samples");
		view->tells_calls = strstr(value, "calls");
		view->tells_sums = strstr(value, "sums");
	} else if (!strcmp(key, "min")) {
		view->takes_min = true;
		return parse_time_ns(value, &view->min_ns);
	} else if (!strcmp(key, "section")) {
		begin_section(reader, value);
	} else if (!strcmp(key, "shape")) {
		return read_shape(value, &current_section(reader)->shape);
	} else if (!strcmp(key, "limit")) {
		return parse_number(value, 0, UINT64_MAX, &current_section(reader)->limit);
	} else if (!strcmp(key, "total")) {
		current_section(reader)->total = arena_strdup(arena, value);
	} else if (!strcmp(key, "hide")) {
		current_section(reader)->hide = arena_strdup(arena, value);
	} else {
		return 1;
	}
	return 0;
}

static int read_comment(struct reader *reader, char *text)
{
	char *colon = strstr(text, ": ");

	if (reader->help_goes_on && text[0] == ' ') {
		buffer_printf(&reader->help, " %s", text + strspn(text, " "));
		return 0;
	}
	reader->help_goes_on = false;
	if (!colon)
		return 0;
	*colon = '\0';
	if (!strcmp(text, "view")) {
		begin_view(reader, colon + 2);
		return 0;
	}
	if (!reader->view)
		return fail(-EINVAL, "text before the first view");
	return read_directive(reader, text, colon + 2) < 0 ? -EINVAL : 0;
}

static int read_line(struct reader *reader, char *line)
{
	int err;

	if (!strncmp(line, "-- ", 3)) {
		err = read_comment(reader, line + 3);
		return err && reader->view ? fail(err, "view %s", reader->view->name) : err;
	}
	reader->help_goes_on = false;
	if (!reader->view || (!line[strspn(line, " \t")] && !reader->sql.size))
		return 0;
	current_section(reader);
	buffer_printf(&reader->sql, "%s\n", line);
	return 0;
}

static int compare_views(const void *a, const void *b)
{
	return strcmp(((const struct view *)a)->name, ((const struct view *)b)->name);
}

int views_parse(struct views **ret, const char *text)
{
	struct reader reader = {.views = xcalloc(1, sizeof(*reader.views))};
	_cleanup_free_ char *copy = xstrdup(text);
	int err = 0;

	for (char *line = copy, *next; !err && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		err = read_line(&reader, line);
	}
	end_view(&reader);
	buffer_release(&reader.help);
	buffer_release(&reader.sql);
	if (err) {
		views_free(reader.views);
		return err;
	}
	if (reader.views->count)
		qsort(reader.views->views, reader.views->count, sizeof(struct view), compare_views);
	*ret = reader.views;
	return 0;
}

int views_load(struct views **ret)
{
	return views_parse(ret, dashcam_views_text);
}

void views_free(struct views *views)
{
	if (!views)
		return;
	for (size_t i = 0; i < views->count; i++)
		free(views->views[i].sections);
	free(views->views);
	arena_release(&views->arena);
	free(views);
}

size_t views_count(const struct views *views)
{
	return views->count;
}

const struct view *views_at(const struct views *views, size_t i)
{
	return &views->views[i];
}

/* ---- names that are nearly right ---- */

static bool is_near(const char *name, const char *other)
{
	return spelling_distance(name, other) <= 2 || (*name && strstr(other, name)) ||
	       strstr(name, other);
}

/* Appends the names of all views, or of those that are near NAME. */
static void add_names(const struct views *views, const char *name, struct buffer *text)
{
	for (size_t i = 0; i < views->count; i++) {
		if (!name || is_near(name, views->views[i].name))
			buffer_printf(text, "%s%s", text->size ? ", " : "", views->views[i].name);
	}
}

const struct view *views_find(const struct views *views, const char *name)
{
	struct buffer near = {0};
	const char *question = "did you mean";

	for (size_t i = 0; i < views->count; i++) {
		if (!strcmp(views->views[i].name, name))
			return &views->views[i];
	}
	add_names(views, name, &near);
	if (!near.size) {
		question = "there are";
		add_names(views, NULL, &near);
	}
	fail(-EINVAL, "there is no view '%s': %s %s", name, question,
	     near.data ? near.data : "none");
	buffer_release(&near);
	return NULL;
}
