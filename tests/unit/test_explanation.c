/* SPDX-License-Identifier: BSD-2-Clause */
/* Explanations as text and as JSON: complete, valid, harmless, and as wide as asked for. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "support/lossy.h"
#include "support/nonsense.h"
#include "support/scene.h"
#include "support/synth.h"
#include "view/explanation.h"

/* A chain, several causes, spans to compare, notes, other threads with problems. */
static const char story[] =
	"meta min_wait_ns 1000000\n"
	"meta sample_period_ns 10000000\n"
	"hook sched_waking 'wake-ups' status=3 error=1\n"
	"on cpu0 10 10 main\n"
	"on cpu1 11 10 worker\n"
	"on cpu2 12 10 helper\n"
	"on cpu3 20 20 other\n"
	"stack burn user burn@burn.c:7 work@burn.c:20 main@burn.c:30\n"
	"stack busy user busy work main\n"
	"stack locking user libc.so.6!pthread_mutex_lock update one two three four five six main\n"
	"event span_name name=1 text='request|app:request'\n"
	"10ms..60ms 10 lock by 11 futex_owner_tid=11 user_stack=locking waker_user_stack=burn\n"
	"9ms..49ms 11 condition by 12\n"
	"65ms..85ms 10 lock by 20\n"
	"62ms..63ms 10 short by 20 prev_syscall=read\n"
	"20ms cpu2 sample 12 user_stack=burn\n"
	"30ms cpu2 sample 12 user_stack=busy\n"
	"70ms..90ms 12 lock by 11 futex_owner_tid=11\n"
	"9ms cpu0 span tid=10 pid=10 name=1 start=1ms\n"
	"62ms cpu0 span tid=10 pid=10 name=1 start=9ms\n"
	"90ms cpu0 span tid=10 pid=10 name=1 start=86ms\n"
	"100ms cpu0 switch 10:S > idle\n"
	"100ms cpu1 switch 11:S > idle\n"
	"100ms cpu2 switch 12:S > idle\n"
	"100ms cpu3 switch 20:S > idle\n";

static char *text_of(const struct explanation *explanation, const struct explanation_style *style)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	explanation_print_text(out, explanation, style);
	fclose(out);
	return text;
}

/* Fails the test if it is not JSON, on one line. The caller frees it. */
static json_t *json_of(const struct explanation *explanation)
{
	json_error_t error;
	char *text = NULL;
	json_t *json;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	explanation_print_json(out, explanation);
	fclose(out);
	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	json = json_loads(text, 0, &error);
	if (!json)
		print_error("%s in: %s\n", error.text, text);
	assert_non_null(json);
	free(text);
	return json;
}

