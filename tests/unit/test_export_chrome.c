/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome traces: parsed as JSON and printed as lines, beside the recording they come from */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "export/export.h"
#include "support/synth.h"

static const char recording[] =
	"meta host box\n"
	"thread 10 10 main\n"
	"thread 11 10 helper\n"
	"thread 30 30 '\xff\"\\'\n"
	"stack lock kernel schedule futex_wait_queue futex_wait\n"
	"stack app user lock_it main\n"
	"0 cpu0 switch idle > 10\n"
	"0 cpu1 switch idle > 11\n"
	"10.025 cpu0 switch 10:S > 30\n"
	"50 cpu1 waking 10 by 11\n"
	"60 cpu0 switch 30:S > 10\n"
	"60 cpu0 wait 10 pid=10 blocked_ns=39975 runnable=10 prev_state=S syscall=futex args=1 "
	"kernel_stack=lock user_stack=app waker_tid=11\n"
	"65 cpu0 sample 10 pid=10 period=10 user_stack=app kernel_stack=lock\n"
	"70 cpu0 switch 10:R > idle\n"
	"80 cpu1 switch 11:S > idle\n";

static json_t *trace_of(const char *timeline, const struct filter *filter)
{
	const struct export_options options = {.filter = *filter};
	struct model *model = synth_model(timeline);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_error_t error;
	json_t *trace;

	assert_int_equal(export_chrome.run(model, &options, out), 0);
	fclose(out);
	trace = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!trace)
		print_error("line %d: %s\n%s", error.line, error.text, text);
	assert_non_null(trace);
	free(text);
	synth_model_free(model);
	return trace;
}

/* The functions of a stack frame and its callers, outermost first. */
static void add_stack(struct buffer *lines, json_t *trace, json_int_t id)
{
	char key[32];
	json_t *frame, *parent;

	snprintf(key, sizeof(key), "%" JSON_INTEGER_FORMAT, id);
	frame = json_object_get(json_object_get(trace, "stackFrames"), key);
	assert_non_null(frame);
	parent = json_object_get(frame, "parent");
	if (parent) {
		add_stack(lines, trace, atoll(json_string_value(parent)));
		buffer_printf(lines, ";");
	}
	buffer_printf(lines, "%s", json_string_value(json_object_get(frame, "name")));
}

static const char *text_at(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static void add_event(struct buffer *lines, json_t *trace, json_t *event)
{
	json_t *args = json_object_get(event, "args");

	buffer_printf(lines, "%s %s %lld/%lld", text_at(event, "ph"), text_at(event, "name"),
		      json_integer_value(json_object_get(event, "pid")),
		      json_integer_value(json_object_get(event, "tid")));
	if (json_object_get(event, "ts"))
		buffer_printf(lines, " %.3f",
			      json_number_value(json_object_get(event, "ts")) - 1000000);
	if (json_object_get(event, "dur"))
		buffer_printf(lines, " for %.3f", json_number_value(json_object_get(event, "dur")));
	if (json_object_get(args, "name"))
		buffer_printf(lines, " '%s'", text_at(args, "name"));
	if (json_object_get(args, "waker"))
		buffer_printf(lines, " waker '%s'", text_at(args, "waker"));
	if (json_object_get(event, "sf")) {
		buffer_printf(lines, " ");
		add_stack(lines, trace, json_integer_value(json_object_get(event, "sf")));
	}
	buffer_printf(lines, "\n");
}

static void expect(const struct filter *filter, const char *expected)
{
	json_t *trace = trace_of(recording, filter), *event;
	struct buffer lines = {0};
	size_t i;

	json_array_foreach(json_object_get(trace, "traceEvents"), i, event)
		add_event(&lines, trace, event);
	json_array_foreach(json_object_get(trace, "samples"), i, event)
		add_event(&lines, trace, event);
	assert_string_equal(lines.data, expected);
	assert_string_equal(text_at(json_object_get(trace, "otherData"), "host"), "box");
	buffer_release(&lines);
	json_decref(trace);
}

static void test_trace(void **state)
{
	const struct filter everything = {.to_ns = UINT64_MAX};

	(void)state;
	expect(&everything,
	       "M process_name 10/10 'main'\n"
	       "M process_name 30/30 '\xef\xbf\xbd\"\\'\n"
	       "M thread_name 10/10 'main'\n"
	       "M thread_name 10/11 'helper'\n"
	       "M thread_name 30/30 '\xef\xbf\xbd\"\\'\n"
	       "X running 10/10 0.000 for 10.025\n"
	       "X running 30/30 10.025 for 49.975\n"
	       "X futex 10/10 10.025 for 49.975 waker 'helper 11' "
	       "main;lock_it;futex_wait;futex_wait_queue\n"
	       "s wakes 10/11 50.000\n"
	       "f wakes 10/10 50.000\n"
	       "X running 10/10 60.000 for 10.000\n"
	       "X running 10/11 0.000 for 80.000\n"
	       "- cpu 0/10 65.000 main;lock_it;futex_wait;futex_wait_queue;schedule\n");
}

static void test_filter(void **state)
{
	const uint32_t tid = 10;
	const struct filter one = {.tids = &tid, .tid_count = 1, .to_ns = UINT64_MAX};

	(void)state;
	expect(&one, "M process_name 10/10 'main'\n"
		     "M thread_name 10/10 'main'\n"
		     "X running 10/10 0.000 for 10.025\n"
		     "X futex 10/10 10.025 for 49.975 waker 'helper 11' "
		     "main;lock_it;futex_wait;futex_wait_queue\n"
		     "X running 10/10 60.000 for 10.000\n"
		     "- cpu 0/10 65.000 main;lock_it;futex_wait;futex_wait_queue;schedule\n");
}

/* Nothing in it is JSON as well. */
static void test_empty(void **state)
{
	const struct filter nothing = {.from_ns = UINT64_MAX, .to_ns = UINT64_MAX};
	json_t *trace = trace_of("meta host box\n", &nothing);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(trace, "traceEvents")), 0);
	json_decref(trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
