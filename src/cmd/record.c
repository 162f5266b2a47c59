/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dashcam record: from the kernel's logs to a file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/fact.h"
#include "cmd/command.h"
#include "cmd/facts.h"
#include "cmd/session.h"
#include "cmd/write_queue.h"
#include "event/schema.h"
#include "recording/recording.h"

#define PROGRESS_NS (500 * NS_PER_MS)
#define FLUSH_NS    (NS_PER_S / 2)

struct record_values {
	struct session_values session;
	const char *output;
	bool quiet;
};

static const struct option_row record_rows[] = {
	OPTION("output", 'o', OPTION_TEXT, struct record_values, output, "FILE",
	       "write to FILE (default: dashcam-DATE-TIME.dcam)"),
	SESSION_OPTIONS(struct record_values, session),
	OPTION("quiet", 'q', OPTION_FLAG, struct record_values, quiet, NULL,
	       "no progress and no summary"),
	OPTIONS_END,
};

static const struct record_values record_defaults = {.session = SESSION_DEFAULTS};

struct recorder {
	struct write_queue *queue;
	struct session session;
	bool shows_progress;
	uint64_t last_progress_ns;
	uint64_t last_events;
	struct capture_totals totals;
};

/* ---- the sink ---- */

static int take_switches(void *context, uint16_t cpu, const void *events, size_t size)
{
	return write_queue_add(((struct recorder *)context)->queue, STREAM_SWITCH, cpu, events,
			       size);
}

static int take_evidence(void *context, uint16_t cpu, const void *events, size_t size)
{
	return write_queue_add(((struct recorder *)context)->queue, STREAM_EVIDENCE, cpu, events,
			       size);
}

static int take_calls(void *context, uint16_t cpu, const void *events, size_t size)
{
	return write_queue_add(((struct recorder *)context)->queue, STREAM_CALL, cpu, events, size);
}

static void take_table(void *context, const struct event_header *event)
{
	/* an error is kept by the queue, and noticed by the thread that drains */
	if (write_queue_add(((struct recorder *)context)->queue, STREAM_TABLE, 0, event,
			    event->size))
		fail_clear();
}

/* What was asked for, as the user would write it. */
static void write_request(const struct capture_sink *sink, const struct record_values *values,
			  int count, char **command)
{
	struct buffer text = {0};

	for (int i = 0; i < count; i++)
		buffer_printf(&text, "%s%s", i ? " " : "", command[i]);
	fact_tell(sink, "command", text.data ? text.data : "");
	buffer_clear(&text);
	for (size_t i = 0; i < values->session.pids.count; i++)
		buffer_printf(&text, "%s--pid %s", text.size ? " " : "",
			      values->session.pids.items[i]);
	for (size_t i = 0; i < values->session.comms.count; i++)
		buffer_printf(&text, "%s--comm %s", text.size ? " " : "",
			      values->session.comms.items[i]);
	if (count > 0)
		buffer_printf(&text, "%sthe command and its children", text.size ? " " : "");
	fact_tell(sink, "filter", text.size ? text.data : "");
	buffer_clear(&text);
	for (size_t i = 0; i < values->session.functions.count; i++)
		buffer_printf(&text, "%s--%s '%s'", i ? " " : "",
			      values->session.functions.items[i].option,
			      values->session.functions.items[i].text);
	if (text.size)
		fact_tell(sink, "functions", text.data);
	buffer_release(&text);
}

/* ---- progress ---- */

static uint64_t all_events(const struct capture_totals *totals)
{
	return totals->switch_events + totals->evidence_events + totals->call_events;
}

static void show_progress(struct recorder *recorder, uint64_t now_ns)
{
	char elapsed[UNITS_TEXT_SIZE], rate[UNITS_TEXT_SIZE], lost[UNITS_TEXT_SIZE],
		size[UNITS_TEXT_SIZE];
	uint64_t events = all_events(&recorder->totals);
	uint64_t since_ns = now_ns - recorder->last_progress_ns;

	fprintf(stderr, "\r\033[K%s   %s events/s   lost %s   %s",
		format_ns(elapsed, now_ns - recorder->session.start_ns),
		format_count(rate,
			     since_ns ? (events - recorder->last_events) * NS_PER_S / since_ns : 0),
		format_count(lost, recorder->totals.lost_events),
		format_bytes(size, write_queue_written_bytes(recorder->queue)));
	fflush(stderr);
	recorder->last_events = events;
	recorder->last_progress_ns = now_ns;
}

