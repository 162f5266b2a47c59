/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>

#include "base/utf8.h"
#include "cmd/info_print.h"
#include "event/schema.h"

/* Text from anywhere as a JSON string. */
static json_t *json_text(const char *text)
{
	struct buffer repaired = {0};
	json_t *string;

	utf8_add_repaired(&repaired, text);
	string = json_string(repaired.data ? repaired.data : "");
	buffer_release(&repaired);
	return string;
}

/* Times and counts beyond INT64_MAX are damage; they come out as the largest. */
static json_t *json_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *json_facts(const struct info_facts *facts)
{
	json_t *object = json_object();

	for (size_t i = 0; i < facts->fact_count; i++) {
		struct buffer name = {0};

		utf8_add_repaired(&name, facts->facts[i].name);
		json_object_set_new(object, name.data ? name.data : "",
				    json_text(facts->facts[i].value));
		buffer_release(&name);
	}
	return object;
}

static json_t *json_counts(const struct recording_info *info)
{
	json_t *object = json_object();

	for (unsigned int kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		if (info->event_count[kind])
			json_object_set_new(object, event_schema(kind)->name,
					    json_number(info->event_count[kind]));
	}
	return object;
}

static json_t *json_hooks(const struct info_facts *facts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < facts->hook_count; i++) {
		const struct info_hook *hook = &facts->hooks[i];
		json_t *object = json_object();

		json_object_set_new(object, "hook", json_text(hook->name));
		json_object_set_new(object, "status", json_text(info_hook_status(hook->status)));
		json_object_set_new(object, "errno", json_integer(hook->error));
		json_object_set_new(object, "text", json_text(hook->text));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_counted(const struct info_facts *facts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < facts->counted_count; i++) {
		const struct info_counted *counted = &facts->counted[i];
		json_t *object = json_object();

		json_object_set_new(object, "function", json_text(counted->name));
		json_object_set_new(object, "calls", json_number(counted->calls));
		json_object_set_new(object, "too_often_from_ns",
				    counted->since_ns ? json_number(counted->since_ns)
						      : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_losses(const struct info_facts *facts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < facts->loss_count; i++) {
		const struct info_loss *loss = &facts->losses[i];
		json_t *object = json_object();

		json_object_set_new(object, "cpu",
				    loss->cpu == EVENT_ANY_CPU ? json_null()
							       : json_integer(loss->cpu));
		json_object_set_new(object, "log", json_text(info_log_name(loss->log)));
		json_object_set_new(object, "reason", json_text(event_loss_why(loss->reason)));
		json_object_set_new(object, "events", json_number(loss->events));
		json_object_set_new(object, "from_ns", json_number(loss->from_ns));
		json_object_set_new(object, "to_ns", json_number(loss->to_ns));
		json_array_append_new(array, object);
	}
	return array;
}

void info_print_json(FILE *out, const struct info_report *report)
{
	const struct recording_info *info = report->info;
	uint64_t start_ns = info_realtime_start_ns(report);
	json_t *object = json_object();

	json_object_set_new(object, "file", json_text(report->path));
	json_object_set_new(object, "file_bytes", json_number(info->file_bytes));
	json_object_set_new(object, "good_bytes", json_number(info->good_bytes));
	json_object_set_new(object, "format_version", json_integer(info->format_version));
	json_object_set_new(object, "is_torn", json_boolean(info->is_torn));
	json_object_set_new(object, "damage", json_text(info->damage));
	json_object_set_new(object, "damaged", json_number(report->facts->damaged));
	json_object_set_new(object, "chunks", json_number(info->chunks));
	json_object_set_new(object, "decoded_bytes", json_number(info->decoded_bytes));
	json_object_set_new(object, "first_ns", json_number(info->first_ns));
	json_object_set_new(object, "last_ns", json_number(info->last_ns));
	json_object_set_new(object, "duration_ns", json_number(info->last_ns - info->first_ns));
	json_object_set_new(object, "realtime_start_ns",
			    start_ns ? json_number(start_ns) : json_null());
	json_object_set_new(object, "cpu_limit", json_integer(info->cpu_limit));
	json_object_set_new(object, "event_count", json_number(report->events));
	json_object_set_new(object, "bytes_per_event",
			    report->events
				    ? json_real((double)info->file_bytes / (double)report->events)
				    : json_null());
	json_object_set_new(object, "unknown_events", json_number(info->unknown_events));
	json_object_set_new(object, "events", json_counts(info));
	json_object_set_new(object, "facts", json_facts(report->facts));
	json_object_set_new(object, "hooks", json_hooks(report->facts));
	json_object_set_new(object, "counted", json_counted(report->facts));
	json_object_set_new(object, "lost_events", json_number(report->facts->lost_events));
	json_object_set_new(object, "loss", json_losses(report->facts));
	json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	json_decref(object);
}
