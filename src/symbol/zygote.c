/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/zygote.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "symbol/opener.h"
#include "symbol/reader.h"
#include "symbol/sandbox.h"

/* How long a worker may take to die. */
#define END_WAIT_MS 100

union descriptor_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int socket_send(int socket, const void *bytes, size_t size, int fd)
{
	struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	union descriptor_space space = {.bytes = {0}};
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *control;

		header.msg_control = space.bytes;
		header.msg_controllen = sizeof(space.bytes);
		control = CMSG_FIRSTHDR(&header);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	}
	do
		n = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

ssize_t socket_receive(int socket, void *bytes, size_t size, int *ret_fd, int flags)
{
	struct iovec vector = {.iov_base = bytes, .iov_len = size};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	union descriptor_space space;
	struct cmsghdr *control;
	ssize_t n;

	if (ret_fd) {
		*ret_fd = -1;
		header.msg_control = space.bytes;
		header.msg_controllen = sizeof(space.bytes);
	}
	do
		n = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	control = ret_fd ? CMSG_FIRSTHDR(&header) : NULL;
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(control), sizeof(*ret_fd));
	return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

static void reader_run(int socket) __attribute__((noreturn));

static void reader_run(int socket)
{
	struct message *request = xmalloc(MESSAGE_SIZE_MAX);
	struct buffer reply = {.data = NULL};
	struct reader *reader;
	ssize_t n;
	int fd;

	prctl(PR_SET_NAME, "dashcam-reader");
	sandbox_close_files(socket);
	if (sandbox_enter())
		_exit(1);
	reader = reader_new();
	while ((n = socket_receive(socket, request, MESSAGE_SIZE_MAX, &fd, 0)) > 0) {
		reader_answer(reader, request, (size_t)n, fd, &reply);
		if (socket_send(socket, reply.data, reply.size, -1))
			break;
	}
	_exit(0);
}

static void opener_run(int socket) __attribute__((noreturn));

static void opener_run(int socket)
{
	struct opener_request request;
	struct opener_reply reply;

	prctl(PR_SET_NAME, "dashcam-opener");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sandbox_close_files(socket);
	while (socket_receive(socket, &request, sizeof(request), NULL, 0) == sizeof(request)) {
		int fd = opener_answer(&request, &reply);
		int err = socket_send(socket, &reply, sizeof(reply), fd);

		if (fd >= 0)
			close(fd);
		if (err)
			break;
	}
	_exit(0);
}

/* Starts a worker. *RET_SOCKET is the resolver's end. */
static pid_t start_worker(enum zygote_worker worker, int control, int *ret_socket)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(control);
		close(pair[0]);
		if (worker == ZYGOTE_READER)
			reader_run(pair[1]);
		opener_run(pair[1]);
	}
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		*ret_socket = pair[0];
	return pid;
}

/* Kills a worker and sees it off. One that hangs inside the kernel cannot be killed: it is not
 * waited for long. */
static void end_worker(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	for (int i = 0; i < END_WAIT_MS && waitpid(pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&pause, NULL);
	while (waitpid(-1, NULL, WNOHANG) > 0) /* earlier ones that have come to their end */
		continue;
}

void zygote_run(int control)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
	pid_t pids[ZYGOTE_WORKERS] = {0};
	sigset_t none;
	uint8_t worker;

	prctl(PR_SET_NAME, "dashcam-symbols");
	/* What stops the recorder must not stop us: it still has stacks to resolve. We end with it.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sandbox_close_files(control);
	while (socket_receive(control, &worker, 1, NULL, 0) == 1 && worker < ZYGOTE_WORKERS) {
		int socket = -1, err;

		end_worker(pids[worker]);
		pids[worker] = start_worker(worker, control, &socket);
		err = socket_send(control, &pids[worker], sizeof(pids[worker]), socket);
		if (socket >= 0)
			close(socket);
		if (err)
			break;
	}
	for (worker = 0; worker < ZYGOTE_WORKERS; worker++)
		end_worker(pids[worker]);
	_exit(0);
}
