/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/binary.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* Where distributions keep libraries: Debian's way first, then that of the others. */
static const char library_directories[] =
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/usr/local/lib/x86_64-linux-gnu:"
	"/lib64:/usr/lib64:/usr/local/lib64:/lib:/usr/lib:/usr/local/lib";

bool binary_is_named(const char *path, const char *name)
{
	const char *last = strrchr(path, '/');
	size_t length = strlen(name);

	if (!strcmp(path, name))
		return true;
	last = last ? last + 1 : path;
	if (strchr(name, '/') || strncmp(last, name, length))
		return false;
	return last[length] == '\0' || (last[length] == '.' && strstr(name, ".so"));
}

/* The first of DIRECTORIES, with colons between, that has NAME. */
static char *find_in(const char *directories, const char *name)
{
	_cleanup_free_ char *copy = xstrdup(directories);
	char *rest = copy, *directory;

	while ((directory = strsep(&rest, ":"))) {
		char *path = *directory == '/' ? xasprintf("%s/%s", directory, name) : NULL;

		if (path && !access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

char *binary_find(const char *name)
{
	const char *programs = getenv("PATH");

	if (strchr(name, '/'))
		return realpath(name, NULL);
	if (strstr(name, ".so"))
		return find_in(library_directories, name);
	return programs ? find_in(programs, name) : NULL;
}
