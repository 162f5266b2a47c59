/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/fact.h"
#include "capture/internal.h"
#include "event/schema.h"

static void give_meta(struct capture *capture, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void give_meta(struct capture *capture, const char *name, const char *format, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list args;

	va_start(args, format);
	value = xvasprintf(format, args);
	va_end(args);
	fact_tell(&capture->sink, name, value);
}

static void give_hook(struct capture *capture, enum hook_id id, enum event_hook_status status)
{
	const char *gives = status == EVENT_HOOK_WORKS ? hooks[id].gives : hooks[id].without;
	size_t name_bytes = strlen(hooks[id].name) + 1, gives_bytes = strlen(gives) + 1;
	size_t size = event_align(sizeof(struct event_hook) + name_bytes + gives_bytes);
	_cleanup_free_ struct event_hook *event = xcalloc(1, size);

	event->header = (struct event_header){
		.kind = EVENT_HOOK, .size = (uint16_t)size, .time_ns = capture_now_ns()};
	event->status = status;
	event->error = -choice_error(capture, id);
	memcpy(event->text, hooks[id].name, name_bytes);
	memcpy(event->text + name_bytes, gives, gives_bytes);
	capture->sink.table(capture->sink.context, &event->header);
}

/* What the machine calls its disks: "254:0 vda", a line each. Numbers are all the kernel side sees.
 */
static void give_disk_names(struct capture *capture)
{
	FILE *file = fopen("/proc/partitions", "re");
	struct buffer text = {.data = NULL};
	unsigned int major, minor;
	char line[256], name[64];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%u %u %*u %63s", &major, &minor, name) == 3)
			buffer_printf(&text, "%s%u:%u %s", text.size ? "\n" : "", major, minor,
				      name);
	}
	if (file)
		fclose(file);
	if (text.size)
		give_meta(capture, "disk_names", "%s", text.data);
	buffer_release(&text);
}

void statement_machine(struct capture *capture)
{
	static const char *const stacks[] = {
		[USER_STACK_AUTO] = "auto",
		[USER_STACK_FP] = "fp",
		[USER_STACK_DWARF] = "dwarf",
		[USER_STACK_NONE] = "none",
	};
	struct utsname name;

	uname(&name);
	give_meta(capture, "version", "%s", DASHCAM_VERSION);
	give_meta(capture, "host", "%s", name.nodename);
	give_meta(capture, "kernel_sysname", "%s", name.sysname);
	give_meta(capture, "kernel", "%s", name.release);
	give_meta(capture, "kernel_version", "%s", name.version);
	give_meta(capture, "machine", "%s", name.machine);
	give_meta(capture, "cpus", "%u", capture->cpu_count);
	give_meta(capture, "evidence_hook", "%s", hooks[choice_evidence_hook(capture)].name);
	give_meta(capture, "min_wait_ns", "%" PRIu64, (uint64_t)capture->settings.min_wait_ns);
	give_meta(capture, "waker_stack_ns", "%" PRIu64,
		  (uint64_t)capture->settings.waker_stack_ns);
	give_meta(capture, "sample_period_ns", "%" PRIu64,
		  (uint64_t)capture->settings.sample_period_ns);
	give_meta(capture, "user_stack", "%s", stacks[capture->settings.user_stack]);
	give_meta(capture, "switch_log_bytes", "%" PRIu64,
		  (uint64_t)capture->settings.switch_mask + 1);
	give_meta(capture, "evidence_log_bytes", "%" PRIu64,
		  (uint64_t)capture->settings.evidence_mask + 1);
	if (capture->probes & PROBE_BIT(PROBE_IRQ)) {
		give_meta(capture, "irq_hidden_ns", "%" PRIu64,
			  (uint64_t)capture->settings.irq_hidden_ns);
		give_meta(capture, "irq_hidden_is", "%s",
			  capture->is_calibrated ? "measured" : "assumed");
	}
	give_disk_names(capture);
	drain_report_clock(&capture->drain);
}

void statement_hooks(struct capture *capture)
{
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (choice_is_observed(capture, id))
			give_hook(capture, id, choice_status(capture, id));
	}
}

void statement_functions(struct capture *capture)
{
	const struct functions *functions = &capture->functions;
	const struct capture_settings *settings = &capture->settings;
	size_t cheap = 0, costly = 0, entry_only = 0;

	if (functions->count == 0)
		return;
	for (size_t i = 0; i < functions->count; i++) {
		cheap += (functions->items[i].flags & EVENT_NAME_CHEAP) != 0;
		costly += (functions->items[i].flags & EVENT_NAME_COSTLY) != 0;
		entry_only += (functions->items[i].flags & EVENT_NAME_ENTRY_ONLY) != 0;
	}
	if (functions->choice.count > 0) {
		_cleanup_free_ char *summary = function_choice_summary(&functions->choice);

		give_meta(capture, "functions_chosen", "%s", summary);
	}
	give_meta(capture, "functions_traced", "%zu",
		  functions->probes.count - functions->left_out);
	give_meta(capture, "functions_cheap", "%zu", cheap);
	give_meta(capture, "functions_costly", "%zu", costly);
	give_meta(capture, "functions_entry_only", "%zu", entry_only);
	give_meta(capture, "functions_refused", "%zu", functions->left_out);
	give_meta(capture, "functions_engine", "%s",
		  function_engine_name(functions->probes.engine));
	give_meta(capture, "functions_attach_ns", "%" PRIu64, functions->attach_ns);
	give_meta(capture, "call_log_bytes", "%" PRIu64, (uint64_t)settings->call_mask + 1);
	give_meta(capture, "min_call_ns", "%" PRIu64, (uint64_t)settings->min_call_ns);
	give_meta(capture, "max_call_rate", "%" PRIu64, (uint64_t)settings->max_call_rate);
	give_meta(capture, "max_call_depth", "%u", settings->max_call_depth);
}