static int tick(void *context)
{
	struct recorder *recorder = context;
	uint64_t now_ns = capture_now_ns();

	capture_totals(recorder->session.capture, &recorder->totals);
	if (recorder->shows_progress && now_ns - recorder->last_progress_ns >= PROGRESS_NS)
		show_progress(recorder, now_ns);
	return write_queue_error(recorder->queue);
}

static void show_naming(void *context, uint64_t waiting)
{
	struct recorder *recorder = context;
	char text[UNITS_TEXT_SIZE];

	if (recorder->shows_progress)
		fprintf(stderr, "\r\033[Knaming stacks: %s to go", format_count(text, waiting));
}

static void show_summary(const struct recorder *recorder, const char *path, uint64_t bytes,
			 uint64_t duration_ns)
{
	char text[4][UNITS_TEXT_SIZE];

	fprintf(stderr, "dashcam: recorded %s: %s events, %s, in %s\n",
		format_ns(text[0], duration_ns),
		format_count(text[1], all_events(&recorder->totals)), format_bytes(text[2], bytes),
		path);
	if (recorder->totals.unseen_waits)
		fprintf(stderr,
			"dashcam: %s wait%s no evidence: it is taken where BPF programs run, and the "
			"kernel ran none there\n",
			format_count(text[3], recorder->totals.unseen_waits),
			recorder->totals.unseen_waits == 1 ? " carries" : "s carry");
	if (recorder->totals.unseen_requests)
		fprintf(stderr,
			"dashcam: %s disk request%s missing: the kernel ran no BPF program when %s "
			"done\n",
			format_count(text[3], recorder->totals.unseen_requests),
			recorder->totals.unseen_requests == 1 ? " is" : "s are",
			recorder->totals.unseen_requests == 1 ? "it was" : "they were");
	if (recorder->totals.lost_events)
		fprintf(stderr,
			"dashcam: %s event%s lost (see dashcam info; larger logs may help: "
			"--switch-log, --evidence-log, --call-log)\n",
			format_count(text[3], recorder->totals.lost_events),
			recorder->totals.lost_events == 1 ? " was" : "s were");
	fprintf(stderr, "dashcam: next: dashcam explain %s, or dashcam report %s\n", path, path);
}

/* ---- the command ---- */

/* What shells say for a command that cannot be run. */
#define STATUS_NOT_FOUND      127
#define STATUS_NOT_EXECUTABLE 126

static void default_output(char *path, size_t size)
{
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	strftime(path, size, "dashcam-%Y%m%d-%H%M%S.dcam", &local);
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : (uint64_t)status.st_size;
}

/* Ends the recording in good order whatever happened. Returns the first error, with a sentence. */
static int finish(struct recorder *recorder, int run_error, const char *path, bool is_quiet)
{
	uint64_t duration_ns = capture_now_ns() - recorder->session.start_ns;
	_cleanup_free_ char *why = xstrdup(fail_text());
	int err;

	fail_clear();
	session_stop(&recorder->session, show_naming, recorder, &recorder->totals);
	fail_clear();
	err = write_queue_finish(recorder->queue);
	if (recorder->shows_progress)
		fprintf(stderr, "\r\033[K");
	if (!is_quiet)
		show_summary(recorder, path, file_bytes(path), duration_ns);
	if (!run_error && !err)
		return 0;
	if (!*why)
		return fail(err, "the recording ended early, all before is whole");
	fail_clear();
	return fail(run_error, "the recording ended early, all before is whole: %s", why);
}

/* Begins a file beside PATH: a recording that exists is replaced only once this one runs. */
static int create_beside(struct recording_writer **ret, const char *path, char **ret_new_path)
{
	struct stat status;
	int err;

	if (!lstat(path, &status) && !S_ISREG(status.st_mode))
		return fail(-EEXIST, "creating %s: something that is not a regular file is there",
			    path);
	*ret_new_path = xasprintf("%s.new", path);
	err = recording_create(ret, *ret_new_path);
	return err ? fail(err, "creating %s", path) : 0;
}

/* It did not begin: nothing is left of it, and the pending sentence stays. */
static void abandon(struct write_queue *queue, const char *new_path)
{
	_cleanup_free_ char *why = xstrdup(fail_text());

	fail_clear();
	write_queue_finish(queue);
	unlink(new_path);
	fail_clear();
	fail(0, "%s", why);
}

