/* SPDX-License-Identifier: BSD-2-Clause */
/* dashcam info: what it says of a recording's events. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/info_print.h"
#include "event/schema.h"
#include "recording/recording.h"
#include "support/synth.h"
#include "unit.h"

/* Adds an event of two texts behind its fixed part. */
static void add_texts(struct recording *recording, struct event_header *fixed, size_t fixed_size,
		      const char *first, const char *second)
{
	char memory[512] __attribute__((aligned(8))) = {0};
	size_t first_size = strlen(first) + 1;

	fixed->size = (uint16_t)event_align(fixed_size + first_size + strlen(second) + 1);
	memcpy(memory, fixed, fixed_size);
	memcpy(memory + fixed_size, first, first_size);
	memcpy(memory + fixed_size + first_size, second, strlen(second));
	recording_memory_add(recording, STREAM_TABLE, 0, memory, fixed->size);
}

static void add_meta(struct recording *recording, const char *name, const char *value)
{
	struct event_meta event = {.header = {.kind = EVENT_META}};

	add_texts(recording, &event.header, sizeof(event), name, value);
}

static void add_hook(struct recording *recording, uint32_t status, int32_t error, const char *name,
		     const char *text)
{
	struct event_hook event = {
		.header = {.kind = EVENT_HOOK}, .status = status, .error = error};

	add_texts(recording, &event.header, sizeof(event), name, text);
}

static void add_loss(struct recording *recording, uint16_t cpu, uint64_t from_ns, uint64_t to_ns,
		     uint64_t events)
{
	struct event_loss event = {
		.header = {.kind = EVENT_LOSS, .size = sizeof(event), .time_ns = to_ns},
		.from_ns = from_ns,
		.to_ns = to_ns,
		.events = events,
		.cpu = cpu,
		.log = EVENT_LOG_SWITCH,
		.reason = EVENT_LOSS_OVERWRITTEN,
	};

	recording_memory_add(recording, STREAM_EVIDENCE, 0, &event, sizeof(event));
}

static struct recording *make_recording(void)
{
	struct recording *recording = recording_memory_new();
	struct event_clock clock = {
		.header = {.kind = EVENT_CLOCK, .size = sizeof(clock), .time_ns = 5000000000},
		.realtime_ns = 1700000005000000000,
	};
	struct event_switch change = {
		.header = {.kind = EVENT_SWITCH, .size = sizeof(change), .time_ns = 2000000000}};

	recording_memory_add(recording, STREAM_SWITCH, 3, &change, sizeof(change));
	recording_memory_add(recording, STREAM_EVIDENCE, 0, &clock, sizeof(clock));
	add_meta(recording, "host", "early");
	add_meta(recording, "host", "box\033[31m"); /* the later one counts */
	add_meta(recording, "min_wait_ns", "1000000");
	add_meta(recording, "sample_period_ns", "0");
	add_meta(recording, "bad\xff", "\xfe");
	add_hook(recording, EVENT_HOOK_WORKS, 0, "sched_switch", "who runs");
	add_hook(recording, EVENT_HOOK_MISSING, 2, "kprobe", "no evidence");
	return recording;
}

/* What is printed of RECORDING; the caller frees. */
static char *print(struct recording *recording, void (*how)(FILE *, const struct info_report *))
{
	struct info_facts facts;
	struct info_report report = {
		.path = "x.dcam", .info = recording_info(recording), .facts = &facts, .events = 4};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(info_facts_read(&facts, recording,
					 STREAM_BIT(STREAM_TABLE) | STREAM_BIT(STREAM_EVIDENCE)),
			 0);
	how(out, &report);
	fclose(out);
	info_facts_release(&facts);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		print_message("no line '%s' in\n%s", line, text);
	assert_non_null(strstr(text, line));
}

