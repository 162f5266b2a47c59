/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/units.h"
#include "capture/drain.h"
#include "capture/hooks.h"
#include "capture/object.h"
#include "capture/settings.h"
#include "capture/threads.h"
#include "event/schema.h"

#define SIDE_BAND_RING_BYTES (256u << 10)

struct capture {
	struct capture_settings settings;
	struct capture_sink sink;
	uint32_t probes; /* those wanted */
	unsigned int cpu_count;
	struct bpf_object *object;
	struct hook_state states[HOOK_COUNT];
	struct bpf_link *links[HOOK_COUNT];
	struct bpf_link **sample_links; /* one per CPU */
	int *kick_fds;
	void **kick_pages;
	void *maps[EVENT_LOG_KINDS]; /* the logs of all CPUs, as mapped here */
	size_t map_bytes[EVENT_LOG_KINDS];
	struct drain drain;
	bool is_stopped;
};

static const enum hook_id evidence_hooks[EVIDENCE_HOOKS] = {
	[EVIDENCE_KICK] = HOOK_KICK,
	[EVIDENCE_EXIT_TP] = HOOK_SCHED_EXIT,
	[EVIDENCE_KPROBE] = HOOK_FINISH_SWITCH,
	[EVIDENCE_DEGRADED] = HOOK_SWITCH,
};

/* ---- telling the recording about itself ---- */

static void give_texts(struct capture *capture, struct event_header *header, size_t fixed,
		       const char *first, const char *second)
{
	size_t a = strlen(first) + 1, b = strlen(second) + 1;
	char *tail = (char *)header + fixed;

	memcpy(tail, first, a);
	memcpy(tail + a, second, b);
	header->size = (uint16_t)event_align(fixed + a + b);
	header->time_ns = capture_now_ns();
	capture->sink.table(capture->sink.context, header);
}

static void give_meta(struct capture *capture, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void give_meta(struct capture *capture, const char *name, const char *format, ...)
{
	char memory[sizeof(struct event_meta) + 1024] __attribute__((aligned(8))) = {0};
	struct event_meta *event = (struct event_meta *)memory;
	char value[900];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	event->header.kind = EVENT_META;
	give_texts(capture, &event->header, sizeof(*event), name, value);
}

static void give_hook(struct capture *capture, enum hook_id id, enum event_hook_status status)
{
	char memory[sizeof(struct event_hook) + 512] __attribute__((aligned(8))) = {0};
	struct event_hook *event = (struct event_hook *)memory;

	event->header.kind = EVENT_HOOK;
	event->status = status;
	event->error = -capture->states[id].error;
	give_texts(capture, &event->header, sizeof(*event), hooks[id].name,
		   status == EVENT_HOOK_WORKS ? hooks[id].gives : hooks[id].without);
}

static void give_machine(struct capture *capture)
{
	struct utsname name;

	uname(&name);
	give_meta(capture, "version", "%s", DASHCAM_VERSION);
	give_meta(capture, "host", "%s", name.nodename);
	give_meta(capture, "kernel_sysname", "%s", name.sysname);
	give_meta(capture, "kernel", "%s", name.release);
	give_meta(capture, "kernel_version", "%s", name.version);
	give_meta(capture, "machine", "%s", name.machine);
	give_meta(capture, "cpus", "%u", capture->cpu_count);
	give_meta(capture, "evidence_hook", "%s",
		  hooks[evidence_hooks[capture->settings.evidence_hook]].name);
	give_meta(capture, "min_wait_ns", "%" PRIu64, (uint64_t)capture->settings.min_wait_ns);
	give_meta(capture, "waker_stack_ns", "%" PRIu64,
		  (uint64_t)capture->settings.waker_stack_ns);
	give_meta(capture, "sample_period_ns", "%" PRIu64,
		  (uint64_t)capture->settings.sample_period_ns);
	give_meta(capture, "switch_log_bytes", "%" PRIu64,
		  (uint64_t)capture->settings.switch_mask + 1);
	give_meta(capture, "evidence_log_bytes", "%" PRIu64,
		  (uint64_t)capture->settings.evidence_mask + 1);
	drain_report_clock(&capture->drain);
}

/* ---- choosing hooks ---- */

/* The kick is the cheapest unless every wait is wanted: then the program call at each switch is. */
static enum evidence_hook choose_evidence(const struct capture *capture, int wanted)
{
	static const enum evidence_hook seldom[] = {EVIDENCE_KICK, EVIDENCE_EXIT_TP,
						    EVIDENCE_KPROBE};
	static const enum evidence_hook often[] = {EVIDENCE_EXIT_TP, EVIDENCE_KICK,
						   EVIDENCE_KPROBE};
	const enum evidence_hook *order = capture->settings.min_wait_ns ? seldom : often;

	if (wanted >= 0 && capture->states[evidence_hooks[wanted]].works)
		return (enum evidence_hook)wanted;
	if (wanted >= 0)
		warn("evidence is taken another way: %s does not work on this kernel",
		     hooks[evidence_hooks[wanted]].name);
	for (size_t i = 0; i < ARRAY_SIZE(seldom); i++) {
		if (capture->states[evidence_hooks[order[i]]].works)
			return order[i];
	}
	return EVIDENCE_DEGRADED;
}

static bool is_evidence_hook(enum hook_id id)
{
	return id == HOOK_KICK || id == HOOK_SCHED_EXIT || id == HOOK_FINISH_SWITCH;
}

/* Does the recording have to say something about it? Not of what nobody asked for. */
static bool is_observed(const struct capture *capture, enum hook_id id)
{
	return probes[hooks[id].probe].mode == PROBE_ALWAYS ||
	       capture->probes & PROBE_BIT(hooks[id].probe);
}

/* Is the program of this hook to be loaded? */
static bool is_used(const struct capture *capture, enum hook_id id)
{
	if (!capture->states[id].works)
		return false;
	if (is_evidence_hook(id))
		return evidence_hooks[capture->settings.evidence_hook] == id;
	if (id == HOOK_SAMPLE && !capture->settings.sample_period_ns)
		return false;
	return is_observed(capture, id);
}

static enum event_hook_status status_of(const struct capture *capture, enum hook_id id)
{
	if (capture->states[id].works)
		return EVENT_HOOK_WORKS;
	if (is_evidence_hook(id) && capture->settings.evidence_hook != EVIDENCE_DEGRADED)
		return EVENT_HOOK_FALLBACK;
	return EVENT_HOOK_MISSING;
}

static int try_hooks(struct capture *capture)
{
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		capture->states[id] = hook_try(id);
		if (hooks[id].is_required && !capture->states[id].works)
			return fail_errno(capture->states[id].error, "%s, which %s needs: %s",
					  hooks[id].name, "every recording", hooks[id].mend);
	}
	return 0;
}

