/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "support/synth.h"
#include "support/synth_event.h"
#include "unit/unit.h"

#define ROLES_MAX 64

/* ---- what threads do ---- */

/* Stacks that every scene has. Waker's stacks, "by-...": the ways in which waits end. */
static const char common_stacks[] =
	"stack k-futex kernel schedule futex_wait_queue futex_wait do_futex do_syscall_64\n"
	"stack k-sleep kernel schedule do_nanosleep hrtimer_nanosleep do_syscall_64\n"
	"stack k-recv kernel schedule wait_woken sk_wait_data tcp_recvmsg_locked do_syscall_64\n"
	"stack k-send kernel schedule wait_woken sk_stream_wait_memory tcp_sendmsg do_syscall_64\n"
	"stack k-connect kernel schedule wait_woken inet_stream_connect do_syscall_64\n"
	"stack k-accept kernel schedule inet_csk_accept do_accept do_syscall_64\n"
	"stack k-epoll kernel schedule ep_poll do_epoll_wait do_syscall_64\n"
	"stack k-poll kernel schedule do_sys_poll do_syscall_64\n"
	"stack k-pipe kernel schedule pipe_read vfs_read do_syscall_64\n"
	"stack k-child kernel schedule do_wait kernel_wait4 do_syscall_64\n"
	"stack k-disk kernel io_schedule folio_wait_bit_common filemap_read vfs_read do_syscall_64\n"
	"stack k-inode kernel schedule rwsem_down_write_slowpath down_write ext4_buffered_write_iter "
	"vfs_write do_syscall_64\n"
	"stack u-lock user libc.so.6!pthread_mutex_lock main\n"
	"stack u-condition user libc.so.6!pthread_cond_wait main\n"
	"stack by-timer kernel hrtimer_wakeup __hrtimer_run_queues\n"
	"stack by-signal kernel signal_wake_up_state complete_signal __send_signal_locked do_send_sig_info\n"
	"stack by-child kernel do_notify_parent exit_notify do_exit\n"
	"stack by-pipe kernel ep_poll_callback pipe_write vfs_write\n"
	"stack by-unix kernel ep_poll_callback unix_stream_sendmsg sock_write_iter\n"
	"stack by-tcp kernel sock_def_readable tcp_data_queue tcp_rcv_established tcp_v4_rcv ip_rcv "
	"__netif_receive_skb net_rx_action do_softirq __local_bh_enable_ip ip_output tcp_sendmsg sock_write_iter\n"
	"stack by-packet kernel sock_def_readable tcp_data_queue tcp_rcv_established tcp_v4_rcv "
	"ip_rcv __netif_receive_skb net_rx_action common_interrupt\n";

/* Kinds of waits: the call, and the other fields of the evidence. */
static const struct {
	const char *name;
	const char *syscall;
	const char *fields;
} kinds[] = {
	{"lock", "futex",
	 "args=0x1000,128,2 futex_address=0x1000 kernel_stack=k-futex user_stack=u-lock"},
	{"condition", "futex",
	 "args=0x2000,393,0 futex_address=0x2000 kernel_stack=k-futex user_stack=u-condition"},
	{"sleep", "clock_nanosleep", "kernel_stack=k-sleep waker_kernel_stack=by-timer"},
	{"recv", "recvfrom", "object_kind=2 kernel_stack=k-recv"},
	{"send", "sendto", "object_kind=2 kernel_stack=k-send"},
	{"connect", "connect", "object_kind=2 kernel_stack=k-connect"},
	{"accept", "accept", "object_kind=2 kernel_stack=k-accept"},
	{"epoll", "epoll_wait", "kernel_stack=k-epoll"},
	{"poll", "poll", "args=0x1000,1 kernel_stack=k-poll"},
	{"pipe", "read", "kernel_stack=k-pipe"},
	{"child", "wait4", "kernel_stack=k-child"},
	{"disk", "pread64", "object_kind=1 kernel_stack=k-disk"},
	{"inode", "write", "kernel_stack=k-inode"},
	{"short", NULL, ""},
};

/* A line of the synth's language, made from the scene. */
struct scene_line {
	uint64_t time_ns;
	size_t order;
	char *text;
};

/* A thread with a CPU. */
struct role {
	unsigned int tid, pid, cpu;
};

