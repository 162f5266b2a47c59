/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/returns_guard.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/units.h"
#include "capture/returns_write.h"
#include "capture/unwinders.h"
#include "symbol/resolver.h"
#include "symbol/sandbox.h"

/* Once return addresses are no longer replaced, one look finds all. Another tool may replace some,
 * too, and the probes of a recorder that was killed go a moment after it. */
#define FINISH_ROUNDS   3
#define FINISH_PAUSE_NS (50 * NS_PER_MS)
#define DEATH_WAIT_MS   5000

#define SERVER_LOOK_MS 100 /* whether it is over */

struct guard {
	int socket;
	int recorder; /* pidfd */
	int fds[GUARD_FDS];
	bool is_finished;
	bool has_priority;
	pthread_t server; /* valid if there are requests */
	atomic_bool is_over;
	struct ring_buffer *requests; /* NULL: not armed yet; of the server */
	volatile uint64_t *answers;
	uint64_t repairs;
	uint32_t stopped[RETURN_STOPPED_MAX]; /* processes to be continued once the ring is empty */
	size_t stopped_count;
	struct unwinders unwinders;
	ino_t *traced; /* files whose functions are traced */
	size_t traced_count, traced_capacity;
	struct resolver *resolver;
};

/* ---- the server: a thread of its own, so that whoever waits is served whatever else goes on ----
 */

static void continue_process(struct guard *guard, uint32_t pid)
{
	kill((pid_t)pid, SIGCONT);
	bpf_map_delete_elem(guard->fds[GUARD_FD_STOPPED], &pid);
}

/* Another thread of a process may have asked behind the one that stopped it, and have given up
 * since the process is being stopped anyway: it must not go on before its request was served, too.
 */
static void continue_stopped(struct guard *guard)
{
	while (guard->stopped_count > 0)
		continue_process(guard, guard->stopped[--guard->stopped_count]);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int take_request(void *context, void *data, size_t size)
{
	struct guard *guard = context;
	const struct return_request *request = data; /* the ring's memory is not to be written to */
	struct replaced_returns returns;

	if (size < sizeof(*request))
		return 0;
	if (request->kind == RETURN_CONTINUE) {
		if (guard->stopped_count == ARRAY_SIZE(guard->stopped))
			continue_stopped(guard);
		guard->stopped[guard->stopped_count++] = request->returns.pid;
		return 0;
	}
	returns = request->returns;
	/* if it has not been waiting for long, it still is, and its stack is as it was */
	if (monotonic_ns() < request->limit_ns || returns_check(&returns) > 0)
		returns_write(&returns);
	guard->repairs++;
	guard->answers[request->ticket % RETURN_ANSWERS] = request->ticket;
	return 0;
}

static void *serve_requests(void *context)
{
	struct guard *guard = context;

	returns_take_priority();
	while (!guard->is_over) {
		ring_buffer__poll(guard->requests, SERVER_LOOK_MS);
		continue_stopped(guard);
	}
	ring_buffer__consume(guard->requests);
	continue_stopped(guard);
	return NULL;
}

/* Call it when nobody can make requests any more. */
static void end_server(struct guard *guard)
{
	uint32_t pid;

	if (!guard->requests)
		return;
	guard->is_over = true;
	pthread_join(guard->server, NULL);
	while (!bpf_map_get_next_key(guard->fds[GUARD_FD_STOPPED], NULL, &pid))
		continue_process(guard, pid);
	ring_buffer__free(guard->requests);
}

/* ---- when it is over ---- */

/* Gives the lists of the thread WANTED, or of all (0), to TAKE. */
static int read_lists(struct guard *guard, uint32_t wanted,
		      void (*take)(void *context, const struct replaced_returns *returns),
		      void *context)
{
	const uint32_t zero = 0;
	struct replaced_returns returns;
	size_t filled = 0;
	ssize_t n;
	_cleanup_close_ int iterator = -1;

	if (bpf_map_update_elem(guard->fds[GUARD_FD_WANTED], &zero, &wanted, BPF_ANY))
		return -errno;
	iterator = bpf_iter_create(guard->fds[GUARD_FD_ITERATOR]);
	if (iterator < 0)
		return -errno;
	while ((n = read(iterator, (char *)&returns + filled, sizeof(returns) - filled)) > 0) {
		filled += (size_t)n;
		if (filled < sizeof(returns))
			continue;
		filled = 0;
		take(context, &returns);
	}
	return n < 0 ? -errno : 0;
}

struct lists {
	struct replaced_returns *items;
	size_t count, capacity;
};

static void add_list(void *context, const struct replaced_returns *returns)
{
	struct lists *lists = context;

	array_reserve((void **)&lists->items, &lists->capacity, lists->count + 1,
		      sizeof(*lists->items));
	lists->items[lists->count++] = *returns;
}

static void copy_list(void *context, const struct replaced_returns *returns)
{
	*(struct replaced_returns *)context = *returns;
}

static bool is_traced(const struct guard *guard, ino_t inode)
{
	for (size_t i = 0; i < guard->traced_count; i++) {
		if (guard->traced[i] == inode)
			return true;
	}
	return false;
}

/* Is the function in a file that we trace? File systems in layers show other devices in /proc than
 * elsewhere, so the inode has to do. */
static bool is_ours(const struct guard *guard, FILE *maps, uint64_t function)
{
	unsigned long long start, end, inode;
	char line[8192];

	rewind(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx %*s %*s %*s %llu", &start, &end, &inode) == 3 &&
		    function >= start && function < end)
			return is_traced(guard, (ino_t)inode);
	}
	return false;
}