static json_int_t number_in(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static const char *text_in(const json_t *object, const char *key)
{
	assert_true(json_is_string(json_object_get(object, key)));
	return json_string_value(json_object_get(object, key));
}

/* Sorted, and the whole of it. */
static void check_breakdown(const json_t *breakdown, json_int_t total_ns)
{
	json_int_t sum_ns = 0, last_ns = INT64_MAX;
	double shares = 0;
	size_t i;
	json_t *part;

	json_array_foreach(breakdown, i, part)
	{
		json_int_t ns = number_in(part, "ns");

		assert_true(ns > 0 && ns <= last_ns);
		assert_true(*text_in(part, "category"));
		last_ns = ns;
		sum_ns += ns;
		shares += json_real_value(json_object_get(part, "share"));
	}
	assert_int_equal(sum_ns, total_ns);
	assert_true(total_ns == 0 || (shares > 0.99 && shares < 1.01));
}

/* ---- JSON ---- */

static void test_json(void **state)
{
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain(&scene, 10);
	json_t *json = json_of(&explanation), *finding, *culprit, *chain, *target;

	(void)state;
	target = json_object_get(json, "target");
	assert_int_equal(number_in(target, "pid"), 10);
	assert_int_equal(number_in(target, "tid"), 10);
	assert_string_equal(text_in(target, "comm"), "main");
	assert_int_equal(number_in(target, "from_ns"), SYNTH_US(0));
	assert_int_equal(number_in(target, "to_ns"), SYNTH_US(100000));
	assert_int_equal(number_in(json, "total_ns"), 100000000);
	check_breakdown(json_object_get(json, "breakdown"), 100000000);
	assert_true(json_is_false(json_object_get(json, "healthy")));
	assert_string_equal(text_in(json, "verdict"), explanation.verdict);
	assert_int_equal(number_in(json, "loss"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "notes")), explanation.note_count);
	assert_true(explanation.note_count > 0);
	assert_null(json_object_get(json, "spans"));

	finding = json_array_get(json_object_get(json, "findings"), 0);
	assert_int_equal(number_in(finding, "rank"), 1);
	assert_string_equal(text_in(finding, "category"), "lock.futex");
	assert_string_equal(text_in(finding, "sentence"), explanation.verdict);
	assert_true(*text_in(finding, "advice"));
	assert_true(json_is_real(json_object_get(finding, "confidence")));
	culprit = json_object_get(finding, "culprit");
	assert_int_equal(number_in(culprit, "tid"), 12);
	assert_string_equal(text_in(culprit, "comm"), "helper");
	assert_string_equal(text_in(culprit, "function"), "work");
	assert_string_equal(text_in(culprit, "does"), "cpu.user");
	assert_string_equal(text_in(culprit, "object"), "futex 0x1000");

	chain = json_object_get(finding, "chain");
	assert_int_equal(json_array_size(chain), 3);
	assert_string_equal(text_in(json_array_get(chain, 0), "category"), "lock.futex");
	assert_string_equal(text_in(json_array_get(chain, 0), "function"), "update");
	assert_string_equal(text_in(json_array_get(chain, 0), "next"), "held by");
	assert_string_equal(text_in(json_array_get(chain, 1), "category"), "wait.condition");
	assert_string_equal(text_in(json_array_get(chain, 1), "next"), "ended by");
	assert_int_equal(number_in(json_array_get(chain, 2), "tid"), 12);
	assert_true(json_is_null(json_object_get(json_array_get(chain, 2), "next")));
	json_decref(json);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* A runner is in nobody's hops: the chain ends with the culprit all the same. */
static void test_json_chain_ends_with_culprit(void **state)
{
	struct scene scene = scene_open("thread 10 10 main\n"
					"thread 30 30 hog\n"
					"0 cpu0 switch idle > 10\n"
					"10ms cpu0 switch 10:R > 30\n"
					"70ms cpu0 switch 30:S > 10\n"
					"100ms cpu0 switch 10:S > idle\n");
	struct explanation explanation = scene_explain(&scene, 10);
	json_t *json = json_of(&explanation);
	json_t *chain =
		json_object_get(json_array_get(json_object_get(json, "findings"), 0), "chain");

	(void)state;
	assert_int_equal(json_array_size(chain), 2);
	assert_string_equal(text_in(json_array_get(chain, 0), "next"), "ran instead");
	assert_int_equal(number_in(json_array_get(chain, 1), "tid"), 30);
	json_decref(json);
	explanation_release(&explanation);
	scene_close(&scene);
}

static void test_json_spans(void **state)
{
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain_span(&scene, "request");
	json_t *json = json_of(&explanation), *spans = json_object_get(json, "spans");

	(void)state;
	assert_int_equal(number_in(spans, "count"), 3);
	assert_int_equal(number_in(spans, "slow_count"), 1);
	assert_int_equal(number_in(spans, "median_ns"), 8000000);
	assert_int_equal(number_in(spans, "max_ns"), 53000000);
	check_breakdown(json_object_get(spans, "normal_breakdown"), 12000000);
	check_breakdown(json_object_get(json, "breakdown"), 53000000);
	json_decref(json);
	explanation_release(&explanation);
	scene_close(&scene);
}

static void test_json_healthy(void **state)
{
	struct scene scene = scene_open("on cpu0 10 10 main\n"
					"1ms..90ms 10 epoll by idle\n"
					"100ms cpu0 switch 10:S > idle\n");
	struct explanation explanation = scene_explain(&scene, 10);
	json_t *json = json_of(&explanation);

	(void)state;
	assert_true(json_is_true(json_object_get(json, "healthy")));
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 0);
	check_breakdown(json_object_get(json, "breakdown"), 100000000);
	json_decref(json);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- text ---- */

static void require_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("'%s' is missing in:\n%s\n", part, text);
	assert_non_null(strstr(text, part));
}

static void test_text(void **state)
{
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain(&scene, 10);
	char *text = text_of(&explanation, &(struct explanation_style){.width = 120});

	(void)state;
	assert_int_equal(
		strncmp(text, "main waited for a lock 70.0 ms (70 %), that worker (11) held", 60),
		0);
	require_text(text, "thread main (10): 100 ms, from 0.000000 to 0.100000 s\n");
	require_text(text, "  lock.futex        70.0 ms   70.0 %");
	require_text(text, "\nFindings\n  1. main waited for a lock");
	require_text(text, "\n     > ");
	require_text(text, "functions: work 100 %, burn 50 %, busy 50 %\n");
	require_text(text, "the longest, 50.0 ms at 0.010000 s, was here:\n       "
			   "pthread_mutex_lock (libc.so.6)\n       update (app)\n");
	require_text(text, "       ... 3 more\n");
	require_text(text, "worker (11) ended it from here:\n       burn (burn.c:7)\n");
	require_text(text, "What could not be seen\n - ");
	require_text(text, "sched_waking");
	assert_null(strchr(text, '\033'));
	/* the way is shown when it is asked for */
	assert_null(strstr(text, "=> "));
	free(text);
	text = text_of(&explanation, &(struct explanation_style){.chain = true, .colour = true});
	require_text(text, "       main (10) waited for a lock, 50.0 ms, held by\n");
	require_text(text, "         worker (11) waited for another thread's work, ");
	require_text(text, "=> helper (12) cpu.user in work\n");
	require_text(text, "\033[1m");
	free(text);
	explanation_release(&explanation);
	scene_close(&scene);
}

