/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/function_choice.h"
#include "capture/hooks.h"

/* The logs are drained every so often: seldom while they fill slowly, at most this often when a
 * storm comes. Half a second also bounds what a kill -9 of the recorder can lose. */
#define DRAIN_MIN_NS   (5 * NS_PER_MS)
#define DRAIN_MAX_NS   (400 * NS_PER_MS)
#define DRAIN_START_NS (50 * NS_PER_MS)

/* At least so often where somebody waits for what a drain may find. */
#define DRAIN_HASTE_NS (20 * NS_PER_MS)

/* Walking a kernel stack takes 2 us: with --min-wait 0 on every wake-up it would double the cost,
 * for waits so short that nobody asks who ended them. */
#define WAKER_STACK_MIN_NS (100 * NS_PER_US)

const char *const session_stack_names[] = {"auto", "fp", "dwarf", "none", NULL};
const char *const session_hook_names[] = {"auto", "kick", "exit", "kprobe", "degraded", NULL};

static int find_probe(const char *name, uint32_t *ret_bits)
{
	for (enum probe_id id = 0; id < PROBE_COUNT; id++) {
		if (!strcmp(probes[id].name, name)) {
			*ret_bits |= PROBE_BIT(id);
			return 0;
		}
	}
	return fail(-EINVAL, "there is no probe '%s': see dashcam probes", name);
}

/* --probe sample,signal: those and what is always on. Without --probe what is on by default. */
static int read_probes(const struct session_values *values, uint32_t *ret_bits)
{
	*ret_bits = 0;
	for (enum probe_id id = 0; values->probes.count == 0 && id < PROBE_COUNT; id++)
		*ret_bits |= probes[id].mode == PROBE_BY_DEFAULT ? PROBE_BIT(id) : 0;
	for (size_t i = 0; i < values->probes.count; i++) {
		_cleanup_free_ char *names = xstrdup(values->probes.items[i]);
		char *rest = names, *name;

		while ((name = strsep(&rest, ","))) {
			int err = find_probe(name, ret_bits);

			if (err)
				return err;
		}
	}
	if (values->spans.count > 0 || values->functions.count > 0)
		*ret_bits |= PROBE_BIT(PROBE_FUNCTION);
	else if (*ret_bits & PROBE_BIT(PROBE_FUNCTION))
		return fail(-EINVAL, "--probe function wants to know of what: add -F FUNCTION, or "
				     "--span NAME=BINARY:FUNCTION");
	return 0;
}

static int read_left_out(const struct session_values *values, uint64_t *ret_bits)
{
	for (size_t i = 0; i < values->without.count; i++) {
		int err = hook_names_read(values->without.items[i], ret_bits);

		if (err)
			return fail(err, "--without");
	}
	return 0;
}

static int read_pids(const struct session_values *values, struct session *session, uint32_t *pids)
{
	for (size_t i = 0; i < values->pids.count; i++) {
		uint64_t pid;
		int err = parse_number(values->pids.items[i], 1, INT32_MAX, &pid);

		if (err)
			return fail(err, "--pid");
		pids[i] = (uint32_t)pid;
		session->watched[i] = process_watch((pid_t)pid);
		if (session->watched[i] < 0)
			return fail(session->watched[i], "--pid");
		session->watched_count++;
	}
	return 0;
}

/* The signals that end a session come as something to poll for. Forked children get them back. */
static int catch_signals(struct session *session)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fail_errno(-errno, "blocking signals");
	session->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signal_fd < 0 ? fail_errno(-errno, "making a signal descriptor") : 0;
}

