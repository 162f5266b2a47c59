/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/error.h"
#include "capture/internal.h"
#include "capture/object.h"

static int set_map(struct capture *capture, const char *name, uint32_t entries,
		   uint32_t value_bytes)
{
	struct bpf_map *map = bpf_object__find_map_by_name(capture->object, name);
	int err = map ? bpf_map__set_max_entries(map, entries) : -ENOENT;

	if (!err && value_bytes)
		err = bpf_map__set_value_size(map, value_bytes);
	return err ? fail_errno(err, "setting up map %s", name) : 0;
}

static const char *const log_map_names[EVENT_LOG_KINDS] = {
	[EVENT_LOG_SWITCH] = "switch_log",
	[EVENT_LOG_EVIDENCE] = "evidence_log",
	[EVENT_LOG_CALL] = "call_log",
};

static bool has_log(const struct capture *capture, enum event_log log)
{
	return log != EVENT_LOG_CALL || capture->settings.function_count;
}

/* Of records, without its head. */
static uint64_t log_bytes(const struct capture *capture, enum event_log log)
{
	const uint64_t masks[EVENT_LOG_KINDS] = {
		[EVENT_LOG_SWITCH] = capture->settings.switch_mask,
		[EVENT_LOG_EVIDENCE] = capture->settings.evidence_mask,
		[EVENT_LOG_CALL] = capture->settings.call_mask,
	};

	return masks[log] + 1;
}

static size_t log_element_bytes(const struct capture *capture, enum event_log log)
{
	return LOG_HEAD_BYTES + log_bytes(capture, log) +
	       (log == EVENT_LOG_EVIDENCE ? LOG_SLACK_BYTES : 0);
}

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
	for (enum event_log log = 0; log < EVENT_LOG_KINDS && !err; log++) {
		if (has_log(capture, log))
			err = set_map(capture, log_map_names[log], capture->cpu_count,
				      (uint32_t)log_element_bytes(capture, log));
	}
	if (!err)
		err = set_map(capture, "slots", capture->settings.slot_mask + 1, 0);
	if (!err)
		err = set_map(capture, "irq_accounts", capture->cpu_count, 0);
	if (!err)
		err = set_map(capture, "kick", capture->cpu_count, 0);
	if (!err && !(capture->settings.filter & FILTER_PIDS))
		err = set_map(capture, "targets", 1, 0);
	if (!err && capture->settings.hides_calls)
		err = set_map(capture, "function_counts", capture->settings.function_count + 1, 0);
	if (!err && capture->settings.value_count)
		err = set_map(capture, "value_sources", capture->settings.value_count, 0);
	if (!err)
		err = returns_prepare(capture->object, capture->returns != NULL);
	for (enum hook_id id = 0; id < HOOK_COUNT && !err; id++) {
		struct bpf_program *program =
			hooks[id].program ? bpf_object__find_program_by_name(capture->object,
									     hooks[id].program)
					  : NULL;

		if (program)
			bpf_program__set_autoload(program, choice_is_used(capture, id));
	}
	function_engine_prepare(capture->functions.probes.engine, capture->object,
				choice_is_used(capture, HOOK_FUNCTION_ENTRY));
	return err;
}

static int load_once(struct capture *capture)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "dashcam");
	size_t size;
	const void *image = object_image(&size);
	int err;

	bpf_object__close(capture->object);
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

/* Loads what every recording needs, then adds hook by hook what this kernel takes. Seldom needed,
 * and as slow as it is simple: a load for each. */
static int load_what_is_taken(struct capture *capture, int evidence_wanted)
{
	struct hook_state found[HOOK_COUNT];
	int err;

	memcpy(found, capture->states, sizeof(found));
	for (enum hook_id id = 0; id < HOOK_COUNT; id++)
		capture->states[id].works = found[id].works && hooks[id].is_required;
	for (enum hook_id id = 0; id <= HOOK_COUNT; id++) {
		bool is_last = id == HOOK_COUNT;

		if (!is_last && (hooks[id].is_required || !found[id].works))
			continue;
		if (!is_last)
			capture->states[id].works = true;
		choice_make(capture, evidence_wanted);
		if (!is_last && hooks[id].program && !choice_is_used(capture, id))
			continue;
		err = load_once(capture);
		if (is_last)
			return err;
		if (err) {
			capture->states[id] = (struct hook_state){.works = false, .error = err};
			warn("%s is left out: %s", hooks[id].name, fail_text());
			fail_clear();
		}
	}
	return 0;
}

int load_object(struct capture *capture, int evidence_wanted)
{
	int err;

	choice_make(capture, evidence_wanted);
	err = load_once(capture);
	if (!err || err == -ENOMEM)
		return err;
	fail_clear();
	return load_what_is_taken(capture, evidence_wanted);
}

int load_map_fd(const struct capture *capture, const char *name)
{
	return bpf_object__find_map_fd_by_name(capture->object, name);
}

static int load_log(struct capture *capture, enum event_log log)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	size_t element = log_element_bytes(capture, log);
	size_t bytes = (element * capture->cpu_count + page_bytes - 1) & ~(page_bytes - 1);
	struct log_reader *readers = xcalloc(capture->cpu_count, sizeof(*readers));
	void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED,
			 load_map_fd(capture, log_map_names[log]), 0);

	capture->drain.logs[log] = readers;
	if (map == MAP_FAILED)
		return fail_errno(-errno, "mapping the %s logs", log_map_names[log]);
	capture->maps[log] = map;
	capture->map_bytes[log] = bytes;
	for (unsigned int cpu = 0; cpu < capture->cpu_count; cpu++)
		log_reader_init(&readers[cpu], (struct log_head *)((char *)map + cpu * element),
				log, capture->settings.key, log_bytes(capture, log));
	return 0;
}

int load_logs(struct capture *capture)
{
	int err = 0;

	for (enum event_log log = 0; log < EVENT_LOG_KINDS && !err; log++) {
		if (has_log(capture, log))
			err = load_log(capture, log);
	}
	return err;
}

/* The perf events whose output interrupts their own CPU. Overwriting rings that nobody reads. */
int load_kicks(struct capture *capture)
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

	if (capture->settings.evidence_hook != EVIDENCE_KICK)
		return 0;
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
		if (bpf_map_update_elem(load_map_fd(capture, "kick"), &cpu, &fd, BPF_ANY))
			return fail_errno(-errno, "storing the kick of CPU %u", cpu);
	}
	return 0;
}

int load_targets(struct capture *capture, const struct capture_options *options)
{
	for (size_t i = 0; i < options->pid_count; i++) {
		/* the last one is the command's, which runs nothing yet */
		bool is_held = options->command && i + 1 == options->pid_count;
		uint8_t state = is_held ? TARGET_HELD : TARGET_RUNS;

		if (bpf_map_update_elem(load_map_fd(capture, "targets"), &options->pids[i], &state,
					BPF_ANY))
			return fail_errno(-errno, "storing process %u", options->pids[i]);
	}
	return 0;
}

void load_release(struct capture *capture)
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
	free(capture->kick_fds);
	free(capture->kick_pages);
	bpf_object__close(capture->object);
}
