/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>

#include "base/utf8.h"
#include "view/explanation.h"

/* Text from anywhere as a JSON string; null for none. */
static json_t *json_text(const char *text)
{
	struct buffer repaired = {.data = NULL};
	json_t *string;

	if (!text)
		return json_null();
	utf8_add_repaired(&repaired, text);
	string = json_string(repaired.data ? repaired.data : "");
	buffer_release(&repaired);
	return string;
}

/* Enough digits to read, few enough to compare. */
static json_t *json_share(double share)
{
	return json_real((double)(int64_t)(share * 10000 + 0.5) / 10000);
}

static json_t *json_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void add_thread(json_t *object, const struct thread *thread)
{
	bool has_pid = thread && thread->process->pid != MODEL_NONE;

	json_object_set_new(object, "pid",
			    has_pid ? json_number(thread->process->pid) : json_null());
	json_object_set_new(object, "tid", thread ? json_number(thread->tid) : json_null());
	json_object_set_new(object, "comm", thread ? json_text(thread->comm) : json_null());
}

static json_t *target_json(const struct explanation *explanation)
{
	const struct process *process = explanation->process;
	json_t *object = json_object();

	json_object_set_new(object, "pid",
			    process && process->pid != MODEL_NONE ? json_number(process->pid)
								  : json_null());
	json_object_set_new(object, "tid",
			    explanation->thread ? json_number(explanation->thread->tid)
						: json_null());
	json_object_set_new(object, "comm",
			    json_text(explanation->thread ? explanation->thread->comm
				      : process           ? process->comm
							  : NULL));
	json_object_set_new(object, "name", json_text(explanation->target));
	json_object_set_new(object, "threads", json_number(explanation->thread_count));
	json_object_set_new(object, "from_ns", json_number(explanation->from_ns));
	json_object_set_new(object, "to_ns", json_number(explanation->to_ns));
	return object;
}

/* The categories that took time, the largest first. */
static json_t *breakdown_json(const struct account *account, uint64_t total_ns)
{
	json_t *array = json_array();
	enum category order[CATEGORY_COUNT];
	size_t count = account_order(account, order);

	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();
		uint64_t ns = account->ns[order[i]];

		json_object_set_new(object, "category", json_text(category_name(order[i])));
		json_object_set_new(object, "ns", json_number(ns));
		json_object_set_new(object, "share", json_share((double)ns / (double)total_ns));
		json_array_append_new(array, object);
	}
	return array;
}

static const char *link_word(enum blame_link link)
{
	static const char *const words[] = {
		[LINK_HELD_BY] = "held by", [LINK_WOKE] = "ended by", [LINK_RAN] = "ran instead"};

	return words[link];
}

static json_t *hop_json(const struct explanation *explanation, const struct blame_hop *hop)
{
	const struct event_wait *evidence = hop->wait ? hop->wait->evidence : NULL;
	const struct place *place =
		evidence ? category_user_place(explanation->model, evidence->user_stack) : NULL;
	char object[256] = "";
	json_t *json = json_object();

	if (evidence)
		model_object_text(explanation->model, evidence, object, sizeof(object));
	add_thread(json, hop->thread);
	json_object_set_new(json, "category", json_text(category_name(hop->category)));
	json_object_set_new(json, "function", json_text(place ? place->function : NULL));
	json_object_set_new(json, "object", json_text(object[0] ? object : NULL));
	json_object_set_new(json, "from_ns", json_number(hop->from_ns));
	json_object_set_new(json, "ns", json_number(hop->to_ns - hop->from_ns));
	json_object_set_new(json, "next", json_text(link_word(hop->link)));
	return json;
}

static json_t *culprit_json(const struct thread *culprit, const struct blame_cause *cause,
			    const char *function, const char *object_text)
{
	json_t *object = json_object();

	add_thread(object, culprit);
	json_object_set_new(object, "function", json_text(function));
	json_object_set_new(object, "object", json_text(object_text[0] ? object_text : NULL));
	json_object_set_new(object, "does", json_text(cause ? category_name(cause->leaf) : NULL));
	json_object_set_new(object, "threads", json_number(cause ? cause->culprit_count : 0));
	return object;
}

/* The longest instance, hop by hop, and the culprit at its end if that is not the last hop itself.
 */
