/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits in many ways, each in a process of its own for about 60 ms, the main thread of which has
 *the name of the way. Known: which category each of them is ("NAME.category", "NAME.tid").
 *
 *	waits TRUTH DIRECTORY [WAY...]		files are made in DIRECTORY, on a disk if possible
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "waits.h"

#define FILE_SIZE (8 << 20)

static char directory[200];
static int prepared; /* the file of a way that has one, made and removed by the parent */

const char *path_of(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s-%d", directory, name, getpid());
	return path;
}

/* ---- the one who ends a wait ---- */

struct helper {
	void (*act)(void *object);
	void *object;
};

static void *help(void *argument)
{
	struct helper helper = *(struct helper *)argument;

	prctl(PR_SET_NAME, "helper");
	free(argument);
	sleep_ns(NAP_NS);
	helper.act(helper.object);
	return NULL;
}

pthread_t later(void (*act)(void *), void *object)
{
	struct helper *helper = malloc(sizeof(*helper));
	pthread_t thread;

	*helper = (struct helper){act, object};
	if (pthread_create(&thread, NULL, help, helper))
		give_up("pthread_create");
	return thread;
}

static void act_nothing(void *object)
{
	(void)object;
}

static void act_signal(void *object)
{
	pthread_kill(*(pthread_t *)object, SIGUSR1);
}

static void on_signal(int number)
{
	(void)number;
}

void signal_later(void)
{
	static pthread_t self;
	struct sigaction action = {.sa_handler = on_signal};

	self = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	later(act_signal, &self);
}

/* ---- sleep, and nothing to do ---- */

static void way_nanosleep(void)
{
	sleep_ns(NAP_NS);
}

static void way_timerfd(void)
{
	struct itimerspec when = {{0}, {0, NAP_NS}};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t expired;

	timerfd_settime(timer, 0, &when, NULL);
	if (read(timer, &expired, sizeof(expired)) < 0)
		give_up("timerfd");
}

static void way_select_none(void)
{
	struct timeval time = {0, NAP_NS / NS_PER_US};

	select(0, NULL, NULL, NULL, &time);
}

static void way_poll_none(void)
{
	poll(NULL, 0, NAP_MS);
}

static void way_poll(void)
{
	int pipes[2];

	if (pipe(pipes))
		give_up("pipe");
	poll(&(struct pollfd){pipes[0], POLLIN, 0}, 1, NAP_MS);
}

static void way_select(void)
{
	struct timeval time = {0, NAP_NS / NS_PER_US};
	int event = eventfd(0, 0);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(event, &set);
	select(event + 1, &set, NULL, NULL, &time);
}

static void way_epoll(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, NAP_MS);
}

static void way_pause(void)
{
	signal_later();
	pause();
}

static void way_sigtimedwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigtimedwait(&set, NULL, &(struct timespec){0, NAP_NS});
}

static void way_sigsuspend(void)
{
	sigset_t set;

	sigemptyset(&set);
	signal_later();
	sigsuspend(&set);
}

static void way_inotify(void)
{
	char bytes[512];

	signal_later();
	if (read(inotify_init(), bytes, sizeof(bytes)) > 0)
		give_up("inotify");
}

static void way_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	signal_later();
	if (read(signalfd(-1, &set, 0), &info, sizeof(info)) > 0)
		give_up("signalfd");
}

static void way_io_getevents(void)
{
	unsigned long context = 0;
	char events[64];

	syscall(SYS_io_setup, 4, &context);
	syscall(SYS_io_getevents, context, 1, 1, events, &(struct timespec){0, NAP_NS});
}

static void way_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char byte;

	if (master < 0 || grantpt(master) || unlockpt(master))
		give_up("terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	signal_later();
	if (read(slave, &byte, 1) > 0)
		give_up("terminal");
}

/* ---- futexes ---- */

static void act_unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

/* Held by another thread for a while. */
static void *hold(void *mutex)
{
	prctl(PR_SET_NAME, "helper");
	pthread_mutex_lock(mutex);
	sleep_ns(NAP_NS * 3 / 2);
	act_unlock(mutex);
	return NULL;
}

static void wait_for_mutex(const pthread_mutexattr_t *attributes)
{
	pthread_mutex_t mutex;
	pthread_t holder;

	pthread_mutex_init(&mutex, attributes);
	pthread_create(&holder, NULL, hold, &mutex);
	while (!pthread_mutex_trylock(&mutex)) {
		pthread_mutex_unlock(&mutex);
		sched_yield();
	}
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_join(holder, NULL);
}