/* 5.18 gave sched_switch a fourth argument, the state: so says the tracepoint's own type. */
static bool has_prev_state_argument(const char *btf_path)
{
	struct btf *btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	const struct btf_type *type;
	bool has = false;
	int id;

	if (!btf)
		return false;
	id = btf__find_by_name_kind(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF);
	if (id > 0) {
		type = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
		if (btf_is_ptr(type))
			type = btf__type_by_id(btf, type->type);
		/* void *data, preempt, prev, next, prev_state */
		has = btf_is_func_proto(type) && btf_vlen(type) >= 5;
	}
	btf__free(btf);
	return has;
}

/* ---- loading ---- */

static int set_map(struct capture *capture, const char *name, uint32_t entries,
		   uint32_t value_bytes)
{
	struct bpf_map *map = bpf_object__find_map_by_name(capture->object, name);
	int err = map ? bpf_map__set_max_entries(map, entries) : -ENOENT;

	if (!err && value_bytes)
		err = bpf_map__set_value_size(map, value_bytes);
	return err ? fail_errno(err, "setting up map %s", name) : 0;
}

static size_t log_element_bytes(const struct capture *capture, enum event_log log)
{
	if (log == EVENT_LOG_SWITCH)
		return LOG_HEAD_BYTES + capture->settings.switch_mask + 1;
	return LOG_HEAD_BYTES + capture->settings.evidence_mask + 1 + LOG_SLACK_BYTES;
}

static const char *const log_map_names[EVENT_LOG_KINDS] = {
	[EVENT_LOG_SWITCH] = "switch_log", [EVENT_LOG_EVIDENCE] = "evidence_log"};

