/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fault of the kernel, of memory or of a disk is made with: other processes, namespaces,
 * cgroups, scratch files, loop devices. All of it goes away with the workload, also when that is
 * killed: processes by PR_SET_PDEATHSIG, mounts and networks with their namespace, loop devices
 * with their last user, cgroups by a guardian process that waits for the workload's end.
 *
 * Every function ends the program with a sentence when it fails.
 */
#ifndef DASHCAM_TESTS_CASES_SANDBOX_H
#define DASHCAM_TESTS_CASES_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Starts a process named COMM that calls RUN(ARGUMENT) and ends with it. It gets SIGKILL when its
 * parent thread ends.
 */
pid_t process_start(const char *comm, void (*run)(void *argument), void *argument);
/* Kills it and waits until it is gone. */
void process_end(pid_t pid);

/* The calling thread goes on in namespaces of its own (CLONE_NEWNS, CLONE_NEWNET); mounts stay
 * private. */
void namespaces_begin(int clone_flags);

/* The calling process, and what it starts, comes before other programs of the machine when CPUs are
 * given away: for faults in which the run queue has no part. */
void come_first(void);

/* Runs a program and waits; it must end with status 0. What it prints is dropped. ARGV ends with
 * NULL. */
void command_run(char *const argv[]);
/* The same in words: command_words("ip link set lo up"). At most 30 words. */
void command_words(const char *words);

/* Writes TEXT to an existing file, such as a cgroup's. */
void file_set(const char *path, const char *text);

/*
 * A file of SIZE_BYTES in the working directory that has no name any more. It is filled and on the
 * disk, and the page cache has forgotten it. Gives its descriptor, open with O_RDWR and FLAGS.
 */
int scratch_file(size_t size_bytes, int flags);
/* The page cache forgets the file; what is dirty is written first. */
void file_forget(int fd);

/*
 * The CPU (0 or 1) that is told by the file's disk when a request is done. A victim that is pinned
 * to it is woken by its own CPU: of a wake-up from another one the kernel counts only what comes
 * after its own CPU has noticed.
 */
int disk_cpu(int fd);

/* A cgroup of the workload's own, below the root of a v1 CONTROLLER. */
struct cgroup {
	char path[128];
	pid_t guardian;
	int guard_fd;
};

/* Makes it empty. Its guardian removes it when the workload has ended, and the processes in it. */
void cgroup_begin(struct cgroup *group, const char *controller);
/* Writes to one of its files. */
void cgroup_set(const struct cgroup *group, const char *file, const char *text);
/* Removes it; its processes must have ended or left. */
void cgroup_end(struct cgroup *group);

/*
 * Puts a free loop device on the file at BACKING and copies its path to DEVICE. Gives a descriptor
 * of the device; it goes away when the last descriptor and mount of it are closed.
 */
int loop_begin(const char *backing, char device[32]);

/* BYTES of memory, touched, in pages of PAGE_BYTES. Nobody gives them back. */
#define PAGE_BYTES 4096
char *small_pages(size_t bytes);

/* The next number of a sequence that is the same in each run; STATE must not be 0. */
uint64_t random_next(uint64_t *state);

#endif
