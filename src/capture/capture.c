/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/capture.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/calibrate.h"
#include "capture/internal.h"
#include "capture/settings.h"
#include "capture/threads.h"

#define SIDE_BAND_RING_BYTES (256u << 10)

/* Who is alive is looked at again not more often than this, nor for more than one part of the time
 * in so many. */
#define LOOK_EVERY_NS (NS_PER_S / 2)
#define LOOK_PART     20

static unsigned int count_cpus(void)
{
	int possible = libbpf_num_possible_cpus();
	unsigned int last = 0, first, end;
	FILE *file = fopen("/sys/devices/system/cpu/online", "re");
	int got;

	/* the highest CPU that is online: memory is taken for these only */
	while (file && (got = fscanf(file, "%u-%u", &first, &end)) >= 1) {
		last = got == 2 ? end : first;
		if (fgetc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
	return file && last < (unsigned int)possible ? last + 1 : (unsigned int)possible;
}

/* Other hooks that are missing leave a recording with less in it; this one was asked for. */
static int check_functions(const struct capture *capture)
{
	static const enum hook_id ids[] = {HOOK_FUNCTION_ENTRY, HOOK_FUNCTION_RETURN};

	for (size_t i = 0; capture->settings.function_count > 0 && i < ARRAY_SIZE(ids); i++) {
		const struct hook_state *state = &capture->states[ids[i]];

		if (state->error == -EVENT_HOOK_LEFT_OUT)
			return fail(-EINVAL, "tracing functions needs %s: do not leave it out",
				    hooks[ids[i]].name);
		if (!state->works)
			return fail_errno(state->error,
					  "the kernel refuses probes on functions of programs (%s)",
					  hooks[ids[i]].mend);
	}
	return 0;
}

/* Nobody can put return addresses back: none is replaced. */
static void spare_returns(struct capture *capture)
{
	if (!capture->returns)
		return;
	functions_spare_returns(&capture->functions);
	returns_release(capture->returns);
	capture->returns = NULL;
	warn("calls end when the next event shows it: %s", hooks[HOOK_UNWIND].mend);
}

static int open_parts(struct capture *capture, const struct capture_options *options)
{
	struct resolver_options resolver_options = {.source_lines = options->source_lines,
						    .sink = options->sink.table,
						    .context = options->sink.context};
	struct resolver *resolver;
	uint64_t hidden_ns;
	int err = 0;

	/* first, so that their children inherit nothing */
	if (options->span_count > 0 || options->wish_count > 0)
		err = returns_start(&capture->returns);
	if (!err)
		err = resolver_new(&resolver, &resolver_options);
	if (err)
		return err;
	err = choice_try(capture, options->left_out);
	if (!err)
		err = functions_find(&capture->functions, options, choice_function_engine(capture),
				     resolver);
	if (err) {
		resolver_free(resolver);
		return err;
	}
	err = naming_start(&capture->drain.naming, resolver, cgroup_reader_new(&options->sink),
			   capture->functions.late);
	if (!err)
		err = settings_make(&capture->settings, options, capture->cpu_count);
	if (err)
		return err;
	/* with room for those that come late */
	capture->settings.function_count = (uint32_t)capture->functions.count +
					   (capture->functions.late ? FUNCTION_LATE_MAX : 0);
	capture->settings.value_count = functions_with_values(&capture->functions);
	capture->drain.functions = &capture->functions;
	if (capture->probes & PROBE_BIT(PROBE_IRQ)) {
		capture->is_calibrated = calibrate_irq_hidden(&hidden_ns);
		capture->settings.irq_hidden_ns = hidden_ns;
	}
	err = load_object(capture, options->evidence_hook);
	if (!err)
		err = check_functions(capture);
	if (!err && !choice_is_used(capture, HOOK_UNWIND))
		spare_returns(capture);
	if (!err)
		err = load_logs(capture);
	if (!err)
		err = load_kicks(capture);
	return err ? err : load_targets(capture, options);
}

int capture_open(struct capture **ret, const struct capture_options *options)
{
	struct capture *capture;
	int err = hooks_check_machine();

	if (err)
		return err;
	capture = xcalloc(1, sizeof(*capture));
	capture->cpu_count = count_cpus();
	capture->probes = options->probes;
	capture->sink = capture->drain.sink = options->sink;
	capture->drain.cpu_count = capture->cpu_count;
	err = open_parts(capture, options);
	if (err) {
		capture_close(capture, NULL, NULL);
		return err;
	}
	statement_machine(capture);
	*ret = capture;
	return 0;
}

static int attach_samples(struct capture *capture)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(capture->object, "on_sample");
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = capture->settings.sample_period_ns,
	};

	capture->sample_links = xcalloc(capture->cpu_count, sizeof(*capture->sample_links));
	for (unsigned int cpu = 0; cpu < capture->cpu_count; cpu++) {
		int fd =
			(int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			return fail_errno(-errno, "opening the sampling clock of CPU %u", cpu);
		capture->sample_links[cpu] = bpf_program__attach_perf_event(program, fd);
		if (!capture->sample_links[cpu]) {
			close(fd);
			return fail_errno(-errno, "attaching the sampling clock of CPU %u", cpu);
		}
	}
	return 0;
}

static int attach(struct capture *capture, enum hook_id id)
{
	struct bpf_program *program;
	char name[256];

	if (id == HOOK_SAMPLE)
		return attach_samples(capture);
	program = bpf_object__find_program_by_name(capture->object, hooks[id].program);
	if (hooks[id].type == HOOK_TYPE_KPROBE && hook_finish_switch_name(name, sizeof(name)))
		capture->links[id] = bpf_program__attach_kprobe(program, false, name);
	else
		capture->links[id] = bpf_program__attach(program);
	return capture->links[id] ? 0 : fail_errno(-errno, "attaching to %s", hooks[id].name);
}

/* A hook that is refused now, though it worked when it was tried, ends nothing: it is missing. */
static void attach_or_do_without(struct capture *capture, enum hook_id id)
{
	int err = attach(capture, id);

	if (!err)
		return;
	capture->states[id] = (struct hook_state){.works = false, .error = err};
	warn("%s will be missing: %s", hooks[id].without, fail_text());
	fail_clear();
}

static void take_thread(void *context, const struct event_thread *event)
{
	struct capture *capture = context;

	capture->sink.table(capture->sink.context, &event->header);
}

/* Reads who is alive, and by which names. */
static void look_around(struct capture *capture)
{
	uint64_t now_ns = capture_now_ns();

	threads_scan(now_ns, take_thread, capture);
	capture->look = (struct look_around){.at_ns = now_ns,
					     .took_ns = capture_now_ns() - now_ns,
					     .lost_evidence = capture->drain.lost_evidence};
}

/* Births and names may be among the events that were lost, or their hooks are missing. */
static bool may_have_missed_names(const struct capture *capture)
{
	return capture->drain.lost_evidence > capture->look.lost_evidence ||
	       !choice_is_used(capture, HOOK_FORK) || !choice_is_used(capture, HOOK_EXEC) ||
	       !choice_is_used(capture, HOOK_RENAME);
}

static void look_around_again(struct capture *capture)
{
	uint64_t pause_ns = capture->look.took_ns * LOOK_PART;

	if (pause_ns < LOOK_EVERY_NS)
		pause_ns = LOOK_EVERY_NS;
	if (!capture->is_stopped && may_have_missed_names(capture) &&
	    capture_now_ns() - capture->look.at_ns >= pause_ns)
		look_around(capture);
}

static void start_steal(struct capture *capture)
{
	if (steal_open(&capture->drain.steal, capture->cpu_count)) {
		warn("time that the hypervisor takes will be missing: %s", fail_text());
		fail_clear();
	}
}

static int start_returns(struct capture *capture)
{
	const struct functions *functions = &capture->functions;
	const char *path = NULL;
	int err = 0;

	if (!capture->returns)
		return 0;
	capture->drain.returns = capture->returns;
	err = returns_arm(capture->returns, capture->object, functions->probes.pids,
			  functions->probes.pid_count);
	for (size_t i = 0; i < functions->count && !err; i++) {
		if (path != functions->items[i].path)
			returns_add_traced(capture->returns, functions->items[i].path);
		path = functions->items[i].path;
	}
	return err;
}

int capture_start(struct capture *capture)
{
	int err;

	if (capture->states[HOOK_SIDE_BAND].works) {
		err = side_band_open(&capture->drain.side_band, capture->cpu_count,
				     SIDE_BAND_RING_BYTES);
		if (err) {
			warn("names of short-lived processes will be missing: %s", fail_text());
			fail_clear();
		}
	}
	/* births first, the switches last: who is seen running has been seen living */
	for (int id = HOOK_COUNT - 1; id > HOOK_WAKING; id--) {
		if (hooks[id].program && hooks[id].type != HOOK_TYPE_UPROBE &&
		    hooks[id].type != HOOK_TYPE_ITERATOR && choice_is_used(capture, id))
			attach_or_do_without(capture, id);
	}
	if (capture->probes & PROBE_BIT(PROBE_IRQ))
		start_steal(capture);
	look_around(capture);
	if (choice_is_used(capture, HOOK_WAKING))
		attach_or_do_without(capture, HOOK_WAKING);
	err = attach(capture, HOOK_SWITCH);
	if (!err)
		err = start_returns(capture);
	if (!err)
		err = functions_attach(&capture->functions, capture->object, &capture->drain);
	if (capture->functions.late)
		naming_add_look(&capture->drain.batch, capture_monotonic_ns());
	statement_hooks(capture);
	statement_functions(capture);
	return err;
}

char *capture_functions(const struct capture *capture)
{
	const struct function_choice *choice = &capture->functions.choice;

	return choice->count > 0 ? function_choice_summary(choice) : NULL;
}

int capture_drain(struct capture *capture)
{
	int err = drain_round(&capture->drain);

	if (!err && capture->returns && !capture->is_stopped && !returns_is_alive(capture->returns))
		err = fail(-ESRCH, "the process that keeps exceptions working (dashcam-guard) has "
				   "ended");
	if (!err)
		look_around_again(capture);
	return err;
}

void capture_totals(const struct capture *capture, struct capture_totals *ret)
{
	struct naming_status status;

	*ret = capture->drain.totals;
	naming_status(capture->drain.naming, &status);
	ret->naming_waiting = status.waiting_items;
	ret->expects_mappings = capture->functions.late != NULL;
	ret->lost_events += status.dropped_stacks;
}

static void destroy_links(struct bpf_link **links, size_t count)
{
	for (size_t i = 0; links && i < count; i++) {
		bpf_link__destroy(links[i]);
		links[i] = NULL;
	}
}

/* Evidence of the waits that are under way: an iterator over all threads, run by reading it. */
static void look_at_open_waits(struct capture *capture)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(capture->object, hooks[HOOK_OPEN_WAITS].program);
	struct bpf_link *link;
	char nothing[64];
	int iterator;

	if (!choice_is_used(capture, HOOK_OPEN_WAITS) || !program)
		return;
	link = bpf_program__attach_iter(program, NULL);
	iterator = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	while (iterator >= 0 && read(iterator, nothing, sizeof(nothing)) > 0)
		;
	if (iterator >= 0)
		close(iterator);
	bpf_link__destroy(link);
}