static int prepare_object(struct capture *capture)
{
	struct bpf_map *settings =
		bpf_object__find_map_by_name(capture->object, ".rodata.settings");
	size_t size = 0;
	void *place = settings ? (void *)bpf_map__initial_value(settings, &size) : NULL;
	int err = 0;

	if (!place || size < sizeof(capture->settings))
		return fail(-EINVAL, "the kernel side of this program is of another version");
	memcpy(place, &capture->settings, sizeof(capture->settings));
	for (enum event_log log = 0; log < EVENT_LOG_KINDS && !err; log++)
		err = set_map(capture, log_map_names[log], capture->cpu_count,
			      (uint32_t)log_element_bytes(capture, log));
	if (!err)
		err = set_map(capture, "slots", capture->settings.slot_mask + 1, 0);
	if (!err)
		err = set_map(capture, "kick", capture->cpu_count, 0);
	if (!err && !(capture->settings.filter & FILTER_PIDS))
		err = set_map(capture, "targets", 1, 0);
	for (enum hook_id id = 0; id < HOOK_COUNT && !err; id++) {
		struct bpf_program *program =
			hooks[id].program ? bpf_object__find_program_by_name(capture->object,
									     hooks[id].program)
					  : NULL;

		if (program)
			bpf_program__set_autoload(program, is_used(capture, id));
	}
	return err;
}

static int load_object(struct capture *capture, const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "dashcam",
		    .btf_custom_path = btf_path);
	size_t size;
	const void *image = object_image(&size);
	int err;

	capture->object = bpf_object__open_mem(image, size, &options);
	if (!capture->object)
		return fail_errno(-errno, "reading the kernel side");
	err = prepare_object(capture);
	if (err)
		return err;
	err = bpf_object__load(capture->object);
	if (err == -ENOMEM || err == -E2BIG)
		return fail_errno(err,
				  "loading the kernel side (smaller logs may help: --switch-log 2M "
				  "--evidence-log 1M)");
	return err ? fail_errno(err, "loading the kernel side (run with DASHCAM_DEBUG=1 for the "
				     "kernel's own words)")
		   : 0;
}

static int map_fd(struct capture *capture, const char *name)
{
	return bpf_object__find_map_fd_by_name(capture->object, name);
}

static int map_logs(struct capture *capture)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	for (enum event_log log = 0; log < EVENT_LOG_KINDS; log++) {
		size_t element = log_element_bytes(capture, log);
		size_t bytes = (element * capture->cpu_count + page_bytes - 1) & ~(page_bytes - 1);
		struct log_reader *readers = xcalloc(capture->cpu_count, sizeof(*readers));
		void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED,
				 map_fd(capture, log_map_names[log]), 0);

		if (log == EVENT_LOG_SWITCH)
			capture->drain.switches = readers;
		else
			capture->drain.evidence = readers;
		if (map == MAP_FAILED)
			return fail_errno(-errno, "mapping the %s logs", log_map_names[log]);
		capture->maps[log] = map;
		capture->map_bytes[log] = bytes;
		for (unsigned int cpu = 0; cpu < capture->cpu_count; cpu++)
			log_reader_init(
				&readers[cpu], (struct log_head *)((char *)map + cpu * element),
				log, capture->settings.key,
				(log == EVENT_LOG_SWITCH ? capture->settings.switch_mask
							 : capture->settings.evidence_mask) +
					1);
	}
	return 0;
}

/* The perf events whose output interrupts their own CPU. Overwriting rings that nobody reads. */
static int open_kicks(struct capture *capture)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.wakeup_events = 1,
		.write_backward = 1,
	};
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	capture->kick_fds = xcalloc(capture->cpu_count, sizeof(*capture->kick_fds));
	capture->kick_pages = xcalloc(capture->cpu_count, sizeof(*capture->kick_pages));
	for (unsigned int cpu = 0; cpu < capture->cpu_count; cpu++)
		capture->kick_fds[cpu] = -1;
	for (unsigned int cpu = 0; cpu < capture->cpu_count; cpu++) {
		int fd =
			(int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		void *page;

		if (fd < 0 && errno == ENODEV)
			continue; /* this CPU is offline */
		if (fd < 0)
			return fail_errno(-errno, "opening the kick of CPU %u", cpu);
		capture->kick_fds[cpu] = fd;
		page = mmap(NULL, 2 * page_bytes, PROT_READ, MAP_SHARED, fd, 0);
		if (page == MAP_FAILED)
			return fail_errno(-errno, "mapping the kick of CPU %u", cpu);
		capture->kick_pages[cpu] = page;
		if (bpf_map_update_elem(map_fd(capture, "kick"), &cpu, &fd, BPF_ANY))
			return fail_errno(-errno, "storing the kick of CPU %u", cpu);
	}
	return 0;
}