struct script {
	struct scene_line *lines;
	size_t count, capacity;
	struct role roles[ROLES_MAX];
	size_t role_count;
	uint64_t end_ns; /* the last time in it */
};

__attribute__((format(printf, 3, 4))) static void add_line(struct script *script, uint64_t time_ns,
							   const char *format, ...)
{
	va_list args;

	array_reserve((void **)&script->lines, &script->capacity, script->count + 1,
		      sizeof(*script->lines));
	va_start(args, format);
	script->lines[script->count] = (struct scene_line){
		.time_ns = time_ns, .order = script->count, .text = xvasprintf(format, args)};
	va_end(args);
	script->count++;
}

static const struct role *role_of(const struct script *script, const char *tid, const char *line)
{
	for (size_t i = 0; i < script->role_count; i++) {
		if (script->roles[i].tid == strtoul(tid, NULL, 10))
			return &script->roles[i];
	}
	synth_die(line, tid);
}

static void read_role(struct script *script, const char *line)
{
	struct role *role = &script->roles[script->role_count++];
	char comm[EVENT_COMM_SIZE];

	if (script->role_count == ROLES_MAX ||
	    sscanf(line, "on cpu%u %u %u %15s", &role->cpu, &role->tid, &role->pid, comm) != 4)
		synth_die(line, "on cpuN TID PID COMM");
	add_line(script, 0, "thread %u %u %s", role->tid, role->pid, comm);
	add_line(script, 0, "0 cpu%u switch idle > %u", role->cpu, role->tid);
}

/* One wait of a thread that has a CPU. */
struct scene_wait {
	const struct role *role;
	const struct role *waker; /* NULL: an interrupt */
	uint64_t from_ns, wake_ns, to_ns;
	bool is_open;
	size_t kind;
	const char *fields;
};

static void add_wait(struct script *script, const struct scene_wait *wait)
{
	unsigned int tid = wait->role->tid, cpu = wait->role->cpu;
	const char *syscall = kinds[wait->kind].syscall;

	add_line(script, wait->from_ns, "%luns cpu%u switch %u:S > idle prev_syscall=%s %s",
		 wait->from_ns, cpu, tid, syscall ? syscall : "-1", syscall ? "" : wait->fields);
	if (wait->is_open && syscall)
		add_line(
			script, script->end_ns,
			"%luns cpu%u wait %u pid=%u blocked_ns=%lu prev_state=S syscall=%s flags=%u %s %s",
			script->end_ns, cpu, tid, wait->role->pid, script->end_ns - wait->from_ns,
			syscall, EVENT_WAIT_OPEN, kinds[wait->kind].fields, wait->fields);
	if (wait->is_open)
		return;
	add_line(script, wait->wake_ns, "%luns cpu%u waking %u by %u", wait->wake_ns,
		 wait->waker ? wait->waker->cpu : cpu, tid, wait->waker ? wait->waker->tid : 0);
	add_line(script, wait->to_ns, "%luns cpu%u switch idle > %u", wait->to_ns, cpu, tid);
	if (!syscall)
		return;
	add_line(
		script, wait->to_ns,
		"%luns cpu%u wait %u pid=%u blocked_ns=%lu runnable_ns=%lu prev_state=S syscall=%s "
		"waker_tid=%u waker_pid=%u %s %s",
		wait->to_ns, cpu, tid, wait->role->pid, wait->wake_ns - wait->from_ns,
		wait->to_ns - wait->wake_ns, syscall, wait->waker ? wait->waker->tid : 0,
		wait->waker ? wait->waker->pid : 0, kinds[wait->kind].fields, wait->fields);
}

/* "FROM..TO", "FROM..WAKE..TO" or "FROM..". */
static void read_times(struct scene_wait *wait, char *text, const char *line)
{
	char *second = strstr(text, ".."), *third = strstr(second + 2, "..");

	*second = '\0';
	second += 2;
	wait->from_ns = synth_time_ns(text, line);
	wait->is_open = !*second;
	if (third)
		*third = '\0';
	if (!wait->is_open)
		wait->wake_ns = wait->to_ns = synth_time_ns(second, line);
	if (third)
		wait->to_ns = synth_time_ns(third + 2, line);
}