static void stop_returns(struct capture *capture)
{
	struct returns_report report;

	if (!capture->returns)
		return;
	capture->drain.returns = NULL;
	returns_finish(capture->returns, &report);
	statement_returns(capture, &report);
}

void capture_stop(struct capture *capture)
{
	if (capture->is_stopped)
		return;
	capture->is_stopped = true;
	look_at_open_waits(capture);
	/* the switch log first: its end is the recording's, and it takes the kernel a while to let
	 * all go */
	destroy_links(&capture->links[HOOK_SWITCH], 1);
	capture->drain.stop_ns = capture_now_ns();
	destroy_links(capture->sample_links, capture->cpu_count);
	destroy_links(capture->links, HOOK_COUNT);
	functions_detach(&capture->functions);
	stop_returns(capture);
	functions_tell_rest(&capture->functions, capture->object, &capture->drain);
	statement_counts(capture);
}

void capture_close(struct capture *capture, void (*progress)(void *context, uint64_t waiting),
		   void *context)
{
	struct resolver_statistics statistics = {0};
	struct naming_status status = {0};

	if (!capture)
		return;
	if (capture->drain.naming) {
		drain_finish(&capture->drain);
		naming_status(capture->drain.naming, &status);
		naming_finish(capture->drain.naming, progress, context, &statistics);
		if (capture->is_stopped)
			statement_naming(capture, &statistics, status.dropped_stacks);
	}
	destroy_links(capture->sample_links, capture->cpu_count);
	destroy_links(capture->links, HOOK_COUNT);
	side_band_close(capture->drain.side_band);
	functions_release(&capture->functions);
	returns_release(capture->returns);
	load_release(capture);
	drain_release(&capture->drain);
	free(capture->sample_links);
	free(capture);
}