static int set_targets(struct capture *capture, const struct capture_options *options)
{
	uint8_t one = 1;

	for (size_t i = 0; i < options->pid_count; i++) {
		if (bpf_map_update_elem(map_fd(capture, "targets"), &options->pids[i], &one,
					BPF_ANY))
			return fail_errno(-errno, "storing process %u", options->pids[i]);
	}
	return 0;
}

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

static int open_parts(struct capture *capture, const struct capture_options *options)
{
	struct resolver_options resolver_options = {.source_lines = options->source_lines,
						    .sink = options->sink.table,
						    .context = options->sink.context};
	struct resolver *resolver;
	int err;

	/* first, so that its sandboxed child inherits nothing */
	err = resolver_new(&resolver, &resolver_options);
	if (!err)
		err = naming_start(&capture->drain.naming, resolver);
	if (!err)
		err = try_hooks(capture);
	if (!err)
		err = settings_make(&capture->settings, options, capture->cpu_count);
	if (err)
		return err;
	capture->settings.has_prev_state_arg = has_prev_state_argument(options->btf_path);
	capture->settings.evidence_hook = choose_evidence(capture, options->evidence_hook);
	err = load_object(capture, options->btf_path);
	if (!err)
		err = map_logs(capture);
	if (!err && capture->settings.evidence_hook == EVIDENCE_KICK)
		err = open_kicks(capture);
	return err ? err : set_targets(capture, options);
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
	give_machine(capture);
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (is_observed(capture, id))
			give_hook(capture, id, status_of(capture, id));
	}
	*ret = capture;
	return 0;
}

/* ---- running ---- */

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

static void take_thread(void *context, const struct event_thread *event)
{
	struct capture *capture = context;

	capture->sink.table(capture->sink.context, &event->header);
}

int capture_start(struct capture *capture)
{
	int err = 0;

	if (capture->states[HOOK_SIDE_BAND].works) {
		err = side_band_open(&capture->drain.side_band, capture->cpu_count,
				     SIDE_BAND_RING_BYTES);
		if (err) {
			warn("names of short-lived processes will be missing: %s", fail_text());
			fail_clear();
		}
	}
	/* births first, the switches last: who is seen running has been seen living */
	for (int id = HOOK_COUNT - 1; id >= 0; id--) {
		if (!hooks[id].program || !is_used(capture, (enum hook_id)id) || id <= HOOK_WAKING)
			continue;
		err = attach(capture, (enum hook_id)id);
		if (err)
			return err;
	}
	threads_scan(capture_now_ns(), take_thread, capture);
	err = attach(capture, HOOK_WAKING);
	return err ? err : attach(capture, HOOK_SWITCH);
}

int capture_drain(struct capture *capture)
{
	return drain_round(&capture->drain);
}

void capture_totals(const struct capture *capture, struct capture_totals *ret)
{
	struct naming_status status;

	*ret = capture->drain.totals;
	naming_status(capture->drain.naming, &status);
	ret->naming_waiting = status.waiting_items;
	ret->lost_events += status.dropped_stacks;
}

/* ---- the end ---- */

/* Programs that the kernel skipped, because one was running on that CPU already. */
static void report_recursion(struct capture *capture)
{
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		struct bpf_program *program;
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		struct event_loss loss = {.from_ns = 0,
					  .to_ns = capture_now_ns(),
					  .cpu = EVENT_ANY_CPU,
					  .reason = EVENT_LOSS_RECURSION};

		if (!hooks[id].program || !is_used(capture, id))
			continue;
		program = bpf_object__find_program_by_name(capture->object, hooks[id].program);
		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			continue;
		loss.log = id == HOOK_SWITCH || id == HOOK_WAKING ? EVENT_LOG_SWITCH
								  : EVENT_LOG_EVIDENCE;
		loss.events = info.recursion_misses;
		if (loss.events > 0)
			drain_report_loss(&capture->drain, &loss);
	}
}

static void report_evidence_loss(struct capture *capture, uint64_t events,
				 enum event_loss_reason reason)
{
	struct event_loss loss = {.to_ns = capture_now_ns(),
				  .events = events,
				  .cpu = EVENT_ANY_CPU,
				  .log = EVENT_LOG_EVIDENCE,
				  .reason = reason};

	if (events > 0)
		drain_report_loss(&capture->drain, &loss);
}

