/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/target.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* Becomes the user who called sudo, so that the recorded program runs as it always does. */
static int drop_to_sudo_user(void)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	const struct passwd *user;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || !uid_text || !gid_text)
		return 0;
	uid = (uid_t)strtoul(uid_text, NULL, 10);
	gid = (gid_t)strtoul(gid_text, NULL, 10);
	user = getpwuid(uid);
	if ((user ? initgroups(user->pw_name, gid) : setgroups(0, NULL)) || setgid(gid) ||
	    setuid(uid))
		return -errno;
	if (user) {
		setenv("HOME", user->pw_dir, 1);
		setenv("USER", user->pw_name, 1);
		setenv("LOGNAME", user->pw_name, 1);
	}
	return 0;
}

/* The child's side: waits for the word, then becomes the program. Errors go back through the pipe.
 */
static void run_child(int go_fd, int error_fd, char *const *argv)
{
	sigset_t none;
	char word;
	int err;

	if (read(go_fd, &word, 1) != 1)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	err = drop_to_sudo_user();
	if (!err) {
		execvp(argv[0], argv);
		err = -errno;
	}
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int target_start(struct target *target, char *const *argv)
{
	int go[2], error[2];

	*target = (struct target){.go_fd = -1, .pidfd = -1};
	/* who started us may ignore it: then nobody would be told how the command ended */
	signal(SIGCHLD, SIG_DFL);
	if (pipe2(go, O_CLOEXEC))
		return fail_errno(-errno, "making a pipe");
	if (pipe2(error, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return fail_errno(-errno, "making a pipe");
	}
	target->pid = fork();
	if (target->pid == 0) {
		close(go[1]);
		run_child(go[0], error[1], argv);
	}
	close(go[0]);
	close(error[1]);
	if (target->pid < 0) {
		close(go[1]);
		close(error[0]);
		target->pid = 0;
		return fail_errno(-errno, "starting a process");
	}
	target->go_fd = go[1];
	target->pidfd = error[0]; /* until it runs: where its error comes from */
	return 0;
}

int target_go(struct target *target, const char *name)
{
	int error_fd = target->pidfd, err = 0;
	ssize_t n;

	n = write(target->go_fd, "g", 1);
	close(target->go_fd);
	target->go_fd = -1;
	target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	/* the pipe closes when exec succeeds */
	if (n == 1)
		n = read(error_fd, &err, sizeof(err));
	close(error_fd);
	if (n == sizeof(err)) {
		target_wait(target, true);
		return fail_errno(err, "%s cannot be run", name);
	}
	return 0;
}

bool target_wait(struct target *target, bool block)
{
	int status;

	if (target->is_reaped)
		return true;
	if (target->pid <= 0 || waitpid(target->pid, &status, block ? 0 : WNOHANG) != target->pid)
		return false;
	target->is_reaped = true;
	target->status = status;
	return true;
}

int target_exit_status(const struct target *target)
{
	if (WIFSIGNALED(target->status))
		return 128 + WTERMSIG(target->status);
	return WEXITSTATUS(target->status);
}

void target_release(struct target *target)
{
	if (target->go_fd >= 0) {
		close(target->go_fd); /* it reads the end of the pipe and exits */
		target_wait(target, true);
	}
	if (target->pidfd >= 0)
		close(target->pidfd);
	*target = (struct target){.go_fd = -1, .pidfd = -1};
}

int process_watch(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	/* ENOENT since 6.16 */
	if (errno == EINVAL || errno == ENOENT)
		return fail(-EINVAL, "%d is a thread, not a process: give its process with --pid",
			    (int)pid);
	if (errno == ESRCH)
		return fail(-ESRCH, "there is no process %d", (int)pid);
	return fail_errno(-errno, "watching process %d", (int)pid);
}