/* Other tools have probes, too, and want to see their returns. */
static void forget_others(const struct guard *guard, struct replaced_returns *returns)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/maps", returns->pid);
	FILE *maps = fopen(path, "re");

	for (uint32_t i = 0; i < returns->count && i < RETURNS_MAX; i++) {
		struct return_place *place = &returns->places[i];

		if (place->at && (!maps || !is_ours(guard, maps, place->function)))
			place->at = 0;
	}
	if (maps)
		fclose(maps);
}

/* Of the places of NOW those that are in WAS as well. */
static void keep_common(struct replaced_returns *now, const struct replaced_returns *was)
{
	for (uint32_t i = 0; i < now->count && i < RETURNS_MAX; i++) {
		bool is_in = false;

		for (uint32_t k = 0; k < was->count && k < RETURNS_MAX; k++)
			is_in |= was->places[k].at == now->places[i].at &&
				 was->places[k].function == now->places[i].function;
		if (!is_in)
			now->places[i].at = 0;
	}
}

/* The thread may have run since it was looked at: its list is read again once it cannot. It has
 * been read before, so that nothing has to be waited for while it is frozen. */
static int put_back(struct guard *guard, const struct replaced_returns *returns)
{
	struct replaced_returns now = {.count = 0};
	struct returns_frozen frozen;
	int err = returns_freeze(&frozen, (pid_t)returns->pid, (pid_t)returns->tid,
				 guard->has_priority);

	if (err)
		return err;
	err = read_lists(guard, returns->tid, copy_list, &now);
	keep_common(&now, returns);
	if (!err && returns_check(&now) > 0)
		err = returns_write(&now);
	returns_thaw(&frozen);
	return err;
}

/* Returns how many threads had something to be put back. */
static size_t finish_round(struct guard *guard, struct guard_answer *answer)
{
	struct lists lists = {0};
	size_t found = 0;

	answer->failed = 0;
	read_lists(guard, 0, add_list, &lists);
	for (size_t i = 0; i < lists.count; i++) {
		int err;

		forget_others(guard, &lists.items[i]);
		if (returns_check(&lists.items[i]) <= 0)
			continue;
		found++;
		err = put_back(guard, &lists.items[i]);
		answer->threads += err == 0;
		answer->failed += err && err != -ESRCH;
	}
	free(lists.items);
	return found;
}

static void finish(struct guard *guard, struct guard_answer *answer)
{
	const struct timespec pause = {.tv_nsec = FINISH_PAUSE_NS};

	for (int round = 0; guard->requests && round < FINISH_ROUNDS; round++) {
		if (finish_round(guard, answer) == 0)
			break;
		if (round + 1 < FINISH_ROUNDS)
			nanosleep(&pause, NULL);
	}
}

/* The recorder was killed. Its probes go when all its descriptors are closed, which they are when
 * it can be waited for. */