static void test_text(void **state)
{
	struct recording *recording = make_recording();
	char *text = print(recording, info_print_text);

	(void)state;
	assert_line(text, "file                    x.dcam\n");
	assert_line(text, "state                   whole\n");
	assert_line(text, "duration                3.00 s\n");
	assert_line(text, "CPUs                    4\n");
	assert_line(text, "host                    box\\x1b[31m\n");
	assert_line(text, "evidence of waits       1.00 ms and more\n");
	assert_line(text, "samples every           (none)\n");
	assert_line(text, "bad\\xff                 \\xfe\n");
	assert_line(text, "sched_switch  works    who runs\n");
	assert_line(text, "kprobe        missing  no evidence (No such file or directory)\n");
	assert_line(text, "\nNothing was lost.\n");
	free(text);
	recording_close(recording);
}

/* Losses of one place are one line with their sum and the whole time. */
static void test_losses(void **state)
{
	struct recording *recording = make_recording();
	char *text;

	(void)state;
	add_loss(recording, 1, 3000000000, 3500000000, 1000);
	add_loss(recording, 1, 2500000000, 3200000000, 234);
	add_loss(recording, EVENT_ANY_CPU, 2000000000, 2000000000, 5);
	text = print(recording, info_print_text);
	assert_line(text, "\n1,239 events were lost\n");
	assert_line(
		text,
		"1,234    1  switch  the log was overwritten before it was read  0.500000  1.500000\n");
	assert_line(
		text,
		"    5    -  switch  the log was overwritten before it was read  0.000000  0.000000\n");
	assert_null(strstr(text, "Nothing was lost"));
	free(text);
	recording_close(recording);
}

/* Functions whose calls were only counted: told twice, the newest holds. */
static void test_counted(void **state)
{
	struct recording *recording =
		synth_recording("event span_name name=1 flags=3 text='rare|x:rare'\n"
				"event span_name name=2 flags=3 text='often|x:often'\n"
				"1s cpu0 event call_count name=1 calls=7\n"
				"1s cpu0 event call_count name=2 calls=10\n"
				"2s cpu0 event call_count name=2 calls=12345 since=1.5s\n");
	char *text = print(recording, info_print_text);
	json_t *object, *first;

	(void)state;
	assert_line(text, "\nof 2 functions calls were only counted, not recorded one by one\n");
	assert_line(text, "12,345        0.500000  often\n");
	assert_line(text, "     7               -  rare\n");
	free(text);
	text = print(recording, info_print_json);
	object = json_loads(text, 0, NULL);
	first = json_array_get(json_object_get(object, "counted"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "function")), "often");
	assert_int_equal(json_integer_value(json_object_get(first, "calls")), 12345);
	json_decref(object);
	free(text);
	recording_close(recording);
}

static void test_json(void **state)
{
	struct recording *recording = make_recording();
	json_t *object, *facts, *hook, *loss;
	char *text;

	(void)state;
	add_loss(recording, 1, 3000000000, 3500000000, 1000);
	text = print(recording, info_print_json);
	object = json_loads(text, 0, NULL);
	assert_non_null(object);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_int_equal(json_integer_value(json_object_get(object, "duration_ns")), 3000000000);
	assert_int_equal(json_integer_value(json_object_get(object, "realtime_start_ns")),
			 1700000002000000000);
	assert_int_equal(json_integer_value(json_object_get(object, "lost_events")), 1000);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(object, "events"), "meta")), 5);
	facts = json_object_get(object, "facts");
	assert_string_equal(json_string_value(json_object_get(facts, "host")), "box\033[31m");
	assert_string_equal(json_string_value(json_object_get(facts, "bad\xef\xbf\xbd")),
			    "\xef\xbf\xbd");
	hook = json_array_get(json_object_get(object, "hooks"), 1);
	assert_string_equal(json_string_value(json_object_get(hook, "status")), "missing");
	loss = json_array_get(json_object_get(object, "loss"), 0);
	assert_int_equal(json_integer_value(json_object_get(loss, "cpu")), 1);
	json_decref(object);
	free(text);
	recording_close(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
