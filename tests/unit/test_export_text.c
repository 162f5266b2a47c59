/* SPDX-License-Identifier: BSD-2-Clause */
/* json and csv: the rows of events, beside the recording they come from */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "event/schema.h"
#include "export/export.h"
#include "support/synth.h"

static const char recording[] =
	"thread 10 10 main\n"
	"thread 11 11 'say \"hi\", \\ you'\n"
	"stack lock kernel schedule futex_wait\n"
	"stack app user work main\n"
	"file log /var/log/x\n"
	"0 cpu0 switch idle > 10\n"
	"10 cpu0 switch 10:S > 11\n"
	"20 cpu0 waking 10 by 11\n"
	"30 cpu0 switch 11:S > 10\n"
	"30 cpu0 wait 10 pid=10 blocked=10 runnable=10 prev_state=S syscall=read args=3,0x7f00 "
	"kernel_stack=lock user_stack=app object=log object_kind=1 descriptor=3 futex_owner_tid=11 "
	"waker_tid=11\n"
	"40 cpu0 fork 10 > 12 pid=12 comm=a,b\n"
	"50 cpu0 loss 41..42 events=3 log=1\n";

/* What FORMAT writes of a recording. */
static char *written(const struct export *format, const char *timeline,
		     const struct export_options *options, int expected_err)
{
	struct model *model = synth_model(timeline);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(format->run(model, options, out), expected_err);
	fclose(out);
	synth_model_free(model);
	return text;
}

static struct export_options options_of(const char *kind)
{
	return (struct export_options){.filter = {.to_ns = UINT64_MAX}, .event_kind = kind};
}

static void expect(const struct export *format, const struct export_options *options,
		   const char *expected)
{
	_cleanup_free_ char *text = written(format, recording, options, 0);

	assert_string_equal(text, expected);
}

/* ---- json ---- */

static void test_json_of_a_kind(void **state)
{
	struct export_options switches = options_of("switch"), forks = options_of("fork");

	(void)state;
	expect(&export_json, &switches,
	       "{\"event\":\"switch\",\"time_ns\":1000000000,\"prev_tid\":0,\"prev_comm\":null,"
	       "\"next_tid\":10,\"next_comm\":\"main\",\"prev_state\":0,\"cpu\":0,"
	       "\"next_prio\":120,\"flags\":0,\"prev_syscall\":-1,"
	       "\"prev_syscall_name\":null}\n"
	       "{\"event\":\"switch\",\"time_ns\":1000010000,\"prev_tid\":10,\"prev_comm\":\"main\","
	       "\"next_tid\":11,\"next_comm\":\"say \\\"hi\\\", \\\\ you\",\"prev_state\":1,"
	       "\"cpu\":0,\"next_prio\":120,\"flags\":0,\"prev_syscall\":-1,"
	       "\"prev_syscall_name\":null}\n"
	       "{\"event\":\"switch\",\"time_ns\":1000030000,\"prev_tid\":11,"
	       "\"prev_comm\":\"say \\\"hi\\\", \\\\ you\",\"next_tid\":10,\"next_comm\":\"main\","
	       "\"prev_state\":1,\"cpu\":0,\"next_prio\":120,\"flags\":0,\"prev_syscall\":-1,"
	       "\"prev_syscall_name\":null}\n");
	expect(&export_json, &forks,
	       "{\"event\":\"fork\",\"time_ns\":1000040000,\"parent_tid\":10,"
	       "\"parent_comm\":\"main\",\"parent_pid\":10,\"tid\":12,\"pid\":12,"
	       "\"comm\":\"a,b\",\"ns_tid\":0}\n");
}

/* Ids are texts, stacks and numbers have their names beside them, arrays are lists. */
static void test_json_of_a_wait(void **state)
{
	struct export_options options = options_of("wait");
	_cleanup_free_ char *text = written(&export_json, recording, &options, 0);
	json_t *wait = json_loads(text, 0, NULL);

	(void)state;
	assert_non_null(wait);
	assert_string_equal(json_string_value(json_object_get(wait, "comm")), "main");
	assert_int_equal(json_integer_value(json_object_get(wait, "blocked_ns")), 10000);
	assert_string_equal(json_string_value(json_object_get(wait, "syscall_name")), "read");
	assert_string_equal(json_string_value(json_object_get(wait, "kernel_stack_frames")),
			    "futex_wait;schedule");
	assert_string_equal(json_string_value(json_object_get(wait, "user_stack_frames")),
			    "main;work");
	assert_true(json_is_null(json_object_get(wait, "waker_user_stack_frames")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(wait, "args"), 1)),
			    "0x7f00");
	assert_int_equal(json_integer_value(json_object_get(wait, "descriptor")), 3);
	assert_true(json_is_string(json_object_get(wait, "object")));
	/* tids of another pid namespace have no name here */
	assert_null(json_object_get(wait, "futex_owner_comm"));
	json_decref(wait);
}