static void report_counters(struct capture *capture)
{
	struct capture_counters sum = {0};
	struct capture_counters *each;
	int cpus = libbpf_num_possible_cpus();
	uint32_t zero = 0;

	each = xcalloc((size_t)cpus, sizeof(*each));
	if (!bpf_map_lookup_elem(map_fd(capture, "counters"), &zero, each)) {
		for (int cpu = 0; cpu < cpus; cpu++) {
			sum.slot_conflicts += each[cpu].slot_conflicts;
			sum.unseen_waits += each[cpu].unseen_waits;
			sum.evidence += each[cpu].evidence;
			sum.user_copies += each[cpu].user_copies;
			sum.user_copies_saved += each[cpu].user_copies_saved;
		}
	}
	free(each);
	give_meta(capture, "waits_with_evidence", "%" PRIu64, (uint64_t)sum.evidence);
	give_meta(capture, "user_stacks_copied", "%" PRIu64, (uint64_t)sum.user_copies);
	give_meta(capture, "user_stacks_known", "%" PRIu64, (uint64_t)sum.user_copies_saved);
	report_evidence_loss(capture, sum.slot_conflicts, EVENT_LOSS_SLOT);
	report_evidence_loss(capture, sum.unseen_waits, EVENT_LOSS_UNSEEN);
}

/* How many records the programs have written, read or not: what was recorded and what was lost add
 * up to this. */
static void report_written(struct capture *capture)
{
	uint64_t switches = 0, evidence = 0;

	for (unsigned int cpu = 0; capture->maps[EVENT_LOG_EVIDENCE] && cpu < capture->cpu_count;
	     cpu++) {
		switches += log_written(&capture->drain.switches[cpu]);
		evidence += log_written(&capture->drain.evidence[cpu]);
	}
	give_meta(capture, "switch_log_events", "%" PRIu64, switches);
	give_meta(capture, "evidence_log_events", "%" PRIu64, evidence);
}

static void destroy_links(struct bpf_link **links, size_t count)
{
	for (size_t i = 0; links && i < count; i++) {
		bpf_link__destroy(links[i]);
		links[i] = NULL;
	}
}

void capture_stop(struct capture *capture)
{
	if (capture->is_stopped)
		return;
	capture->is_stopped = true;
	destroy_links(capture->sample_links, capture->cpu_count);
	destroy_links(capture->links, HOOK_COUNT);
	report_recursion(capture);
	report_counters(capture);
	report_written(capture);
	drain_report_clock(&capture->drain);
}

static void report_naming(struct capture *capture, const struct resolver_statistics *statistics,
			  uint64_t dropped)
{
	give_meta(capture, "user_stacks_unwound", "%" PRIu64, statistics->stacks);
	give_meta(capture, "user_stacks_truncated", "%" PRIu64, statistics->truncated);
	give_meta(capture, "user_stacks_broken", "%" PRIu64, statistics->broken);
	give_meta(capture, "frames_named", "%" PRIu64, statistics->frames_named);
	give_meta(capture, "frames_unnamed", "%" PRIu64, statistics->frames_unnamed);
	report_evidence_loss(capture, dropped, EVENT_LOSS_UNWIND);
}

static void close_maps(struct capture *capture)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	for (enum event_log log = 0; log < EVENT_LOG_KINDS; log++) {
		if (capture->maps[log])
			munmap(capture->maps[log], capture->map_bytes[log]);
	}
	for (unsigned int cpu = 0; capture->kick_fds && cpu < capture->cpu_count; cpu++) {
		if (capture->kick_pages[cpu])
			munmap(capture->kick_pages[cpu], 2 * page_bytes);
		if (capture->kick_fds[cpu] >= 0)
			close(capture->kick_fds[cpu]);
	}
}

void capture_close(struct capture *capture, void (*progress)(void *context, uint64_t waiting),
		   void *context)
{
	struct resolver_statistics statistics = {0};
	struct naming_status status = {0};

	if (!capture)
		return;
	if (capture->drain.naming) {
		naming_status(capture->drain.naming, &status);
		naming_finish(capture->drain.naming, progress, context, &statistics);
		if (capture->is_stopped)
			report_naming(capture, &statistics, status.dropped_stacks);
	}
	destroy_links(capture->sample_links, capture->cpu_count);
	destroy_links(capture->links, HOOK_COUNT);
	side_band_close(capture->drain.side_band);
	close_maps(capture);
	bpf_object__close(capture->object);
	drain_release(&capture->drain);
	free(capture->sample_links);
	free(capture->kick_fds);
	free(capture->kick_pages);
	free(capture);
}
