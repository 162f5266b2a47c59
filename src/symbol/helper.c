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

/* How long the zygote may take to start a worker. */
#define START_LIMIT_MS 10000

/* How long a file system may take to open a file. */
#define OPEN_LIMIT_MS 1000

struct worker {
	pid_t pid;
	int socket; /* -1 while there is none */
	uint64_t restarts;
};

struct helper {
	pid_t zygote;
	int control; /* to the zygote; -1 in process */
	struct worker workers[ZYGOTE_WORKERS];
	struct reader *reader; /* in process only */
	struct buffer reply;
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

static int start_worker(struct helper *helper, enum zygote_worker kind)
{
	struct worker *worker = &helper->workers[kind];
	const uint8_t command = kind;
	ssize_t n;
	int err;

	if (worker->socket >= 0)
		close(worker->socket);
	worker->socket = -1;
	worker->pid = 0;
	err = socket_send(helper->control, &command, sizeof(command), -1);
	if (!err)
		err = wait_readable(helper->control, START_LIMIT_MS);
	if (err)
		return err;
	n = socket_receive(helper->control, &worker->pid, sizeof(worker->pid), &worker->socket, 0);
	return n == sizeof(worker->pid) && worker->socket >= 0 ? 0 : -ENODEV;
}

/* Instead of one that has died, hangs or talks nonsense. */
static int restart_worker(struct helper *helper, enum zygote_worker kind)
{
	helper->workers[kind].restarts++;
	return start_worker(helper, kind) ? -ENODEV : 0;
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

	helper->control = -1;
	for (unsigned int kind = 0; kind < ZYGOTE_WORKERS; kind++)
		helper->workers[kind].socket = -1;
	if (in_process)
		helper->reader = reader_new();
	else
		err = start_zygote(helper);
	for (unsigned int kind = 0; kind < ZYGOTE_WORKERS && !in_process && !err; kind++) {
		err = start_worker(helper, kind);
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
	for (unsigned int kind = 0; kind < ZYGOTE_WORKERS; kind++) {
		if (helper->workers[kind].socket >= 0)
			close(helper->workers[kind].socket);
	}
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
	int socket = helper->workers[ZYGOTE_READER].socket;
	int err = socket >= 0 ? socket_send(socket, request, size, fd) : -EPIPE;
	ssize_t n;

	if (!err)
		err = wait_readable(socket, limit_ms);
	if (err)
		return err;
	buffer_clear(&helper->reply);
	n = socket_receive(socket, buffer_extend(&helper->reply, MESSAGE_SIZE_MAX),
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
	if (restart_worker(helper, ZYGOTE_READER))
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

int helper_open(struct helper *helper, const struct opener_request *request,
		struct opener_reply *reply)
{
	int socket = helper->workers[ZYGOTE_OPENER].socket, fd = -1;
	int err;

	if (helper->reader)
		return opener_answer(request, reply);
	err = socket >= 0 ? socket_send(socket, request, sizeof(*request), -1) : -EPIPE;
	if (!err)
		err = wait_readable(socket, OPEN_LIMIT_MS);
	if (!err && socket_receive(socket, reply, sizeof(*reply), &fd, 0) != sizeof(*reply))
		err = -EPIPE;
	if (!err)
		return fd >= 0 ? fd : reply->error < 0 ? reply->error : -EMFILE;
	if (fd >= 0)
		close(fd);
	restart_worker(helper, ZYGOTE_OPENER);
	return err;
}

uint64_t helper_restarts(const struct helper *helper)
{
	return helper->workers[ZYGOTE_READER].restarts;
}

pid_t helper_pid(const struct helper *helper, enum zygote_worker worker)
{
	return helper->workers[worker].pid;
}