/* Each line of each kind is an object of its own, its keys are the fields of the event table. */
static void test_json_of_everything(void **state)
{
	static const char hostile[] = "event raw_user_stack copy_bytes=2 copy=01ff\n"
				      "event module path='\xff\x01/x' build_id=abcd\n"
				      "event socket local_address=7f000001 path=''\n"
				      "0 cpu0 rename 10 '\xff\x1b[2J' pid=10\n";
	struct export_options options = options_of(NULL);
	_cleanup_free_ char *timeline = xasprintf("%s%s", recording, hostile);
	_cleanup_free_ char *text = written(&export_json, timeline, &options, 0);
	unsigned int lines = 0;

	(void)state;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		json_error_t error;
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
		const char *key;
		json_t *value;

		if (!object)
			print_error("%s in %s\n", error.text, line);
		assert_non_null(object);
		json_object_foreach(object, key, value) assert_true(strcmp(key, "reserved"));
		assert_true(json_is_string(json_object_get(object, "event")));
		json_decref(object);
		lines++;
	}
	assert_true(lines > 15);
}

/* ---- csv ---- */

static void test_csv(void **state)
{
	struct export_options switches = options_of("switch"), forks = options_of("fork");

	(void)state;
	expect(&export_csv, &switches,
	       "time_ns,prev_tid,prev_comm,next_tid,next_comm,prev_state,cpu,next_prio,flags,"
	       "prev_syscall,prev_syscall_name\n"
	       "1000000000,0,,10,main,0,0,120,0,-1,\n"
	       "1000010000,10,main,11,\"say \"\"hi\"\", \\ you\",1,0,120,0,-1,\n"
	       "1000030000,11,\"say \"\"hi\"\", \\ you\",10,main,1,0,120,0,-1,\n");
	expect(&export_csv, &forks,
	       "time_ns,parent_tid,parent_comm,parent_pid,tid,pid,comm,ns_tid\n"
	       "1000040000,10,main,10,12,12,\"a,b\",0\n");
}

static void test_csv_wants_one_kind(void **state)
{
	struct export_options none = options_of(NULL), wrong = options_of("swich");
	_cleanup_free_ char *nothing = written(&export_csv, recording, &none, -EINVAL);

	(void)state;
	assert_string_equal(nothing, "");
	assert_string_equal(fail_text(),
			    "a CSV table holds one kind of event: choose it, as with --kind wait");
	fail_clear();
	free(nothing);
	nothing = written(&export_csv, recording, &wrong, -EINVAL);
	assert_string_equal(fail_text(),
			    "there is no kind of event called 'swich'; `dashcam info` lists them");
	fail_clear();
}

/* ---- filters ---- */

/* A thread's own events, and those of two threads that touch it; losses are never hidden. */
static void test_filters(void **state)
{
	static const char timeline[] = "thread 10 10 a\n"
				       "thread 20 20 b\n"
				       "0 cpu0 switch idle > 10\n"
				       "10 cpu0 switch 10:S > 20\n"
				       "20 cpu0 switch 20:S > 21\n"
				       "30 cpu0 waking 10 by 20\n"
				       "31 cpu0 rename 20 c pid=20\n"
				       "32 cpu0 rename 10 d pid=10\n"
				       "33 cpu0 loss 1..2 events=1 log=1\n"
				       "40 cpu0 waking 10 by 20\n";
	uint32_t pid = 10;
	struct export_options options = options_of(NULL);
	_cleanup_free_ char *text = NULL;
	char kinds[256] = "";

	(void)state;
	options.filter.pids = &pid;
	options.filter.pid_count = 1;
	options.filter.to_ns = SYNTH_US(35);
	text = written(&export_json, timeline, &options, 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		json_t *object = json_loads(line, 0, NULL);

		snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds), "%s ",
			 json_string_value(json_object_get(object, "event")));
		json_decref(object);
	}
	assert_string_equal(kinds, "thread switch switch waking rename loss ");
}

static void test_full_disk(void **state)
{
	const struct export *const formats[] = {&export_json, &export_csv, &export_chrome};
	struct export_options options = options_of("switch");

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
		struct model *model = synth_model(recording);
		FILE *full = fopen("/dev/full", "w");

		setvbuf(full, NULL, _IONBF, 0);
		assert_int_equal(formats[i]->run(model, &options, full), -ENOSPC);
		fail_clear();
		fclose(full);
		synth_model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_of_a_kind),     cmocka_unit_test(test_json_of_a_wait),
		cmocka_unit_test(test_json_of_everything), cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_wants_one_kind), cmocka_unit_test(test_filters),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
