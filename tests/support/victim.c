/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/victim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "event/schema.h"

#define PAGE_BYTES 4096
#define ARGS_MAX   32

pid_t victim_start(const char *const *argv, bool wait_ready)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (wait_ready)
			dup2(ends[1], STDOUT_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(ends[1]);
	if (wait_ready && pid > 0 && read(ends[0], &byte, 1) != 1) {
		victim_end(pid);
		pid = -1;
	}
	close(ends[0]);
	return pid;
}

void victim_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

pid_t victim_thread(pid_t pid)
{
	char path[40];
	struct dirent *entry;
	pid_t youngest = pid;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		/* listed in the order of their births; numbers may have begun again from below */
		if (atoi(entry->d_name) > 0)
			youngest = atoi(entry->d_name);
	}
	if (directory)
		closedir(directory);
	return youngest;
}

static char thread_state(pid_t pid, pid_t tid)
{
	char path[60], text[512] = "", *state;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	in = fopen(path, "re");
	if (!in)
		return '?';
	if (!fgets(text, sizeof(text), in))
		text[0] = '\0';
	fclose(in);
	state = strrchr(text, ')');
	return state && state[1] == ' ' ? state[2] : '?';
}

bool victim_wait_asleep(pid_t pid, pid_t tid)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	unsigned int asleep = 0;

	/* Twice in a row: programs sleep shortly for other reasons on their way. */
	for (int i = 0; i < 2000 && asleep < 3; i++) {
		nanosleep(&pause, NULL);
		asleep = thread_state(pid, tid) == 'S' ? asleep + 1 : 0;
	}
	return asleep >= 3;
}

bool victim_seize(pid_t tid)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0;
}

bool victim_interrupt(pid_t tid)
{
	int status;

	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 &&
	       waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status);
}

void victim_continue(pid_t tid)
{
	ptrace(PTRACE_CONT, tid, NULL, NULL);
}

void victim_detach(pid_t tid)
{
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

/* Reads memory upwards until it ends. */
static size_t read_memory(pid_t pid, uint64_t address, uint8_t *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t step = PAGE_BYTES - (address + done) % PAGE_BYTES;
		struct iovec local = {.iov_base = out + done}, remote;

		if (step > size - done)
			step = size - done;
		local.iov_len = step;
		remote.iov_base = (void *)(uintptr_t)(address + done);
		remote.iov_len = step;
		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)step)
			break;
		done += step;
	}
	return done;
}

struct event_raw_user_stack *victim_copy(pid_t pid, pid_t tid, uint64_t id)
{
	struct event_raw_user_stack *raw = xcalloc(1, sizeof(*raw) + EVENT_USER_COPY_MAX);
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &r)) {
		free(raw);
		return NULL;
	}
	memcpy(raw->regs,
	       (const uint64_t[EVENT_USER_REGS]){r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp,
						 r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
						 r.r14, r.r15, r.rip},
	       sizeof(raw->regs));
	raw->header.kind = EVENT_RAW_USER_STACK;
	raw->id = id;
	raw->pid = (uint32_t)pid;
	raw->tid = (uint32_t)tid;
	raw->copy_bytes = (uint32_t)read_memory(pid, r.rsp, raw->copy, EVENT_USER_COPY_MAX);
	raw->header.size = (uint16_t)event_align(sizeof(*raw) + raw->copy_bytes);
	return raw;
}

struct event_raw_user_stack *victim_copy_asleep(pid_t pid, pid_t tid, uint64_t id)
{
	struct event_raw_user_stack *raw = NULL;

	if (!victim_wait_asleep(pid, tid) || !victim_seize(tid))
		return NULL;
	if (victim_interrupt(tid))
		raw = victim_copy(pid, tid, id);
	victim_detach(tid);
	return raw;
}

bool victim_compile(const char *compiler, const char *source, const char *out,
		    const char *const *flags)
{
	const char *argv[ARGS_MAX] = {compiler, "-o", out, source};
	size_t count = 4;
	int status = -1;
	pid_t pid;

	while (*flags && count < ARGS_MAX - 1)
		argv[count++] = *flags++;
	pid = fork();
	if (pid == 0) {
		execvp(compiler, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
