/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "symbol/reader.h"
#include "symbol/zygote.h"

/* How long the zygote may take to start a reader. */
#define START_LIMIT_MS 10000

struct helper {
	pid_t zygote;
	int control; /* to the zygote; -1 in process */
	int socket;  /* to the reader; -1 while there is none */
	pid_t reader_pid;
	struct reader *reader; /* in process only */
	struct buffer reply;
	uint64_t restarts;
};

/* Waits until there is something to read. 0, -ETIMEDOUT or another error. */
static int wait_readable(int fd, unsigned int limit_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct timespec now, end;
	int64_t left_ms = limit_ms;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += limit_ms / 1000;
	for (;;) {
		n = poll(&poll_fd, 1, (int)left_ms);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left_ms = (end.tv_sec - now.tv_sec) * 1000 + limit_ms % 1000 +
			  (end.tv_nsec - now.tv_nsec) / (int64_t)NS_PER_MS;
		if (n == 0 || left_ms <= 0)
			return -ETIMEDOUT;
	}
}

static int start_reader(struct helper *helper)
{
	ssize_t n;
	int err;

	if (helper->socket >= 0)
		close(helper->socket);
	helper->socket = -1;
	helper->reader_pid = 0;
	err = socket_send(helper->control, "s", 1, -1);
	if (!err)
		err = wait_readable(helper->control, START_LIMIT_MS);
	if (err)
		return err;
	n = socket_receive(helper->control, &helper->reader_pid, sizeof(helper->reader_pid),
			   &helper->socket, 0);
	return n == sizeof(helper->reader_pid) && helper->socket >= 0 ? 0 : -ENODEV;
}

static int start_zygote(struct helper *helper)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail_errno(-errno, "making a socket for the symbol reader");
	helper->zygote = fork();
	if (helper->zygote == 0)
		zygote_run(pair[1]);
	helper->control = pair[0];
	close(pair[1]);
	if (helper->zygote < 0)
		return fail_errno(-errno, "starting the symbol reader");
	return 0;
}

int helper_new(struct helper **ret, bool in_process)
{
	struct helper *helper = xcalloc(1, sizeof(*helper));
	int err = 0;

	helper->control = helper->socket = -1;
	if (in_process)
		helper->reader = reader_new();
	else
		err = start_zygote(helper);
	if (!err && !in_process) {
		err = start_reader(helper);
		if (err)
			fail_errno(err, "starting the symbol reader");
	}
	if (err)
		helper_free(helper);
	else
		*ret = helper;
	return err;
}

void helper_free(struct helper *helper)
{
	if (!helper)
		return;
	if (helper->socket >= 0)
		close(helper->socket);
	if (helper->control >= 0)
		close(helper->control);
	/* The zygote ends by itself when its socket closes. */
	if (helper->zygote > 0)
		waitpid(helper->zygote, NULL, 0);
	reader_free(helper->reader);
	buffer_release(&helper->reply);
	free(helper);
}

/* Exchanges messages with the reader process; the reply is in helper->reply. */
static int exchange(struct helper *helper, const struct message *request, size_t size, int fd,
		    unsigned int limit_ms)
{
	int err = helper->socket >= 0 ? socket_send(helper->socket, request, size, fd) : -EPIPE;
	ssize_t n;

	if (!err)
		err = wait_readable(helper->socket, limit_ms);
	if (err)
		return err;
	buffer_clear(&helper->reply);
	n = socket_receive(helper->socket, buffer_extend(&helper->reply, MESSAGE_SIZE_MAX),
			   MESSAGE_SIZE_MAX, NULL, 0);
	helper->reply.size = n > 0 ? (size_t)n : 0;
	return n < (ssize_t)sizeof(struct message) ? -EPIPE : 0;
}

static int ask_process(struct helper *helper, const struct message *request, size_t size, int fd,
		       unsigned int limit_ms)
{
	const struct message *reply;
	int err = exchange(helper, request, size, fd, limit_ms);

	reply = (const struct message *)helper->reply.data;
	if (!err &&
	    (reply->type != request->type || reply->module != request->module || reply->error > 0))
		err = -EPIPE; /* it talks nonsense */
	if (!err)
		return 0;
	helper->restarts++;
	if (start_reader(helper))
		return -ENODEV;
	return err == -ETIMEDOUT ? -ETIMEDOUT : -EPIPE;
}

int helper_ask(struct helper *helper, const struct message *request, size_t size, int fd,
	       unsigned int limit_ms, const struct message **ret_reply, size_t *ret_size)
{
	int err = 0;

	if (helper->reader)
		reader_answer(helper->reader, request, size, fd >= 0 ? dup(fd) : -1,
			      &helper->reply);
	else
		err = ask_process(helper, request, size, fd, limit_ms);
	if (err)
		return err;
	*ret_reply = (const struct message *)helper->reply.data;
	*ret_size = helper->reply.size;
	return (*ret_reply)->error;
}

uint64_t helper_restarts(const struct helper *helper)
{
	return helper->restarts;
}

pid_t helper_reader_pid(const struct helper *helper)
{
	return helper->reader_pid;
}