static void finish_alone(struct guard *guard)
{
	struct pollfd recorder = {.fd = guard->recorder, .events = POLLIN};
	struct guard_answer ignored = {0};

	poll(&recorder, 1, DEATH_WAIT_MS);
	finish(guard, &ignored);
}

/* ---- messages ---- */

static int receive(struct guard *guard, struct guard_message *message)
{
	union {
		char bytes[CMSG_SPACE(GUARD_FDS * sizeof(int))];
		struct cmsghdr align;
	} space;
	struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = space.bytes,
				.msg_controllen = sizeof(space.bytes)};
	struct cmsghdr *control;
	ssize_t n = recvmsg(guard->socket, &header, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return n < 0 && errno == EINTR ? -EAGAIN : -EPIPE;
	control = CMSG_FIRSTHDR(&header);
	if (control && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(GUARD_FDS * sizeof(int)))
		memcpy(guard->fds, CMSG_DATA(control), sizeof(guard->fds));
	message->path[sizeof(message->path) - 1] = '\0';
	return 0;
}

static int arm(struct guard *guard, const struct guard_message *message)
{
	void *answers = mmap(NULL, RETURN_ANSWERS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			     MAP_SHARED, guard->fds[GUARD_FD_ANSWERS], 0);
	int err;

	if (answers == MAP_FAILED)
		return -errno;
	guard->answers = answers;
	guard->requests =
		ring_buffer__new(guard->fds[GUARD_FD_REQUESTS], take_request, guard, NULL);
	if (!guard->requests)
		return -errno;
	guard->unwinders.walk_fd = guard->fds[GUARD_FD_WALK];
	guard->unwinders.catch_fd = guard->fds[GUARD_FD_CATCH];
	guard->unwinders.has_multi = message->has_multi;
	guard->has_priority = returns_take_priority();
	err = thread_start(&guard->server, serve_requests, guard);
	if (err)
		guard->requests = NULL;
	return err;
}

static void remember_traced(struct guard *guard, const char *path)
{
	struct stat status;

	if (stat(path, &status) || is_traced(guard, status.st_ino))
		return;
	array_reserve((void **)&guard->traced, &guard->traced_capacity, guard->traced_count + 1,
		      sizeof(*guard->traced));
	guard->traced[guard->traced_count++] = status.st_ino;
}

/* Returns false when the guard's life is over. */
static bool serve_recorder(struct guard *guard)
{
	struct guard_answer answer = {0};
	struct guard_message message = {0};
	int err = receive(guard, &message), found;

	if (err)
		return err == -EAGAIN;
	switch (message.kind) {
	case GUARD_ARM:
		answer.error = arm(guard, &message);
		break;
	case GUARD_FILE:
		if (message.is_traced)
			remember_traced(guard, message.path);
		found = unwinders_add(&guard->unwinders, guard->resolver, message.path);
		fail_clear();
		answer.error = found < 0 ? found : 0;
		answer.found = found < 0 ? 0 : (uint32_t)found;
		break;
	case GUARD_FINISH:
		finish(guard, &answer);
		answer.repairs = guard->repairs;
		guard->is_finished = true;
		break;
	default:
		return false;
	}
	if (message.is_told)
		return true;
	return send(guard->socket, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer) &&
	       !guard->is_finished;
}

/* Who is killed when memory runs out must not be us: others wait for us. */
static void stay_alive(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	if (!file)
		return;
	fputs("-1000", file);
	fclose(file);
}

static void ignore_event(void *context, const struct event_header *event)
{
	(void)context;
	(void)event;
}

void guard_run(int socket)
{
	const struct resolver_options options = {.sink = ignore_event};
	struct guard guard = {.socket = socket};
	sigset_t all;

	prctl(PR_SET_NAME, "dashcam-guard");
	/* what ends or stops the recorder, or all of its terminal, must not end or stop us */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	guard.recorder = (int)syscall(SYS_pidfd_open, getppid(), 0);
	if (resolver_new(&guard.resolver, &options))
		_exit(1);
	stay_alive();
	while (serve_recorder(&guard))
		continue;
	if (guard.requests && !guard.is_finished)
		finish_alone(&guard);
	unwinders_release(&guard.unwinders);
	end_server(&guard);
	resolver_free(guard.resolver);
	_exit(0);
}