static json_t *chain_json(const struct explanation *explanation, const struct blame_cause *cause)
{
	json_t *array = json_array();

	for (size_t i = 0; cause && i < cause->hop_count; i++)
		json_array_append_new(array, hop_json(explanation, &cause->hops[i]));
	if (cause && cause->hop_count && cause->culprit &&
	    cause->hops[cause->hop_count - 1].thread != cause->culprit) {
		json_t *json = culprit_json(
			cause->culprit, cause,
			cause->where.count ? cause->where.places[0].place->function : NULL,
			cause->object);

		json_object_set_new(json, "category", json_text(category_name(cause->leaf)));
		json_object_set_new(json, "ns", json_number(cause->longest_ns));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *parts_json(const struct finding *finding)
{
	json_t *array = json_array();

	for (size_t i = 0; i < finding->part_count; i++) {
		const struct blame_cause *cause = finding->parts[i].cause;
		json_t *json = culprit_json(
			cause->culprit, cause,
			cause->where.count ? cause->where.places[0].place->function : NULL,
			cause->object);

		json_object_set_new(json, "share", json_share(finding->parts[i].share));
		json_object_set_new(json, "ns", json_number(cause->ns));
		json_object_set_new(json, "instances", json_number(cause->waits));
		json_object_set_new(json, "longest_ns", json_number(cause->longest_ns));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *finding_json(const struct explanation *explanation, const struct finding *finding)
{
	json_t *json = json_object();

	json_object_set_new(json, "rank", json_number(finding->rank));
	json_object_set_new(json, "category", json_text(category_name(finding->category)));
	json_object_set_new(json, "share", json_share(finding->share));
	json_object_set_new(json, "ns", json_number(finding->ns));
	json_object_set_new(
		json, "culprit",
		culprit_json(finding->culprit, finding->cause, finding->function, finding->object));
	json_object_set_new(json, "chain", chain_json(explanation, finding->cause));
	json_object_set_new(json, "parts", parts_json(finding));
	json_object_set_new(json, "sentence", json_text(finding->sentence));
	json_object_set_new(json, "advice", json_text(finding->advice));
	json_object_set_new(json, "confidence", json_share(finding->confidence));
	return json;
}

static json_t *spans_json(const struct explain_spans *spans)
{
	json_t *json = json_object();

	json_object_set_new(json, "count", json_number(spans->count));
	json_object_set_new(json, "median_ns", json_number(spans->median_ns));
	json_object_set_new(json, "p90_ns", json_number(spans->p90_ns));
	json_object_set_new(json, "p99_ns", json_number(spans->p99_ns));
	json_object_set_new(json, "max_ns", json_number(spans->max_ns));
	json_object_set_new(json, "slow_from_ns", json_number(spans->slow_from_ns));
	json_object_set_new(json, "slow_count", json_number(spans->slow_count));
	json_object_set_new(json, "normal_breakdown",
			    breakdown_json(&spans->normal, spans->normal_ns));
	return json;
}

/* Another thread with a problem. */
static json_t *other_json(const struct explanation *other)
{
	json_t *json = json_object();

	add_thread(json, other->thread);
	json_object_set_new(json, "sentence", json_text(other->verdict));
	return json;
}

static json_t *explanation_json(const struct explanation *explanation)
{
	json_t *json = json_object(), *findings = json_array(), *notes = json_array(),
	       *others = json_array();

	json_object_set_new(json, "target", target_json(explanation));
	json_object_set_new(json, "total_ns", json_number(explanation->total_ns));
	json_object_set_new(json, "verdict", json_text(explanation->verdict));
	json_object_set_new(json, "healthy", json_boolean(explanation->is_healthy));
	json_object_set_new(json, "breakdown",
			    breakdown_json(&explanation->account, explanation->total_ns));
	for (size_t i = 0; i < explanation->finding_count; i++)
		json_array_append_new(findings,
				      finding_json(explanation, &explanation->findings[i]));
	json_object_set_new(json, "findings", findings);
	if (explanation->has_spans)
		json_object_set_new(json, "spans", spans_json(&explanation->spans));
	for (size_t i = 0; i < explanation->note_count; i++)
		json_array_append_new(notes, json_text(explanation->notes[i]));
	json_object_set_new(json, "notes", notes);
	for (size_t i = 0; i < explanation->other_count; i++) {
		if (explanation->others[i].finding_count)
			json_array_append_new(others, other_json(&explanation->others[i]));
	}
	json_object_set_new(json, "others", others);
	json_object_set_new(json, "loss", json_number(explanation->loss));
	return json;
}

void explanation_print_json(FILE *out, const struct explanation *explanation)
{
	json_t *json = explanation_json(explanation);

	json_dumpf(json, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	json_decref(json);
}