void statement_returns(struct capture *capture, const struct returns_report *report)
{
	give_meta(capture, "returns_repaired", "%" PRIu64, report->repairs);
	give_meta(capture, "returns_put_back", "%u", report->threads);
	give_meta(capture, "returns_lost", "%u", report->failed);
	if (report->failed > 0)
		warn("return addresses of %u threads could not be put back: an exception there "
		     "would end the program",
		     report->failed);
}

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

		if (!hooks[id].program || !choice_is_used(capture, id))
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
	if (!bpf_map_lookup_elem(load_map_fd(capture, "counters"), &zero, each)) {
		for (int cpu = 0; cpu < cpus; cpu++) {
			sum.slot_conflicts += each[cpu].slot_conflicts;
			sum.unseen_waits += each[cpu].unseen_waits;
			sum.unseen_requests += each[cpu].unseen_requests;
			sum.lost_calls += each[cpu].lost_calls;
			sum.evidence += each[cpu].evidence;
			sum.user_copies += each[cpu].user_copies;
			sum.user_copies_saved += each[cpu].user_copies_saved;
			sum.followed_threads += each[cpu].followed_threads;
			sum.small_irqs += each[cpu].small_irqs;
			sum.small_irqs_ns += each[cpu].small_irqs_ns;
		}
	}
	free(each);
	give_meta(capture, "waits_with_evidence", "%" PRIu64, (uint64_t)sum.evidence);
	give_meta(capture, "user_stacks_copied", "%" PRIu64, (uint64_t)sum.user_copies);
	give_meta(capture, "user_stacks_known", "%" PRIu64, (uint64_t)sum.user_copies_saved);
	if (capture->settings.filter)
		give_meta(capture, "followed_threads", "%" PRIu64, (uint64_t)sum.followed_threads);
	if (capture->probes & PROBE_BIT(PROBE_IRQ)) {
		give_meta(capture, "irq_small_count", "%" PRIu64, (uint64_t)sum.small_irqs);
		give_meta(capture, "irq_small_ns", "%" PRIu64, (uint64_t)sum.small_irqs_ns);
	}
	report_evidence_loss(capture, sum.slot_conflicts, EVENT_LOSS_SLOT);
	report_evidence_loss(capture, sum.unseen_waits, EVENT_LOSS_UNSEEN);
	report_evidence_loss(capture, sum.unseen_requests, EVENT_LOSS_UNSEEN_DISK);
	report_evidence_loss(capture, sum.lost_calls, EVENT_LOSS_SPAN);
}

/* How many records the programs have written, read or not: what was recorded and what was lost add
 * up to this. */
static void report_written(struct capture *capture)
{
	static const char *const names[EVENT_LOG_KINDS] = {
		[EVENT_LOG_SWITCH] = "switch_log_events",
		[EVENT_LOG_EVIDENCE] = "evidence_log_events",
		[EVENT_LOG_CALL] = "call_log_events",
	};

	for (enum event_log log = 0; log < EVENT_LOG_KINDS; log++) {
		uint64_t written = 0;

		for (unsigned int cpu = 0; capture->maps[log] && cpu < capture->cpu_count; cpu++)
			written += log_written(&capture->drain.logs[log][cpu]);
		if (capture->maps[log])
			give_meta(capture, names[log], "%" PRIu64, written);
	}
	if (capture->functions.count > 0)
		give_meta(capture, "functions_detach_ns", "%" PRIu64, capture->functions.detach_ns);
}

void statement_counts(struct capture *capture)
{
	report_recursion(capture);
	report_counters(capture);
	report_written(capture);
	drain_report_clock(&capture->drain);
}

void statement_naming(struct capture *capture, const struct resolver_statistics *statistics,
		      uint64_t dropped_stacks)
{
	give_meta(capture, "user_stacks_unwound", "%" PRIu64, statistics->stacks);
	give_meta(capture, "user_stacks_truncated", "%" PRIu64, statistics->truncated);
	give_meta(capture, "user_stacks_broken", "%" PRIu64, statistics->broken);
	give_meta(capture, "frames_named", "%" PRIu64, statistics->frames_named);
	give_meta(capture, "frames_unnamed", "%" PRIu64, statistics->frames_unnamed);
	report_evidence_loss(capture, dropped_stacks, EVENT_LOSS_UNWIND);
}
