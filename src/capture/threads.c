/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/threads.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "event/schema.h"

#define CMDLINE_BYTES 1024
#define PF_KTHREAD    0x00200000

/* Reads a small file of /proc. Returns its length, or a negative errno. TEXT ends in a NUL. */
static ssize_t read_proc(char *text, size_t size, const char *format, uint32_t pid, uint32_t tid)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), format, pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

/* Name, parent, flags and birth from /proc/PID/task/TID/stat. The name may hold anything, even ')'.
 */
static bool parse_stat(const char *stat, struct event_thread *event)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	unsigned int flags;
	uint64_t start_ticks;
	size_t n;

	if (!open || !close || close < open)
		return false;
	n = (size_t)(close - open - 1);
	if (n > sizeof(event->comm) - 1)
		n = sizeof(event->comm) - 1;
	memcpy(event->comm, open + 1, n);
	if (sscanf(close + 1,
		   " %*c %" SCNu32
		   " %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
		   " %" SCNu64,
		   &event->ppid, &flags, &start_ticks) != 3)
		return false;
	event->start_ns = start_ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	event->flags = flags & PF_KTHREAD ? EVENT_THREAD_KERNEL : 0;
	return true;
}

/* User id, and the tid in the innermost pid namespace: the last number of "NSpid:". */
static void parse_status(const char *status, struct event_thread *event)
{
	const char *line = strstr(status, "\nUid:");

	if (line)
		sscanf(line, "\nUid: %" SCNu32, &event->uid);
	line = strstr(status, "\nNSpid:");
	event->ns_tid = event->tid;
	for (line = line ? line + 7 : ""; *line && *line != '\n';) {
		if (isdigit((unsigned char)*line))
			event->ns_tid = (uint32_t)strtoul(line, (char **)&line, 10);
		else
			line++;
	}
}

static void read_cmdline(uint32_t pid, char *cmdline, size_t size)
{
	ssize_t n = read_proc(cmdline, size, "/proc/%u/cmdline", pid, 0);

	if (n < 0)
		n = 0;
	while (n > 0 && cmdline[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (cmdline[i] == '\0')
			cmdline[i] = ' ';
	}
	cmdline[n] = '\0';
}

static void scan_thread(uint32_t pid, uint32_t tid, uint64_t now_ns, char *memory,
			void (*take)(void *, const struct event_thread *), void *context)
{
	struct event_thread *event = (struct event_thread *)memory;
	char text[4096];

	memset(memory, 0, sizeof(*event) + CMDLINE_BYTES);
	event->tid = tid;
	event->pid = pid;
	if (read_proc(text, sizeof(text), "/proc/%u/task/%u/stat", pid, tid) <= 0 ||
	    !parse_stat(text, event))
		return;
	if (read_proc(text, sizeof(text), "/proc/%u/task/%u/status", pid, tid) > 0)
		parse_status(text, event);
	if (tid == pid)
		read_cmdline(pid, event->cmdline, CMDLINE_BYTES);
	event->header.kind = EVENT_THREAD;
	event->header.time_ns = now_ns;
	event->header.size = (uint16_t)event_align(sizeof(*event) + strlen(event->cmdline) + 1);
	take(context, event);
}

static uint32_t number_of(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]) ? (uint32_t)strtoul(entry->d_name, NULL, 10)
							: 0;
}

void threads_scan(uint64_t now_ns, void (*take)(void *context, const struct event_thread *event),
		  void *context)
{
	_cleanup_free_ char *memory = xmalloc(sizeof(struct event_thread) + CMDLINE_BYTES);
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		uint32_t pid = number_of(entry), tid;
		char path[64];
		DIR *tasks;

		if (!pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/task", pid);
		tasks = opendir(path);
		while (tasks && (entry = readdir(tasks))) {
			tid = number_of(entry);
			if (tid)
				scan_thread(pid, tid, now_ns, memory, take, context);
		}
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
}

int descriptor_path(uint32_t pid, int descriptor, uint64_t inode, char *path, unsigned int size)
{
	char text[512], link[64];
	const char *line;
	ssize_t n;

	/* "ino:" is there from 5.14; before, the path is believed as it is */
	if (read_proc(text, sizeof(text), "/proc/%u/fdinfo/%u", pid, (uint32_t)descriptor) < 0)
		return -ENOENT;
	line = strstr(text, "\nino:");
	if (line && strtoull(line + 5, NULL, 10) != inode)
		return -ESTALE;
	snprintf(link, sizeof(link), "/proc/%u/fd/%d", pid, descriptor);
	n = readlink(link, path, size - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}
