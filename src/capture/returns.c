/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/returns.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/returns_guard.h"
#include "capture/unwinders.h"
#include "capture/uprobe.h"
#include "event/returns.h"

#define ANSWER_LIMIT_MS 10000

/* Where systems keep the libraries that walk stacks. */
static const char *const directories[] = {
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	"/lib/*-linux-gnu*",
	"/usr/lib/*-linux-gnu*",
	"/usr/lib/llvm-*/lib",
};

struct returns {
	pid_t pid;
	int socket;
	struct bpf_object *object; /* borrowed */
	struct bpf_link *iterator;
};

/* ---- can it be done? ---- */

static bool has_members(const struct btf *btf, const char *name, const char *const *members)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	for (; type && *members; members++) {
		bool is_there = false;

		for (__u32 i = 0; i < btf_vlen(type); i++) {
			const struct btf_member *member = &btf_members(type)[i];

			is_there |= !strcmp(btf__name_by_offset(btf, member->name_off), *members);
		}
		if (!is_there)
			return false;
	}
	return type != NULL;
}

static bool shows_returns(void)
{
	static const char *const task[] = {"utask", NULL};
	static const char *const utask[] = {"return_instances", NULL};
	static const char *const instance[] = {"stack", "orig_ret_vaddr", "next", NULL};
	static const char *const area[] = {"vaddr", NULL};
	struct btf *btf = btf__load_vmlinux_btf();
	bool shows = btf && has_members(btf, "task_struct", task) &&
		     has_members(btf, "uprobe_task", utask) &&
		     has_members(btf, "return_instance", instance) &&
		     has_members(btf, "xol_area", area);

	btf__free(btf);
	return shows;
}

/* Programs of uprobes that may sleep are as old as 6.0. */
static bool has_sleeping_uprobes(void)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	_cleanup_close_ int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "sleep_try", "GPL", empty,
						    ARRAY_SIZE(empty), &options);

	return program >= 0;
}

bool returns_can_be_repaired(const char **ret_why)
{
	const char *why = NULL;

	if (!shows_returns())
		why = "this kernel does not show which return addresses it has replaced";
	else if (!has_sleeping_uprobes())
		why = "programs of this kernel's uprobes cannot wait (6.0 and later)";
	if (ret_why)
		*ret_why = why;
	return !why;
}

/* ---- talking to the guard ---- */

int returns_start(struct returns **ret)
{
	struct returns *returns = xcalloc(1, sizeof(*returns));
	int pair[2];

	returns->socket = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		free(returns);
		return fail_errno(-errno, "making a socket for the guard of return addresses");
	}
	returns->pid = fork();
	if (returns->pid == 0) {
		close(pair[0]);
		guard_run(pair[1]);
	}
	close(pair[1]);
	returns->socket = pair[0];
	*ret = returns;
	if (returns->pid < 0)
		return fail_errno(-errno, "starting the guard of return addresses");
	return 0;
}

static int send_message(int socket, const struct guard_message *message, const int *fds)
{
	union {
		char bytes[CMSG_SPACE(GUARD_FDS * sizeof(int))];
		struct cmsghdr align;
	} space = {{0}};
	struct iovec part = {.iov_base = (void *)message,
			     .iov_len = offsetof(struct guard_message, path) +
					strlen(message->path) + 1};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *control;

	if (fds) {
		header.msg_control = space.bytes;
		header.msg_controllen = sizeof(space.bytes);
		control = CMSG_FIRSTHDR(&header);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(GUARD_FDS * sizeof(int));
		memcpy(CMSG_DATA(control), fds, GUARD_FDS * sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int ask(struct returns *returns, const struct guard_message *message, const int *fds,
	       struct guard_answer *ret)
{
	struct pollfd answer = {.fd = returns->socket, .events = POLLIN};
	int err = send_message(returns->socket, message, fds), ready;

	if (err)
		return err;
	do
		ready = poll(&answer, 1, ANSWER_LIMIT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return -ETIMEDOUT;
	if (recv(returns->socket, ret, sizeof(*ret), 0) != sizeof(*ret))
		return -EPIPE;
	return ret->error;
}

static int tell_file(struct returns *returns, const char *path, bool is_traced)
{
	struct guard_message message = {.kind = GUARD_FILE, .is_traced = is_traced};
	struct guard_answer answer;
	int err;

	snprintf(message.path, sizeof(message.path), "%s", path);
	err = ask(returns, &message, NULL, &answer);
	return err ? err : (int)answer.found;
}

int returns_add_traced(struct returns *returns, const char *path)
{
	return tell_file(returns, path, true);
}

static void see_file(struct returns *returns, const char *path, bool is_traced)
{
	struct guard_message message = {.kind = GUARD_FILE, .is_traced = is_traced, .is_told = 1};

	snprintf(message.path, sizeof(message.path), "%s", path);
	send_message(returns->socket, &message, NULL);
}

void returns_see_traced(struct returns *returns, const char *path)
{
	if (returns)
		see_file(returns, path, true);
}

void returns_see_mapping(struct returns *returns, uint32_t pid, const char *path)
{
	_cleanup_free_ char *seen = NULL;

	if (!returns || !unwinders_is_library(path))
		return;
	seen = xasprintf("/proc/%u/root%s", pid, path);
	see_file(returns, seen, false);
}

bool returns_is_alive(const struct returns *returns)
{
	struct pollfd socket = {.fd = returns->socket, .events = 0};

	return poll(&socket, 1, 0) == 0;
}

/* ---- what it needs ---- */

int returns_prepare(struct bpf_object *object, bool is_used)
{
	static const char *const programs[] = {"on_unwind", "on_catch"};
	struct bpf_map *requests = bpf_object__find_map_by_name(object, "return_requests");
	struct bpf_map *answers = bpf_object__find_map_by_name(object, "return_answers");
	bool has_multi = is_used && uprobe_has_multi();
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs) && has_multi && !err; i++)
		err = bpf_program__set_expected_attach_type(
			bpf_object__find_program_by_name(object, programs[i]),
			(enum bpf_attach_type)UPROBE_MULTI_TYPE);
	if (!err && is_used)
		err = bpf_map__set_max_entries(requests, RETURN_REQUESTS_BYTES);
	if (!err && is_used)
		err = bpf_map__set_max_entries(answers, RETURN_ANSWERS);
	return err ? fail_errno(err, "setting up the guard of return addresses") : 0;
}

static void guard_system(struct returns *returns)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		_cleanup_free_ char *pattern =
			xasprintf("%s/lib{gcc_s,unwind,stdc++,c++abi}.so*", directories[i]);
		glob_t found;

		if (glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++) {
			tell_file(returns, found.gl_pathv[k], false);
		}
		globfree(&found);
	}
}

