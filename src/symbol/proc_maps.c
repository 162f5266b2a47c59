/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads /proc/PID/maps and /proc/PID/status. See process.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "symbol/process.h"

/* The kernel escapes newlines in paths, so lines can be trusted; their number cannot. */
#define FILE_BYTES_MAX (64U << 20)

/* Reads a whole file into BUFFER, with a NUL behind. False: not there, or too long. */
static bool read_file(int fd, struct buffer *buffer)
{
	const size_t step = 64 * 1024;
	ssize_t n = -1;

	while (fd >= 0 && buffer->size < FILE_BYTES_MAX) {
		char *at = buffer_extend(buffer, step);

		n = pread(fd, at, step, (off_t)(buffer->size - step));
		buffer->size -= step - (n > 0 ? (size_t)n : 0);
		buffer->data[buffer->size] = '\0';
		if (n <= 0)
			break;
	}
	return n == 0;
}

/* Reads one line; false if it is not one of executable code. */
static bool parse_line(const char *line, struct mapping *ret, const char **ret_path)
{
	unsigned int major, minor;
	char access[5];
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &ret->start, &ret->end, access, &ret->file_offset, &major, &minor, &ret->inode,
		   &path_at) < 7)
		return false;
	ret->device = major << 20 | minor;
	*ret_path = path_at > 0 ? line + path_at : "";
	return access[2] == 'x';
}

/* Keeps what was known of a range that has not changed. */
static void inherit(const struct process *old, struct mapping *mapping)
{
	size_t index = process_search(old, mapping->start);
	const struct mapping *was = &old->maps[index];

	if (index == old->count || was->start != mapping->start || was->end != mapping->end ||
	    was->file_offset != mapping->file_offset ||
	    strcmp(was->path->text, mapping->path->text) ||
	    (was->inode && was->inode != mapping->inode))
		return;
	mapping->module = was->module;
	mapping->is_told = was->is_told;
	mapping->build_id_size = was->build_id_size;
	memcpy(mapping->build_id, was->build_id, sizeof(mapping->build_id));
}

static void add_line(const char *line, const struct process *old, struct process *process)
{
	struct mapping mapping = {.start = 0};
	const char *path;

	if (!parse_line(line, &mapping, &path))
		return;
	mapping.path = shared_path_new(path);
	inherit(old, &mapping);
	process_insert(process, &mapping);
}

void process_read_identity(struct process *process)
{
	struct buffer buffer = {.data = NULL};
	_cleanup_close_ int fd = -1;
	char path[40];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%u/status", process->pid);
	if (!process->is_dead)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read_file(fd, &buffer) && buffer.data) {
		at = strstr(buffer.data, "\nUid:");
		if (at)
			sscanf(at, " Uid: %u", &process->uid);
		/* One number per namespace, its own last. */
		at = strstr(buffer.data, "\nNSpid:");
		at = at ? at + strlen("\nNSpid:") : NULL;
		while (at && *at == '\t') {
			sscanf(at, "%u", &process->ns_pid);
			at += strcspn(at + 1, "\t\n") + 1;
		}
	}
	buffer_release(&buffer);
}

bool process_read_maps(struct process *process, int fd)
{
	struct process old = *process;
	struct buffer buffer = {.data = NULL};
	bool is_read = read_file(fd, &buffer) && buffer.size > 0;

	if (is_read) {
		process->maps = NULL;
		process->count = process->capacity = 0;
		for (char *line = buffer.data, *next; line && *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			add_line(line, &old, process);
		}
		process_clear(&old);
		free(old.maps);
	}
	buffer_release(&buffer);
	return is_read;
}