static void test_text_of_spans(void **state)
{
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain_span(&scene, "request");
	char *text = text_of(&explanation, &(struct explanation_style){.width = 120});

	(void)state;
	require_text(text, "3 spans: median 8.00 ms, ");
	require_text(text, "explained are the 1 slow ones, from 53.0 ms on\n");
	require_text(text, "lock.futex           50.0 ms         0 ns\n");
	free(text);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* The biggest problem, and the others in a word. */
static void test_others(void **state)
{
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain(&scene, 0);
	char *text = text_of(&explanation, &(struct explanation_style){.width = 120});
	json_t *json = json_of(&explanation), *other;

	(void)state;
	require_text(text, "Other threads with problems (--tid explains one)\n     ");
	other = json_array_get(json_object_get(json, "others"), 0);
	assert_int_not_equal(number_in(other, "tid"), explanation.thread->tid);
	assert_true(*text_in(other, "sentence"));
	json_decref(json);
	free(text);
	explanation_release(&explanation);
	scene_close(&scene);
}

static void check_width(const struct explanation *explanation, unsigned int width)
{
	char *text = text_of(explanation, &(struct explanation_style){.width = width}), *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (utf8_columns(line) > width)
			print_error("%u columns: %s\n", width, line);
		assert_true(utf8_columns(line) <= width);
	}
	free(text);
}

static void test_width(void **state)
{
	static const unsigned int widths[] = {72, 80, 100, 140};
	struct scene scene = scene_open(story);
	struct explanation explanation = scene_explain(&scene, 10);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		check_width(&explanation, widths[i]);
	explanation_release(&explanation);
	explanation = scene_explain_span(&scene, "request");
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		check_width(&explanation, widths[i]);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- hostile names ---- */

/* Threads, functions, files, sockets, hooks and spans that would drive a terminal, or are no UTF-8.
 */
#define EVIL "\033]0;evil\a\x9b\xff"

static void test_hostile_names(void **state)
{
	static const char text[] =
		"hook sched_waking 'missing " EVIL "' status=3\n"
		"hook bad" EVIL " 'missing " EVIL "' status=3\n"
		"on cpu0 10 10 m" EVIL "\n"
		"on cpu1 11 10 w" EVIL "\n"
		"thread 30 30 h" EVIL "\n"
		"file path /tmp/" EVIL " mode=0100644\n"
		"stack burn user burn" EVIL "@src" EVIL ".c:7 mod" EVIL "!main\n"
		"stack named user mod" EVIL "!function main\n"
		"10ms..50ms 10 lock by 11 futex_owner_tid=11 user_stack=named waker_user_stack=burn\n"
		"60ms..80ms 10 disk by idle object=path user_stack=burn\n"
		"20ms cpu1 sample 11 user_stack=burn\n"
		"100ms cpu0 switch 10:S > idle\n";
	struct scene scene = scene_open(text);
	struct explanation explanation = scene_explain(&scene, 10);
	struct explanation_style style = {.width = 100, .chain = true};
	char *shown = text_of(&explanation, &style);
	json_t *json;

	(void)state;
	for (const char *at = shown; *at; at++) {
		if ((unsigned char)*at < ' ' && *at != '\n')
			print_error("control character in: %.80s\n",
				    at > shown + 40 ? at - 40 : shown);
		assert_true((unsigned char)*at >= ' ' || *at == '\n');
	}
	for (const char *at = shown; *at;)
		assert_int_not_equal(utf8_next(&at), UTF8_INVALID);
	free(shown);
	json = json_of(&explanation);
	assert_non_null(strstr(text_in(json_object_get(json, "target"), "comm"), "evil"));
	json_decref(json);
	explanation_release(&explanation);
	scene_close(&scene);
}

/* ---- random machines ---- */

static void check_scene(struct scene *scene)
{
	struct explanation explanation = scene_explain(scene, 0);
	json_t *json = json_of(&explanation);
	char *text = text_of(&explanation, &(struct explanation_style){.chain = true});

	check_breakdown(json_object_get(json, "breakdown"), number_in(json, "total_ns"));
	assert_true(*text);
	free(text);
	json_decref(json);
	explanation_release(&explanation);
	scene_close(scene);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct scene scene = scene_of(lossy_recording(seed, seed % 2, NULL, NULL));

		check_scene(&scene);
	}
}

static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct scene scene = scene_of(nonsense_recording(seed, 300));

		check_scene(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_chain_ends_with_culprit),
		cmocka_unit_test(test_json_spans),
		cmocka_unit_test(test_json_healthy),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_of_spans),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