/* Its program, which may have an unwinder of its own, and the libraries it has mapped. */
static void guard_process(struct returns *returns, uint32_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/maps", pid);
	_cleanup_free_ char *program = xasprintf("/proc/%u/exe", pid);
	FILE *maps = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	tell_file(returns, program, false);
	while (maps && getline(&line, &size, maps) > 0) {
		char *file = strchr(line, '/');

		if (!file)
			continue;
		file[strcspn(file, "\n")] = '\0';
		if (unwinders_is_library(file)) {
			_cleanup_free_ char *seen = xasprintf("/proc/%u/root%s", pid, file);

			tell_file(returns, seen, false);
		}
	}
	free(line);
	if (maps)
		fclose(maps);
}

static int program_fd(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

int returns_arm(struct returns *returns, struct bpf_object *object, const uint32_t *pids,
		size_t pid_count)
{
	struct bpf_program *iterator =
		bpf_object__find_program_by_name(object, "on_replaced_returns");
	struct guard_message message = {.kind = GUARD_ARM, .has_multi = uprobe_has_multi()};
	struct guard_answer answer;
	int fds[GUARD_FDS], err;

	returns->object = object;
	returns->iterator = iterator ? bpf_program__attach_iter(iterator, NULL) : NULL;
	if (!returns->iterator)
		return fail_errno(-errno, "attaching the list of replaced return addresses");
	fds[GUARD_FD_WALK] = program_fd(object, "on_unwind");
	fds[GUARD_FD_CATCH] = program_fd(object, "on_catch");
	fds[GUARD_FD_REQUESTS] = bpf_object__find_map_fd_by_name(object, "return_requests");
	fds[GUARD_FD_ANSWERS] = bpf_object__find_map_fd_by_name(object, "return_answers");
	fds[GUARD_FD_STOPPED] = bpf_object__find_map_fd_by_name(object, "return_stopped");
	fds[GUARD_FD_WANTED] = bpf_object__find_map_fd_by_name(object, "return_wanted");
	fds[GUARD_FD_ITERATOR] = bpf_link__fd(returns->iterator);
	for (size_t i = 0; i < GUARD_FDS; i++) {
		if (fds[i] < 0)
			return fail_errno(fds[i], "arming the guard of return addresses");
	}
	err = ask(returns, &message, fds, &answer);
	if (err)
		return fail_errno(err, "arming the guard of return addresses");
	guard_system(returns);
	for (size_t i = 0; i < pid_count; i++)
		guard_process(returns, pids[i]);
	return 0;
}

/* ---- the end ---- */

/* The guard was killed: those that wait for it would stay stopped. */
static void continue_stopped(struct returns *returns)
{
	int map = returns->object
			  ? bpf_object__find_map_fd_by_name(returns->object, "return_stopped")
			  : -1;
	uint32_t pid;

	while (map >= 0 && !bpf_map_get_next_key(map, NULL, &pid)) {
		kill((pid_t)pid, SIGCONT);
		bpf_map_delete_elem(map, &pid);
	}
}

void returns_finish(struct returns *returns, struct returns_report *ret)
{
	const struct guard_message message = {.kind = GUARD_FINISH};
	struct guard_answer answer = {0};

	if (ask(returns, &message, NULL, &answer))
		continue_stopped(returns);
	*ret = (struct returns_report){
		.threads = answer.threads, .failed = answer.failed, .repairs = answer.repairs};
}

void returns_release(struct returns *returns)
{
	if (!returns)
		return;
	close(returns->socket);
	waitpid(returns->pid, NULL, 0);
	bpf_link__destroy(returns->iterator);
	free(returns);
}