static void read_wait(struct script *script, const char *line)
{
	char *copy = strdupa(line), *save;
	struct scene_wait wait = {.fields = ""};
	const char *tid, *kind, *waker;

	read_times(&wait, strtok_r(copy, " ", &save), line);
	tid = strtok_r(NULL, " ", &save);
	kind = strtok_r(NULL, " ", &save);
	while (wait.kind < ARRAY_SIZE(kinds) && strcmp(kinds[wait.kind].name, kind))
		wait.kind++;
	if (wait.kind == ARRAY_SIZE(kinds))
		synth_die(line, kind);
	wait.role = role_of(script, tid, line);
	if (!strncmp(save, "by ", 3)) {
		strtok_r(NULL, " ", &save);
		waker = strtok_r(NULL, " ", &save);
		wait.waker = strcmp(waker, "idle") ? role_of(script, waker, line) : NULL;
	}
	wait.fields = save;
	/* of equal times the lower CPU's event would come first, that of the waker or not */
	if (wait.waker && wait.wake_ns == wait.to_ns)
		wait.wake_ns--;
	add_wait(script, &wait);
}

static bool has_time(const char *line)
{
	return line[0] >= '0' && line[0] <= '9';
}

/* All that a line says of time is in its first word: "5ms", "1ms..4ms..5ms", "1ms..". */
static void note_times(struct script *script, const char *line)
{
	size_t first = strcspn(line, " \t");
	_cleanup_free_ char *times = xasprintf("%.*s", (int)first, line);

	for (char *dots; (dots = strstr(times, "..")); memset(dots, ' ', 2))
		;
	for (char *save, *time = strtok_r(times, " ", &save); time;
	     time = strtok_r(NULL, " ", &save)) {
		if (synth_time_ns(time, line) > script->end_ns)
			script->end_ns = synth_time_ns(time, line);
	}
}

static void read_line(struct script *script, const char *line)
{
	size_t first = strcspn(line, " \t");

	if (!strncmp(line, "on cpu", 6)) {
		read_role(script, line);
	} else if (has_time(line) && memmem(line, first, "..", 2)) {
		read_wait(script, line);
	} else {
		_cleanup_free_ char *time = xasprintf("%.*s", (int)first, line);

		add_line(script, has_time(line) ? synth_time_ns(time, line) : 0, "%s", line);
	}
}

static int compare_lines(const void *a, const void *b)
{
	const struct scene_line *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

/* ---- scenes ---- */

struct scene scene_of(struct recording *recording)
{
	struct scene scene = {.recording = recording};

	assert_int_equal(history_new(&scene.history, recording), 0);
	scene.model = history_model(scene.history);
	return scene;
}

/* Calls READ for each line that is not empty. */
static void read_lines(struct script *script, const char *text,
		       void (*read)(struct script *script, const char *line))
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *line = xasprintf("%.*s", (int)length, text);

		if (length)
			read(script, line);
		text += length + (text[length] == '\n');
	}
}

static void note_end(struct script *script, const char *line)
{
	if (has_time(line))
		note_times(script, line);
}

struct scene scene_open(const char *text)
{
	struct script script = {.lines = NULL};
	struct synth *synth = synth_new();
	struct recording *recording;

	synth_text(synth, common_stacks);
	read_lines(&script, text, note_end);
	read_lines(&script, text, read_line);
	qsort(script.lines, script.count, sizeof(*script.lines), compare_lines);
	for (size_t i = 0; i < script.count; i++) {
		synth_text(synth, script.lines[i].text);
		free(script.lines[i].text);
	}
	free(script.lines);
	recording = synth_to_memory(synth);
	synth_free(synth);
	return scene_of(recording);
}

void scene_close(struct scene *scene)
{
	history_free(scene->history);
	recording_close(scene->recording);
}

const struct thread *scene_thread(const struct scene *scene, uint32_t tid)
{
	const struct thread *found = NULL;

	for (size_t i = 0; i < model_thread_count(scene->model); i++) {
		const struct thread *thread = model_thread(scene->model, i);

		if (thread->tid != tid)
			continue;
		assert_null(found);
		found = thread;
	}
	assert_non_null(found);
	return found;
}