/* A command that cannot be run gives the status that shells give; other errors are passed on. */
static int command_status(const struct session *session, int err)
{
	if (!session->command_failed)
		return err;
	return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* Before the command says anything: whoever asked for functions wants to know which. */
static void show_functions(const struct capture *capture)
{
	_cleanup_free_ char *text = capture_functions(capture);

	if (text)
		fprintf(stderr, "dashcam: tracing %s\n", text);
}

static int run(void *values_, int command_count, char **command)
{
	struct record_values *values = values_;
	struct recorder recorder = {0};
	const struct capture_sink sink = {.context = &recorder,
					  .switches = take_switches,
					  .evidence = take_evidence,
					  .table = take_table,
					  .calls = take_calls};
	enum session_end end = SESSION_ERROR;
	struct recording_writer *writer;
	char default_path[64];
	_cleanup_free_ char *new_path = NULL;
	const char *path = values->output;
	int err, status;

	if (!path) {
		default_output(default_path, sizeof(default_path));
		path = default_path;
	}
	err = create_beside(&writer, path, &new_path);
	if (err)
		return err;
	recorder.queue = write_queue_new(writer, FLUSH_NS);
	recorder.shows_progress = !values->quiet && isatty(STDERR_FILENO);
	write_request(&sink, values, command_count, command);
	err = session_start(&recorder.session, &values->session, &sink, command_count, command);
	if (err) {
		abandon(recorder.queue, new_path);
		return command_status(&recorder.session, err);
	}
	if (!values->quiet)
		show_functions(recorder.session.capture);
	facts_tell_targets(&sink, &recorder.session, &values->session);
	recorder.last_progress_ns = capture_now_ns();
	err = write_queue_start(recorder.queue);
	if (!err && rename(new_path, path)) {
		err = fail_errno(-errno, "renaming %s to %s", new_path, path);
		path = new_path;
	}
	if (!err)
		err = session_run(&recorder.session, PROGRESS_NS, tick, &recorder, &end);
	err = finish(&recorder, err, path, values->quiet);
	status = session_wait_command(&recorder.session);
	if (err)
		return err;
	fail_clear();
	return status;
}

const struct command command_record = {
	.name = "record",
	.summary = "record threads, their waits and what they do, into a file",
	.operands = "[-- COMMAND ARG...]",
	.description =
		"Records which thread ran on which CPU, what every long wait was about, and what the\n"
		"CPUs did, until the command ends, the time is over, or Ctrl-C. All threads of the\n"
		"machine are in the switch log; filters choose of whom evidence (stacks, system calls,\n"
		"files, locks) and samples are taken. Who makes those threads wait is followed: the owner\n"
		"of a lock, and whoever ends a wait of --min-wait or more. From then on its own waits get\n"
		"evidence too, whatever process it is of, and so on; it does not become one of those asked\n"
		"for. Needs root. The command runs as the user who called sudo, and its exit status is\n"
		"passed on.\n",
	.examples =
		"  dashcam record -d 10s                      the whole machine, for ten seconds\n"
		"  dashcam record -o slow.dcam -p 1234        one process, until Ctrl-C\n"
		"  dashcam record -- ./program --fast         a command and its children\n"
		"  dashcam record --min-wait 0 --comm 'db*'   every wait of threads named db...\n"
		"  dashcam record --span query=libsqlite3.so.0:sqlite3_step -p 1234\n"
		"                                             each call of a function; report spans\n"
		"  dashcam record -F '*' -- ./program         every call of the program's own functions\n"
		"  dashcam record -F 'leveldb::*' -N 'leveldb::test::*' -N 'leveldb::Random::*' \\\n"
		"                 -N 'leveldb::Slice::*' -- db_bench\n"
		"                                             fewer: look at report functions, leave out\n"
		"                                             what is called often and says nothing\n"
		"  dashcam record -F '*' -F '*@libc.so.6' -p 1234\n"
		"                                             and of a library, in a running process\n"
		"  dashcam record -F main -F '/^(get|set)_/' -F 'parse(path:str, size:u64) ret:int' -- ./program\n"
		"                                             some, with arguments and what comes back\n",
	.options = record_rows,
	.values_size = sizeof(struct record_values),
	.defaults = &record_defaults,
	.stop_at_operand = true,
	.min_operands = 0,
	.max_operands = -1,
	.run = run,
};
