/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/cgroup_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The kernel's "no limit" of memory is the largest number of pages, in bytes. */
#define MEMORY_UNLIMITED (1ULL << 62)

static const char *const controller_names[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = "cpu",
	[CGROUP_MEMORY] = "memory",
};

/* Is WORD one of those of LIST, between commas? */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, size) && (list[size] == ',' || !list[size]))
			return true;
	}
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Spaces, tabs, line ends and backslashes of a path stand in mountinfo as \ooo. */
static char *unescape(const char *text)
{
	char *plain = xmalloc(strlen(text) + 1), *to = plain;

	while (*text) {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return plain;
}

/* The first mount of a hierarchy is taken, unless a later one shows all of it and the first does
 * not. */
static void take_mount(struct cgroup_mount *mount, const char *point, const char *root)
{
	if (mount->point && (!strcmp(mount->root, "/") || strcmp(root, "/")))
		return;
	free(mount->point);
	free(mount->root);
	mount->point = unescape(point);
	mount->root = unescape(root);
}

/* "36 35 0:30 / /sys/fs/cgroup/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct" */
static void take_mount_line(struct cgroup_mounts *mounts, char *line)
{
	char *end = strstr(line, " - "), *rest, *root, *point, *type, *options;

	if (!end)
		return;
	*end = '\0';
	rest = line;
	for (int i = 0; i < 3; i++)
		strsep(&rest, " ");
	root = strsep(&rest, " ");
	point = strsep(&rest, " ");
	rest = end + strlen(" - ");
	type = strsep(&rest, " ");
	strsep(&rest, " ");
	options = rest;
	if (!root || !point || *root != '/' || *point != '/')
		return;
	if (!strcmp(type, "cgroup2"))
		take_mount(&mounts->unified, point, root);
	for (int i = 0; !strcmp(type, "cgroup") && options && i < CGROUP_CONTROLLERS; i++) {
		if (has_word(options, controller_names[i]))
			take_mount(&mounts->old[i], point, root);
	}
}

void cgroup_mounts_read(struct cgroup_mounts *ret, FILE *file)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	*ret = (struct cgroup_mounts){0};
	while (getline(&line, &capacity, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		take_mount_line(ret, line);
	}
}

static void release_mount(struct cgroup_mount *mount)
{
	free(mount->point);
	free(mount->root);
}

void cgroup_mounts_release(struct cgroup_mounts *mounts)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		release_mount(&mounts->old[i]);
	release_mount(&mounts->unified);
	*mounts = (struct cgroup_mounts){0};
}

static void take_place(struct cgroup_place *place, const char *path, bool is_unified)
{
	/* a hierarchy of the controller's own comes before the unified one, wherever it stands */
	if (place->path && (is_unified || !place->is_unified))
		return;
	free(place->path);
	place->path = xstrdup(path);
	place->is_unified = is_unified;
}

/* "4:cpu,cpuacct:/group", "0::/group" */
static void take_place_line(struct cgroup_places *places, char *line)
{
	char *path = line, *number = strsep(&path, ":"), *controllers = strsep(&path, ":");
	bool is_unified;

	if (!path || *path != '/')
		return;
	is_unified = !strcmp(number, "0") && !*controllers;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (is_unified || has_word(controllers, controller_names[i]))
			take_place(&places->of[i], path, is_unified);
	}
}

void cgroup_places_read(struct cgroup_places *ret, FILE *file)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	*ret = (struct cgroup_places){0};
	while (getline(&line, &capacity, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		take_place_line(ret, line);
	}
}

void cgroup_places_release(struct cgroup_places *places)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		free(places->of[i].path);
	*places = (struct cgroup_places){0};
}

/* Groups outside of our cgroup namespace are shown as "/../other". */
static bool leads_upwards(const char *path)
{
	for (; (path = strstr(path, "/..")); path++) {
		if (path[3] == '/' || !path[3])
			return true;
	}
	return false;
}

char *cgroup_directory(const struct cgroup_mount *mount, const struct cgroup_place *place)
{
	const char *path = place->path;
	size_t root_size;

	if (!mount->point || !path || leads_upwards(path) || leads_upwards(mount->root))
		return NULL;
	root_size = strlen(mount->root);
	if (strcmp(mount->root, "/")) {
		if (strncmp(path, mount->root, root_size) ||
		    (path[root_size] && path[root_size] != '/'))
			return NULL;
		path += root_size;
	}
	return xasprintf("%s%s", mount->point, strcmp(path, "/") ? path : "");
}

/* A decimal number and nothing behind it but white space. */
static bool parse_number(const char *text, const char **ret_end, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	*ret = strtoull(text, &end, 10);
	while (*end == '\n' || *end == ' ')
		end++;
	*ret_end = end;
	return true;
}

bool cgroup_parse_old_quota(const char *quota, const char *period, struct cgroup_quota *ret)
{
	struct cgroup_quota found;
	const char *end;

	if (!strncmp(quota, "-1", 2) && (!quota[2] || quota[2] == '\n')) {
		*ret = (struct cgroup_quota){0};
		return true;
	}
	if (!parse_number(quota, &end, &found.quota_us) || *end ||
	    !parse_number(period, &end, &found.period_us) || *end || !found.period_us)
		return false;
	*ret = found;
	return true;
}

bool cgroup_parse_quota(const char *text, struct cgroup_quota *ret)
{
	struct cgroup_quota found;
	const char *end;

	if (!strncmp(text, "max", 3) && (text[3] == ' ' || text[3] == '\n' || !text[3])) {
		*ret = (struct cgroup_quota){0};
		return true;
	}
	if (!parse_number(text, &end, &found.quota_us) ||
	    !parse_number(end, &end, &found.period_us) || *end || !found.period_us)
		return false;
	*ret = found;
	return true;
}

bool cgroup_parse_memory(const char *text, uint64_t *ret_bytes)
{
	const char *end;
	uint64_t bytes;

	if (!strncmp(text, "max", 3) && (text[3] == '\n' || !text[3])) {
		*ret_bytes = 0;
		return true;
	}
	if (!parse_number(text, &end, &bytes) || *end)
		return false;
	*ret_bytes = bytes < MEMORY_UNLIMITED ? bytes : 0;
	return true;
}

bool cgroup_quota_is_tighter(const struct cgroup_quota *a, const struct cgroup_quota *b)
{
	if (!a->period_us)
		return false;
	return !b->period_us || (double)a->quota_us / (double)a->period_us <
					(double)b->quota_us / (double)b->period_us;
}