/* Room for a few descriptors per CPU and one per --pid. */
static void allow_descriptors(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* -F and -N as the capture wants them; the caller frees it. */
static struct function_wish *make_wishes(const struct session_values *values)
{
	struct function_wish *wishes = xcalloc(values->functions.count + 1, sizeof(*wishes));

	for (size_t i = 0; i < values->functions.count; i++) {
		const struct option_item *item = &values->functions.items[i];

		wishes[i] = (struct function_wish){
			.is_excluded = !strcmp(item->option, "no-function"), .text = item->text};
	}
	return wishes;
}

/* What says how functions are traced says nothing without functions. */
static int check_functions(const struct session_values *values)
{
	bool is_limited = values->min_call_ns || values->max_call_rate || values->max_call_depth ||
			  values->cheap_only;

	if (values->functions.count > 0 || !is_limited)
		return 0;
	return fail(-EINVAL,
		    "--min-time, --max-rate, --depth and --cheap-only are about functions: "
		    "name some with -F, such as -F '*'");
}

static int open_capture(struct session *session, const struct session_values *values,
			const struct capture_sink *sink, uint32_t *pids, const char *command)
{
	_cleanup_free_ struct function_wish *wishes = make_wishes(values);
	struct capture_options options = {
		.min_wait_ns = values->min_wait_ns,
		.user_stack = (enum user_stack_mode)values->user_stack,
		.source_lines = values->source_lines,
		.pids = pids,
		.pid_count = values->pids.count,
		.comms = values->comms.items,
		.comm_count = values->comms.count,
		.switch_log_bytes = values->switch_log_bytes,
		.evidence_log_bytes = values->evidence_log_bytes,
		.evidence_hook = (int)values->hook - 1,
		.spans = values->spans.items,
		.span_count = values->spans.count,
		.spans_anyway = values->spans_anyway,
		.wishes = wishes,
		.wish_count = values->functions.count,
		.cheap_only = values->cheap_only,
		.min_call_ns = values->min_call_ns,
		.max_call_rate = values->max_call_rate,
		.max_call_depth = values->max_call_depth,
		.call_log_bytes = values->call_log_bytes,
		.command = command,
		.sink = *sink,
	};
	int err = check_functions(values);

	if (!err)
		err = read_probes(values, &options.probes);
	options.waker_stack_ns = values->waker_stack_ns;
	if (values->waker_stack_ns == UINT64_MAX)
		options.waker_stack_ns = values->min_wait_ns > WAKER_STACK_MIN_NS
						 ? values->min_wait_ns
						 : WAKER_STACK_MIN_NS;

	if (!err)
		err = read_left_out(values, &options.left_out);
	if (err)
		return err;
	if (values->rate_hz > 10000)
		return fail(-EINVAL, "--rate: at most 10000 samples a second");
	options.sample_rate_hz = values->rate_hz;
	if (session->target.pid > 0) {
		pids[options.pid_count++] = (uint32_t)session->target.pid;
		options.follow_children = true;
	}
	return capture_open(&session->capture, &options);
}

static void close_descriptors(struct session *session)
{
	for (size_t i = 0; i < session->watched_count; i++) {
		if (session->watched[i] >= 0)
			close(session->watched[i]);
	}
	free(session->watched);
	session->watched = NULL;
	session->watched_count = 0;
	if (session->signal_fd >= 0)
		close(session->signal_fd);
	session->signal_fd = -1;
}

static int start_parts(struct session *session, const struct session_values *values,
		       const struct capture_sink *sink, int command_count, char **command)
{
	_cleanup_free_ uint32_t *pids = xcalloc(values->pids.count + 1, sizeof(*pids));
	int err = 0;

	session->watched = xcalloc(values->pids.count + 1, sizeof(*session->watched));
	/* the command first: it has our limits as they were */
	if (command_count > 0)
		err = target_start(&session->target, command);
	if (!err)
		err = catch_signals(session);
	allow_descriptors();
	if (!err)
		err = read_pids(values, session, pids);
	if (!err)
		err = open_capture(session, values, sink, pids,
				   command_count > 0 ? command[0] : NULL);
	if (err)
		return err;
	/* who drains what everybody else writes must get its CPU in time; but not its helpers,
	 * which are running already */
	setpriority(PRIO_PROCESS, 0, -15);
	err = capture_start(session->capture);
	if (!err && session->target.pid > 0)
		err = target_go(&session->target, command[0]);
	session->command_failed = session->target.is_reaped;
	return err;
}

int session_start(struct session *session, const struct session_values *values,
		  const struct capture_sink *sink, int command_count, char **command)
{
	int err;

	*session = (struct session){.signal_fd = -1, .target = {.go_fd = -1, .pidfd = -1}};
	err = start_parts(session, values, sink, command_count, command);
	session->start_ns = capture_now_ns();
	session->deadline_ns =
		values->duration_ns ? session->start_ns + values->duration_ns : UINT64_MAX;
	if (err) {
		if (session->capture)
			capture_stop(session->capture);
		capture_close(session->capture, NULL, NULL);
		target_release(&session->target);
		close_descriptors(session);
	}
	return err;
}

/* A signal that a person or program sent to us is passed to the command, whose end will be ours.
 * One from the terminal has reached the command already. A second one ends the session at once. */
static bool take_signals(struct session *session)
{
	struct signalfd_siginfo info;
	bool ends = false;

	while (read(session->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		session->signals++;
		if (session->target.pid <= 0 || session->target.is_reaped || session->signals > 1)
			ends = true;
		else if (info.ssi_code == SI_USER || info.ssi_code == SI_QUEUE)
			kill(session->target.pid, (int)info.ssi_signo);
	}
	return ends;
}

/* Waits up to WAIT_NS. True: the session is over, and *ret_end says why. */
static bool wait_for_end(struct session *session, uint64_t wait_ns, enum session_end *ret_end)
{
	_cleanup_free_ struct pollfd *fds = xcalloc(2 + session->watched_count, sizeof(*fds));
	nfds_t count = 0;
	size_t alive = 0;
	struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
				.tv_nsec = (long)(wait_ns % NS_PER_S)};

	fds[count++] = (struct pollfd){.fd = session->signal_fd, .events = POLLIN};
	fds[count++] = (struct pollfd){.fd = session->target.pidfd, .events = POLLIN};
	for (size_t i = 0; i < session->watched_count; i++)
		fds[count++] = (struct pollfd){.fd = session->watched[i], .events = POLLIN};
	ppoll(fds, count, &wait, NULL);
	if (fds[0].revents && take_signals(session)) {
		*ret_end = SESSION_SIGNAL;
		return true;
	}
	for (size_t i = 0; i < session->watched_count; i++) {
		if (fds[i + 2].revents) {
			close(session->watched[i]);
			session->watched[i] = -1;
		}
		alive += session->watched[i] >= 0;
	}
	*ret_end = SESSION_TARGET;
	return (session->target.pid > 0 && target_wait(&session->target, false)) ||
	       (session->watched_count > 0 && alive == 0);
}

/* Fills up fast: drain more often. Stays empty: let it be. */
static uint64_t next_interval(uint64_t interval_ns, const struct capture_totals *totals)
{
	uint64_t max_ns = totals->expects_mappings ? DRAIN_HASTE_NS : DRAIN_MAX_NS;

	if (totals->fill > 0.25)
		interval_ns /= 2;
	else if (totals->fill < 0.06)
		interval_ns += interval_ns / 4;
	if (interval_ns < DRAIN_MIN_NS)
		return DRAIN_MIN_NS;
	return interval_ns > max_ns ? max_ns : interval_ns;
}

int session_run(struct session *session, uint64_t tick_ns, int (*tick)(void *context),
		void *context, enum session_end *ret_end)
{
	uint64_t interval_ns = DRAIN_START_NS;

	for (;;) {
		uint64_t now_ns = capture_now_ns(), wait_ns = interval_ns;
		struct capture_totals totals;
		bool is_over;
		int err;

		if (wait_ns > tick_ns)
			wait_ns = tick_ns;
		if (session->deadline_ns - now_ns < wait_ns || session->deadline_ns < now_ns)
			wait_ns = session->deadline_ns > now_ns ? session->deadline_ns - now_ns : 0;
		is_over = wait_for_end(session, wait_ns, ret_end);
		if (!is_over && capture_now_ns() >= session->deadline_ns) {
			*ret_end = SESSION_TIME;
			is_over = true;
		}
		err = capture_drain(session->capture);
		if (!err && tick)
			err = tick(context);
		if (err) {
			*ret_end = SESSION_ERROR;
			return err;
		}
		if (is_over)
			return 0;
		capture_totals(session->capture, &totals);
		interval_ns = next_interval(interval_ns, &totals);
	}
}

int session_stop(struct session *session, void (*progress)(void *context, uint64_t waiting),
		 void *context, struct capture_totals *ret_totals)
{
	int err;

	capture_stop(session->capture);
	err = capture_drain(session->capture);
	if (ret_totals)
		capture_totals(session->capture, ret_totals);
	capture_close(session->capture, progress, context);
	session->capture = NULL;
	return err;
}

int session_wait_command(struct session *session)
{
	enum session_end ignored;
	int status = 0;

	if (session->target.pid > 0) {
		session->signals = 0;
		while (!target_wait(&session->target, false))
			wait_for_end(session, NS_PER_S, &ignored);
		status = target_exit_status(&session->target);
	}
	target_release(&session->target);
	close_descriptors(session);
	return status;
}
