/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"
#include "workload.h"

pid_t process_start(const char *comm, void (*run)(void *argument), void *argument)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, comm);
	run(argument);
	_exit(0);
}

void process_end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void namespaces_begin(int clone_flags)
{
	if (unshare(clone_flags))
		give_up("making a namespace");
	if (clone_flags & CLONE_NEWNS && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up("making mounts private");
}

void come_first(void)
{
	/* Sessions share the CPUs, and threads what their session gets. */
	if (setsid() > 0 && access("/proc/self/autogroup", W_OK) == 0)
		file_set("/proc/self/autogroup", "-20");
	if (setpriority(PRIO_PROCESS, 0, -20))
		give_up("a higher priority");
}

void command_run(char *const argv[])
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		give_up("waiting for a command");
	if (status) {
		errno = ECHILD;
		give_up(argv[0]);
	}
}

void command_words(const char *words)
{
	char *copy = strdup(words), *place, *argv[32] = {0};
	int count = 0;

	for (char *word = strtok_r(copy, " ", &place); word && count < 31;
	     word = strtok_r(NULL, " ", &place))
		argv[count++] = word;
	command_run(argv);
	free(copy);
}

void file_set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		give_up(path);
	close(fd);
}

void file_forget(int fd)
{
	if (fdatasync(fd))
		give_up("fdatasync");
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		give_up("forgetting a file");
}

int scratch_file(size_t size_bytes, int flags)
{
	char name[] = "scratch-XXXXXX";
	static char piece[1 << 20];
	int fd = mkstemp(name), again;

	if (fd < 0)
		give_up(name);
	again = open(name, O_RDWR | O_CLOEXEC | flags);
	if (again < 0)
		give_up(name);
	unlink(name);
	memset(piece, 'x', sizeof(piece));
	for (size_t done = 0; done < size_bytes; done += sizeof(piece))
		if (write(fd, piece, sizeof(piece)) != sizeof(piece))
			give_up("filling a file");
	file_forget(fd);
	close(fd);
	return again;
}

/* How often CPU 0 and 1 have completed disk requests. */
static void count_disk_softirqs(unsigned long long counts[2])
{
	FILE *softirqs = fopen("/proc/softirqs", "re");
	char line[1024];

	counts[0] = counts[1] = 0;
	if (!softirqs)
		give_up("/proc/softirqs");
	while (fgets(line, sizeof(line), softirqs))
		if (sscanf(line, " BLOCK: %llu %llu", &counts[0], &counts[1]) == 2)
			break;
	fclose(softirqs);
}

int disk_cpu(int fd)
{
	unsigned long long before[2], after[2];
	void *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);

	if (!page)
		give_up("memory");
	count_disk_softirqs(before);
	for (int i = 0; i < 256; i++) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (pread(fd, page, PAGE_BYTES, i * 16 * PAGE_BYTES) < 0)
			give_up("reading the file");
	}
	count_disk_softirqs(after);
	free(page);
	return after[1] - before[1] > after[0] - before[0];
}

/* The last one to leave: waits until nobody has the other end any more, then removes the cgroup. */
__attribute__((noreturn)) static void guard_cgroup(const char *path, int read_fd)
{
	char byte;
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	close_range(0, read_fd - 1, 0);
	close_range(read_fd + 1, ~0U, 0);
	while (read(read_fd, &byte, 1) < 0 && errno == EINTR)
		;
	/* Processes that were just killed leave a moment later. */
	for (int tries = 0; rmdir(path) && errno == EBUSY && tries < 500; tries++)
		sleep_ns(10 * NS_PER_MS);
	_exit(0);
}

void cgroup_begin(struct cgroup *group, const char *controller)
{
	int ends[2];

	snprintf(group->path, sizeof(group->path), "/sys/fs/cgroup/%s/dashcam-case-%d", controller,
		 getpid());
	if (mkdir(group->path, 0755))
		give_up(group->path);
	if (pipe2(ends, O_CLOEXEC))
		give_up("pipe");
	group->guardian = fork();
	if (group->guardian < 0)
		give_up("fork");
	if (group->guardian == 0)
		guard_cgroup(group->path, ends[0]);
	close(ends[0]);
	group->guard_fd = ends[1];
}

void cgroup_set(const struct cgroup *group, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	file_set(path, text);
}

void cgroup_end(struct cgroup *group)
{
	close(group->guard_fd);
	while (waitpid(group->guardian, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Puts the loop device at PATH on BACKING; EBUSY if somebody else was faster. */
static int loop_take(const char *path, int backing)
{
	struct loop_config config = {.fd = backing, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
	int device = open(path, O_RDWR | O_CLOEXEC);

	if (device < 0)
		give_up(path);
	if (ioctl(device, LOOP_CONFIGURE, &config) == 0)
		return device;
	if (errno != EBUSY)
		give_up("configuring a loop device");
	close(device);
	return -EBUSY;
}

int loop_begin(const char *backing, char device[32])
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = open(backing, O_RDWR | O_CLOEXEC);
	int device_fd;

	if (control < 0 || file < 0)
		give_up(control < 0 ? "/dev/loop-control" : backing);
	do {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			give_up("finding a free loop device");
		snprintf(device, 32, "/dev/loop%d", number);
		device_fd = loop_take(device, file);
	} while (device_fd < 0);
	close(file);
	close(control);
	return device_fd;
}

char *small_pages(size_t bytes)
{
	char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || madvise(pages, bytes, MADV_NOHUGEPAGE))
		give_up("mapping memory");
	memset(pages, 1, bytes);
	return pages;
}

uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