static void way_mutex(void)
{
	wait_for_mutex(NULL);
}

static void way_mutex_robust(void)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	wait_for_mutex(&attributes);
}

static void way_mutex_pi(void)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	wait_for_mutex(&attributes);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile bool rwlock_is_held;

static void *hold_rwlock(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "helper");
	pthread_rwlock_wrlock(&rwlock);
	rwlock_is_held = true;
	sleep_ns(NAP_NS);
	pthread_rwlock_unlock(&rwlock);
	return NULL;
}

static void way_rwlock(void)
{
	pthread_t holder;

	pthread_create(&holder, NULL, hold_rwlock, NULL);
	while (!rwlock_is_held)
		sched_yield();
	pthread_rwlock_rdlock(&rwlock);
}

static void way_condition(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += NAP_NS;
	until.tv_sec += until.tv_nsec / (long)NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&condition, &mutex, &until);
}

static void act_post(void *semaphore)
{
	sem_post(semaphore);
}

static void way_semaphore(void)
{
	sem_t semaphore;

	sem_init(&semaphore, 0, 0);
	later(act_post, &semaphore);
	sem_wait(&semaphore);
}

static void way_join(void)
{
	pthread_join(later(act_nothing, NULL), NULL);
}

static void act_meet(void *barrier)
{
	pthread_barrier_wait(barrier);
}

static void way_barrier(void)
{
	pthread_barrier_t barrier;
	pthread_t other;

	pthread_barrier_init(&barrier, NULL, 2);
	other = later(act_meet, &barrier);
	pthread_barrier_wait(&barrier);
	pthread_join(other, NULL);
}

static void way_semop(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);

	semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &(struct timespec){0, NAP_NS});
	semctl(id, 0, IPC_RMID);
}

/* ---- children ---- */

static void way_child(void)
{
	if (!fork()) {
		sleep_ns(NAP_NS);
		_exit(0);
	}
	wait(NULL);
}

static void way_vfork(void)
{
	if (!vfork()) {
		struct timespec nap = {0, NAP_NS};

		nanosleep(&nap, NULL);
		_exit(0);
	}
	wait(NULL);
}

static void way_stopped(void)
{
	pid_t self = getpid();

	if (!fork()) {
		sleep_ns(NAP_NS);
		kill(self, SIGCONT);
		_exit(0);
	}
	raise(SIGSTOP);
}

static void way_traced(void)
{
	pid_t self = getpid();

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (!fork()) {
		ptrace(PTRACE_SEIZE, self, 0, 0);
		ptrace(PTRACE_INTERRUPT, self, 0, 0);
		waitpid(self, NULL, __WALL);
		sleep_ns(NAP_NS);
		ptrace(PTRACE_DETACH, self, 0, 0);
		_exit(0);
	}
	wait(NULL);
}

/* ---- locks of the kernel ---- */

static void act_close(void *descriptor)
{
	close(*(int *)descriptor);
}

static void way_flock(void)
{
	const char *path = path_of("flock");
	int one = open(path, O_RDWR | O_CREAT, 0600), two = open(path, O_RDWR);

	unlink(path);
	flock(one, LOCK_EX);
	later(act_close, &one);
	flock(two, LOCK_EX);
}

static void way_fcntl_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const char *path = path_of("fcntl");
	int one = open(path, O_RDWR | O_CREAT, 0600), two = open(path, O_RDWR);

	unlink(path);
	fcntl(one, F_OFD_SETLK, &lock);
	later(act_close, &one);
	fcntl(two, F_OFD_SETLKW, &lock);
}

/* ---- disks ---- */

static int new_file(void)
{
	static char bytes[FILE_SIZE];
	const char *path = path_of("disk");
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || write(file, bytes, sizeof(bytes)) != sizeof(bytes) || fsync(file))
		give_up(path);
	unlink(path);
	return file;
}

/* Not in memory any more, and not read ahead. */
static int cold_file(void)
{
	int file = new_file();

	posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
	return file;
}

static int direct_file(void)
{
	int file = new_file(), direct;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	direct = open(path, O_RDONLY | O_DIRECT);
	if (direct < 0)
		give_up("O_DIRECT");
	close(file);
	return direct;
}

static void way_disk_read(void)
{
	char *block = aligned_alloc(4096, 4096);

	for (int i = 0; i < FILE_SIZE; i += 1 << 15) {
		if (pread(prepared, block, 4096, i) != 4096)
			give_up("pread");
	}
}

