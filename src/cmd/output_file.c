/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"

#define BUFFER_BYTES (1024 * 1024)

/* A descriptor for a new file in the folder of file->path; file->temporary if it needs a name. */
static int open_new(struct output_file *file)
{
	_cleanup_free_ char *copy = xstrdup(file->path);
	int fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	file->temporary = xasprintf("%s.XXXXXX", file->path);
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(file->temporary);
		file->temporary = NULL;
	}
	return fd;
}

static int open_path(struct output_file *file)
{
	struct stat status;

	if (stat(file->path, &status) == 0 && !S_ISREG(status.st_mode)) {
		file->is_direct = true;
		return open(file->path, O_WRONLY | O_CLOEXEC);
	}
	return open_new(file);
}

int output_file_begin(struct output_file *file, const char *path)
{
	int fd, err;

	*file = (struct output_file){0};
	if (!path || !strcmp(path, "-")) {
		file->stream = stdout;
		return 0;
	}
	file->path = xstrdup(path);
	fd = open_path(file);
	if (fd < 0) {
		err = fail_errno(-errno, "creating %s", path);
		free(file->path);
		return err;
	}
	file->stream = fdopen(fd, "w");
	if (!file->stream) {
		err = fail_errno(-errno, "creating %s", path);
		close(fd);
		free(file->path);
		free(file->temporary);
		return err;
	}
	file->buffer = xmalloc(BUFFER_BYTES);
	setvbuf(file->stream, file->buffer, _IOFBF, BUFFER_BYTES);
	return 0;
}

/* A file without a name can be given only one that is free; rename then puts it in the place. */
static int give_name(struct output_file *file)
{
	char self[64];

	if (!file->temporary) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fileno(file->stream));
		file->temporary = xasprintf("%s.%d", file->path, (int)getpid());
		if (linkat(AT_FDCWD, self, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW))
			return fail_errno(-errno, "naming %s", file->temporary);
	}
	if (rename(file->temporary, file->path))
		return fail_errno(-errno, "renaming %s to %s", file->temporary, file->path);
	free(file->temporary);
	file->temporary = NULL;
	return 0;
}

int output_file_end(struct output_file *file, int err)
{
	const char *name = file->path ? file->path : "standard output";

	errno = EIO;
	if (!err && (fflush(file->stream) || ferror(file->stream)))
		err = fail_errno(-errno, "writing %s", name);
	if (!err && file->path && !file->is_direct)
		err = give_name(file);
	if (file->temporary)
		unlink(file->temporary);
	if (file->stream != stdout)
		fclose(file->stream);
	free(file->temporary);
	free(file->path);
	free(file->buffer);
	*file = (struct output_file){0};
	return err;
}
