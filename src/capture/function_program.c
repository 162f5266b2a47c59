/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define FIRST_LINE_SIZE  256 /* the kernel looks at no more of it */
#define SCRIPT_DEPTH_MAX 4   /* scripts whose interpreter is a script, as in the kernel */

/* Can it be executed? Directories can be "executed" as well. */
static bool is_program(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) && !access(path, X_OK);
}

/* The path of COMMAND, as execvp finds it; NULL: there is none. The caller frees it. */
static char *search(const char *command)
{
	const char *directories = getenv("PATH");
	_cleanup_free_ char *copy = xstrdup(directories ? directories : "/bin:/usr/bin");
	char *rest = copy, *directory;

	if (strchr(command, '/'))
		return xstrdup(command);
	while ((directory = strsep(&rest, ":"))) {
		/* an empty one is the current directory */
		char *path = xasprintf("%s%s%s", directory, *directory ? "/" : "./", command);

		if (is_program(path))
			return path;
		free(path);
	}
	return NULL;
}

/* Reads the begin of a regular file into LINE, up to the end of its first line. */
static int read_first_line(const char *path, char line[FIRST_LINE_SIZE])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t size = fd < 0 ? -1 : read(fd, line, FIRST_LINE_SIZE - 1);

	if (size < 0)
		return fail_errno(-errno, "reading %s", path);
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/* What `env` would run: the first of its arguments that is no option and sets no variable. */
static char *word_of_env(char *arguments)
{
	char *word;

	while ((word = strsep(&arguments, " \t"))) {
		if (*word && *word != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/* What the first line of a script says: "#!/bin/sh -e". NULL: nothing; a shell takes such a file
 * for a script of its own. Changes LINE. */
static char *interpreter_of(char *line)
{
	char *path = line + strspn(line, "#! \t"), *arguments = path;
	const char *base;

	if (strncmp(line, "#!", 2))
		return xstrdup("/bin/sh");
	strsep(&arguments, " \t");
	if (!*path)
		return NULL;
	base = strrchr(path, '/');
	if (arguments && !strcmp(base ? base + 1 : path, "env")) {
		const char *word = word_of_env(arguments);

		return word ? search(word) : NULL;
	}
	return xstrdup(path);
}

/* Replaces *PATH by the interpreter if it is a script. *RET_MORE: that may be a script again. */
static int follow_script(char **path, bool *ret_more)
{
	char line[FIRST_LINE_SIZE] = "", *next;
	int err = read_first_line(*path, line);

	*ret_more = false;
	if (err || !strncmp(line, "\177ELF", 4))
		return err;
	next = interpreter_of(line);
	if (!next)
		return fail(-ENOENT, "%s is a script, and there is no program that runs it", *path);
	free(*path);
	*path = next;
	*ret_more = true;
	return 0;
}

int function_program_find(const char *command, char **ret)
{
	_cleanup_free_ char *path = search(command), *first = NULL;
	bool is_script = path;
	int err = 0;

	if (!path)
		return fail(-ENOENT, "there is no program %s in PATH", command);
	if (access(path, F_OK))
		return fail_errno(-errno, "opening %s", path);
	if (!is_program(path))
		return fail(-EACCES, "%s is no program that can be run", path);
	first = xstrdup(path);
	for (int i = 0; i <= SCRIPT_DEPTH_MAX && is_script && !err; i++)
		err = follow_script(&path, &is_script);
	if (err)
		return err;
	*ret = realpath(path, NULL);
	if (!*ret)
		return fail_errno(-errno, "opening %s", path);
	if (strcmp(first, path))
		warn("%s is a script: functions are traced of what runs it, %s", first, *ret);
	return 0;
}