static void way_major_fault(void)
{
	volatile char *bytes = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, prepared, 0);

	madvise((void *)bytes, FILE_SIZE, MADV_RANDOM);
	for (int i = 0; i < FILE_SIZE; i += 1 << 15)
		(void)bytes[i];
}

static void way_fsync(void)
{
	for (int i = 0; i < 50; i++) {
		if (write(prepared, "x", 1) != 1 || fsync(prepared))
			give_up("fsync");
	}
}

struct way {
	const char *name;
	const char *category;
	void (*run)(void);
	int (*prepare)(void); /* makes the file PREPARED; may be NULL */
};

static const struct way ways[] = {
	{"nanosleep", "wait.sleep", way_nanosleep},
	{"timerfd", "wait.sleep", way_timerfd},
	{"select_none", "wait.sleep", way_select_none},
	{"poll_none", "wait.sleep", way_poll_none},
	{"poll", "wait.idle", way_poll},
	{"select", "wait.idle", way_select},
	{"epoll", "wait.idle", way_epoll},
	{"pause", "wait.idle", way_pause},
	{"sigtimedwait", "wait.idle", way_sigtimedwait},
	{"inotify", "wait.idle", way_inotify},
	{"signalfd", "wait.idle", way_signalfd},
	{"io_getevents", "wait.idle", way_io_getevents},
	{"terminal", "wait.idle", way_terminal},
	{"accept", "wait.idle", way_accept},
	{"unix_accept", "wait.idle", way_unix_accept},
	{"mutex", "lock.futex", way_mutex},
	{"mutex_robust", "lock.futex", way_mutex_robust},
	{"mutex_pi", "lock.futex", way_mutex_pi},
	{"rwlock", "lock.futex", way_rwlock},
	{"condition", "wait.condition", way_condition},
	{"semaphore", "wait.condition", way_semaphore},
	{"join", "wait.condition", way_join},
	{"barrier", "wait.condition", way_barrier},
	{"semop", "wait.condition", way_semop},
	{"child", "wait.child", way_child},
	{"vfork", "wait.child", way_vfork},
	{"stopped", "stop", way_stopped},
	{"traced", "stop", way_traced},
	{"sigsuspend", "wait.ipc", way_sigsuspend},
	{"pipe_read", "wait.ipc", way_pipe_read},
	{"pipe_write", "wait.ipc", way_pipe_write},
	{"fifo_open", "wait.ipc", way_fifo_open},
	{"unix_stream", "wait.ipc", way_unix_stream},
	{"unix_datagram", "wait.ipc", way_unix_datagram},
	{"unix_packet", "wait.ipc", way_unix_packet},
	{"unix_send", "wait.ipc", way_unix_send},
	{"unix_send_dgram", "wait.ipc", way_unix_send_dgram},
	{"eventfd", "wait.ipc", way_eventfd},
	{"message", "wait.ipc", way_message},
	{"mqueue", "wait.ipc", way_mqueue},
	{"tcp_receive", "net.recv", way_tcp_receive},
	{"udp_receive", "net.recv", way_udp_receive},
	{"tcp_send", "net.send", way_tcp_send},
	{"connect", "net.connect", way_connect},
	{"flock", "lock.kernel", way_flock},
	{"fcntl_lock", "lock.kernel", way_fcntl_lock},
	{"disk_read", "io.disk", way_disk_read, cold_file},
	{"disk_direct", "io.disk", way_disk_read, direct_file},
	{"major_fault", "mem.fault", way_major_fault, cold_file},
	{"fsync", "io.*", way_fsync, new_file},
};

static void run(const struct way *way, int truth)
{
	char key[64];
	pid_t child;

	prepared = way->prepare ? way->prepare() : -1;
	child = fork();
	if (child) {
		waitpid(child, NULL, 0);
		close(prepared);
		return;
	}
	snprintf(key, sizeof(key), "%s.tid", way->name);
	truth_number(truth, key, getpid());
	snprintf(key, sizeof(key), "%s.category", way->name);
	truth_text(truth, key, way->category);
	prctl(PR_SET_NAME, way->name);
	way->run();
	_exit(0);
}

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int truth;

	if (argc < 3)
		usage("TRUTH DIRECTORY [WAY...]");
	truth = truth_open(argv[1]);
	snprintf(directory, sizeof(directory), "%s", argv[2]);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (is_wanted(ways[i].name, argv + 3))
			run(&ways[i], truth);
	}
	return 0;
}