const struct turn *scene_turn(const struct scene *scene, uint32_t tid, size_t n)
{
	const struct thread *thread = scene_thread(scene, tid);

	assert_true(n < history_turn_count(scene->history, thread));
	return history_turn(scene->history, thread, n);
}

/* ---- as text ---- */

static uint64_t whole_us(uint64_t ns)
{
	return (ns + 500) / 1000;
}

void scene_check_account(const struct scene *scene, uint32_t tid, uint64_t from_us, uint64_t to_us,
			 const char *want)
{
	const struct thread *thread = scene_thread(scene, tid);
	struct account account = {.on_cpu_ns = 0};
	struct buffer text = {.data = NULL};

	account_add(&account, scene->history, thread, SYNTH_US(from_us), SYNTH_US(to_us));
	account_settle(&account, scene->history, thread);
	assert_int_equal(account_total_ns(&account), (to_us - from_us) * 1000);
	for (int i = 0; i < CATEGORY_COUNT; i++) {
		if (whole_us(account.ns[i]))
			buffer_printf(&text, "%s%s %lu", text.size ? " " : "",
				      category_name((enum category)i), whole_us(account.ns[i]));
	}
	assert_string_equal(text.data ? text.data : "", want);
	buffer_release(&text);
}

static void add_cause(struct buffer *text, const struct blame_cause *cause)
{
	static const char *const links[] = {[LINK_NONE] = "",
					    [LINK_HELD_BY] = " held by",
					    [LINK_WOKE] = " woken by",
					    [LINK_RAN] = " behind"};
	static const char *const ends[] = {[BLAME_LEAF] = "",
					   [BLAME_CYCLE] = ", cycle",
					   [BLAME_DEADLOCK] = ", deadlock",
					   [BLAME_TOO_LONG] = ", too long",
					   [BLAME_NOT_SEEN] = ", not seen",
					   [BLAME_NO_EVIDENCE] = ", no evidence",
					   [BLAME_NO_WAKER] = ", no waker"};

	if (!whole_us(cause->ns))
		return;
	buffer_printf(text, "%lu %s", whole_us(cause->ns), category_name(cause->category));
	for (size_t i = 0; i < cause->hop_count; i++)
		buffer_printf(text, " %u%s", cause->hops[i].thread->tid,
			      links[cause->hops[i].link]);
	buffer_printf(text, " = %s", category_name(cause->leaf));
	if (cause->culprit)
		buffer_printf(text, " %s", cause->culprit->comm);
	if (cause->culprit_count > 1)
		buffer_printf(text, " and %u more", cause->culprit_count - 1);
	if (cause->where.count)
		buffer_printf(text, " in %s", cause->where.places[0].place->function);
	if (cause->object[0])
		buffer_printf(text, " (%s)", cause->object);
	buffer_printf(text, "%s\n", ends[cause->end]);
}

void scene_check_blame(const struct scene *scene, uint32_t tid, uint64_t from_us, uint64_t to_us,
		       bool idle_counts, const char *want)
{
	struct blame *blame = blame_new(scene->history, idle_counts);
	struct buffer text = {.data = NULL};

	blame_add(blame, scene_thread(scene, tid), SYNTH_US(from_us), SYNTH_US(to_us));
	blame_finish(blame);
	for (size_t i = 0; i < blame_cause_count(blame); i++)
		add_cause(&text, blame_cause(blame, i));
	assert_string_equal(text.data ? text.data : "", want);
	buffer_release(&text);
	blame_free(blame);
}

/* ---- explanations ---- */

static struct explanation explain_query(const struct scene *scene,
					const struct explain_query *query)
{
	struct explanation explanation;

	if (explain(&explanation, scene->history, query)) {
		print_error("%s\n", fail_text());
		assert_true(!"it is explained");
	}
	return explanation;
}

struct explanation scene_explain(const struct scene *scene, uint32_t tid)
{
	struct filter filter = {.tids = &tid, .tid_count = tid != 0, .to_ns = UINT64_MAX};

	return explain_query(scene, &(struct explain_query){.filter = &filter});
}

struct explanation scene_explain_span(const struct scene *scene, const char *span)
{
	struct filter filter = {.to_ns = UINT64_MAX};

	return explain_query(scene, &(struct explain_query){.filter = &filter, .span = span});
}
