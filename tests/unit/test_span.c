/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans: which is inside which, what the table and the views say, how traces show them. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "support/fixture.h"
#include "support/perfetto_reader.h"

/*
 * Thread 10: request 100..500 with two parses inside; one that ends where the next begins; one left
 * by longjmp. Thread 11: one around the whole of another's, one still open. They are written in the
 * order of their ends, as the kernel side does.
 */
static const char story[] =
	"thread 10 10 main\n"
	"thread 11 10 helper\n"
	"event span_name name=1 text='request|/bin/server:handle'\n"
	"event span_name name=2 text='parse|/bin/server:parse'\n"
	"event span_name name=3 text='never|/bin/server:never'\n"
	"0 cpu0 switch idle > 10\n"
	"0 cpu1 switch idle > 11\n"
	"200 cpu0 event span tid=10 pid=10 name=2 start=120 depth=1\n"
	"300 cpu0 event span tid=10 pid=10 name=2 start=200 depth=1\n"
	"500 cpu0 event span tid=10 pid=10 name=1 start=100 depth=0\n"
	"550 cpu1 event span tid=11 pid=10 name=1 start=90 depth=0\n"
	"600 cpu0 event span tid=10 pid=10 name=1 start=500 depth=0\n"
	"700 cpu0 event span tid=10 pid=10 name=2 start=650 depth=1 flags=2\n"
	"700 cpu0 event span tid=10 pid=10 name=1 start=640 depth=0 flags=2\n"
	"700 cpu1 event span tid=11 pid=10 name=2 start=645 depth=1\n" /* its outer one was lost */
	"900 cpu1 event span tid=11 pid=10 name=7 start=800 depth=0 flags=1\n"
	"1000 cpu0 switch 10:S > idle\n";

static void test_nesting(void **state)
{
	struct fixture f = fixture_open(story);

	(void)state;
	fixture_check(
		&f,
		"SELECT id, tid, name, " US("start_ns") ", duration_ns / 1000, depth, parent_id "
							"FROM span",
		"0|11|request|90|460|0|-\n"
		"1|10|request|100|400|0|-\n"
		"2|10|parse|120|80|1|1\n"
		"3|10|parse|200|100|1|1\n"
		"4|10|request|500|100|0|-\n"
		"5|10|request|640|60|0|-\n"
		"6|11|parse|645|55|1|-\n"
		"7|10|parse|650|50|1|5\n"
		"8|11|?|800|100|0|-\n");
	fixture_check(&f,
		      "SELECT id, comm, pid, function, returned, open, broken, " US(
			      "end_ns") " FROM span "
					"WHERE id >= 4",
		      "4|main|10|/bin/server:handle|1|0|0|600\n"
		      "5|main|10|/bin/server:handle|0|0|1|700\n"
		      "6|helper|10|/bin/server:parse|1|0|0|700\n"
		      "7|main|10|/bin/server:parse|0|0|1|700\n"
		      "8|helper|10||0|1|0|900\n");
	fixture_check(&f, "SELECT id FROM span WHERE start_ns >= 1000640000", "5\n6\n7\n8\n");
	fixture_check(&f, "SELECT name FROM span WHERE id = 6", "parse\n");
	fixture_close(&f);
}

/* Spans that touch the time, of threads that are wanted. */
static void test_filter(void **state)
{
	struct fixture f = fixture_open(story);
	const uint32_t tid = 10;
	struct filter filter = {.from_ns = SYNTH_US(250), .to_ns = SYNTH_US(499)};

	(void)state;
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT id FROM span", "0\n1\n3\n");
	filter.tids = &tid;
	filter.tid_count = 1;
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT id FROM span", "1\n3\n");
	fixture_close(&f);
}

/* 100 spans of 1 to 100 us: the percentiles are their numbers. */
static void test_percentiles(void **state)
{
	struct synth *synth = synth_new();
	struct fixture f;

	(void)state;
	synth_text(synth,
		   "thread 10 10 main\nevent span_name name=1 text='one|x:y'\n"
		   "event span_name name=2 text='few|x:z'\nevent span_name name=3 text='none|x:w'\n"
		   "0 cpu0 switch idle > 10\n");
	for (int i = 0; i < 100; i++) /* 37 is prime to 100: all numbers, in another order */
		synth_printf(synth, "%d cpu0 event span tid=10 pid=10 name=1 start=%d\n",
			     1000 * (i + 1), 1000 * (i + 1) - (i * 37 % 100 + 1));
	synth_text(synth, "100100 cpu0 event span tid=10 pid=10 name=2 start=100093\n"
			  "100110 cpu0 event span tid=10 pid=10 name=2 start=100102\n"
			  "100120 cpu0 event span tid=10 pid=10 name=2 start=100111\n"
			  "100200 cpu0 event span tid=10 pid=10 name=2 start=100110 flags=1\n"
			  "100300 cpu0 event span tid=10 pid=10 name=2 start=100210 flags=2\n"
			  "100300 cpu0 event span tid=10 pid=10 name=2 start=100210 flags=2\n"
			  "100400 cpu0 switch 10:S > idle\n");
	f = fixture_open_synth(synth, 0);
	fixture_check_report(
		&f, "spans", NULL,
		"name  count   median      p90      p99      max    total  open  broken\n"
		"one     100  50.0 us  90.0 us  99.0 us   100 us  5.05 ms     0       0\n"
		"few       3  8.00 us  9.00 us  9.00 us  9.00 us  24.0 us     1       2\n"
		"none      0        -        -        -        -        -     0       0\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
	synth_free(synth);
}

static void test_slowest(void **state)
{
	struct fixture f = fixture_open(story);
	const struct report_options options = {.limit = 3, .has_limit = true};

	(void)state;
	fixture_check_report(
		&f, "slow-spans", &options,
		"name     duration  medians  comm    tid  pid     start  inside   end       span id\n"
		"request    460 us  1.2      helper   11   10  0.000090  -        returned        0\n"
		"request    400 us  1.0      main     10   10  0.000100  -        returned        1\n"
		"parse      100 us  1.3      main     10   10  0.000200  request  returned        3\n"
		"3 of 9 rows are shown (--limit)\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

/* ---- random, but properly inside each other ---- */

#define RANDOM_SPANS 400

struct truth {
	uint64_t start, end;
	uint32_t tid, parent, depth;
};

/* Fills TRUTH in the order of starts; the same start for a parent and its child now and then. */
static void make_truth(uint64_t seed, struct truth *truth)
{
	uint32_t open[3][8], depth[3] = {0};
	uint64_t now = 10;
	unsigned int made = 0;

	while (made < RANDOM_SPANS || depth[0] + depth[1] + depth[2] > 0) {
		unsigned int thread = (unsigned int)(fixture_random(&seed) % 3);
		bool begins = fixture_random(&seed) % 2 && depth[thread] < 8 && made < RANDOM_SPANS;

		now += fixture_random(&seed) % 3;
		if (begins) {
			truth[made] = (struct truth){
				.start = now,
				.tid = 10 + thread,
				.depth = depth[thread],
				.parent = depth[thread] ? open[thread][depth[thread] - 1]
							: UINT32_MAX,
			};
			open[thread][depth[thread]++] = made++;
		} else if (depth[thread]) {
			truth[open[thread][--depth[thread]]].end = now;
		}
	}
}

static int compare_ends(const void *a, const void *b)
{
	const struct truth *left = *(const struct truth *const *)a,
			   *right = *(const struct truth *const *)b;

	if (left->end != right->end)
		return left->end < right->end ? -1 : 1;
	return left->depth > right->depth ? -1 : left->depth < right->depth;
}

static struct model *model_of(const struct truth *truth)
{
	const struct truth *by_end[RANDOM_SPANS];
	struct synth *synth = synth_new();
	struct model_options options = {0};
	struct model *model;

	synth_text(synth, "thread 10 10 a\nthread 11 10 b\nthread 12 10 c\n"
			  "event span_name name=1 text='n|x:y'\n0 cpu0 switch idle > 10\n");
	for (size_t i = 0; i < RANDOM_SPANS; i++)
		by_end[i] = &truth[i];
	qsort(by_end, RANDOM_SPANS, sizeof(by_end[0]), compare_ends);
	for (size_t i = 0; i < RANDOM_SPANS; i++)
		synth_printf(synth, "%d cpu0 event span tid=%u pid=10 name=1 start=%d depth=%u\n",
			     (int)by_end[i]->end, by_end[i]->tid, (int)by_end[i]->start,
			     by_end[i]->depth);
	synth_text(synth, "5000 cpu0 switch 10:S > idle\n");
	assert_int_equal(model_new(&model, synth_to_memory(synth), &options), 0);
	synth_free(synth);
	return model;
}

/* The order among equal starts of different threads is free: parents are compared by their values.
 */
static void test_random_nesting(void **state)
{
	struct truth truth[RANDOM_SPANS];

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct model *model;
		size_t found = 0;

		make_truth(seed, truth);
		model = model_of(truth);
		assert_int_equal(model_read_spans(model), 0);
		assert_int_equal(model_span_count(model), RANDOM_SPANS);
		for (size_t i = 0; i < RANDOM_SPANS; i++) {
			struct span span = model_span(model, i), parent;

			assert_int_equal(span.id, i);
			if (i > 0)
				assert_true(model_span(model, i - 1).start_ns <= span.start_ns);
			if (span.parent == MODEL_NONE) {
				assert_int_equal(span.depth, 0);
				continue;
			}
			found++;
			parent = model_span(model, span.parent);
			assert_ptr_equal(parent.thread, span.thread);
			assert_int_equal(parent.depth + 1, span.depth);
			assert_true(parent.start_ns <= span.start_ns &&
				    parent.end_ns >= span.end_ns);
		}
		for (size_t i = 0; i < RANDOM_SPANS; i++)
			found -= truth[i].parent != UINT32_MAX;
		assert_int_equal(found, 0);
		synth_model_free(model);
	}
}

/* ---- traces ---- */

static char *export_story(const struct export *format, size_t *ret_size)
{
	const struct export_options options = {.filter = {.to_ns = UINT64_MAX}};
	struct model *model = synth_model(story);
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, ret_size);

	assert_int_equal(format->run(model, &options, out), 0);
	fclose(out);
	synth_model_free(model);
	return bytes;
}

#define LEFT "end='left by longjmp or an exception'"

static void test_perfetto(void **state)
{
	struct perfetto_reading reading;
	size_t size;
	char *bytes = export_story(&export_perfetto, &size);

	(void)state;
	perfetto_read(&reading, bytes, size);
	assert_string_equal(reading.problems.size ? reading.problems.data : "", "");
	assert_string_equal(reading.tracks.data,
			    "100 track 18 thread 10/10 'main'\n"
			    "100 on 18 begin 'request' function='/bin/server:handle'\n"
			    "120 on 18 begin 'parse' function='/bin/server:parse'\n"
			    "200 on 18 end\n"
			    "200 on 18 begin 'parse' function='/bin/server:parse'\n"
			    "300 on 18 end\n"
			    "500 on 18 end\n"
			    "90 track 20 thread 10/11 'helper'\n"
			    "90 on 20 begin 'request' function='/bin/server:handle'\n"
			    "550 on 20 end\n"
			    "500 on 18 begin 'request' function='/bin/server:handle'\n"
			    "600 on 18 end\n"
			    "640 on 18 begin 'request' function='/bin/server:handle' " LEFT "\n"
			    "650 on 18 begin 'parse' function='/bin/server:parse' " LEFT "\n"
			    "700 on 18 end\n"
			    "700 on 18 end\n"
			    "645 on 20 begin 'parse' function='/bin/server:parse'\n"
			    "700 on 20 end\n"
			    "800 on 20 begin '?' end='had not returned'\n"
			    "900 on 20 end\n");
	perfetto_reading_release(&reading);
	free(bytes);
}

/* The lines of asynchronous events, in their order: begins and ends like brackets. */
static void test_chrome(void **state)
{
	struct buffer got = {0};
	size_t size;
	char *bytes = export_story(&export_chrome, &size), *rest = bytes, *line;

	(void)state;
	while ((line = strsep(&rest, "\n"))) {
		char phase, name[32];
		unsigned int tid, whole, part;

		if (sscanf(line,
			   "{\"ph\":\"%c\",\"cat\":\"span\",\"id\":%*u,\"name\":\"%31[^\"]\",\"pid\":10,"
			   "\"tid\":%u,\"ts\":%u.%u",
			   &phase, name, &tid, &whole, &part) == 5)
			buffer_printf(&got, "%u %c %s %u\n", tid, phase, name, whole - 1000000);
	}
	assert_string_equal(got.data, "10 b request 100\n"
				      "10 b parse 120\n"
				      "10 e parse 200\n"
				      "10 b parse 200\n"
				      "10 e parse 300\n"
				      "10 e request 500\n"
				      "11 b request 90\n"
				      "11 e request 550\n"
				      "10 b request 500\n"
				      "10 e request 600\n"
				      "10 b request 640\n"
				      "10 b parse 650\n"
				      "10 e parse 700\n"
				      "10 e request 700\n"
				      "11 b parse 645\n"
				      "11 e parse 700\n"
				      "11 b ? 800\n"
				      "11 e ? 900\n");
	buffer_release(&got);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),        cmocka_unit_test(test_filter),
		cmocka_unit_test(test_percentiles),    cmocka_unit_test(test_slowest),
		cmocka_unit_test(test_random_nesting), cmocka_unit_test(test_perfetto),
		cmocka_unit_test(test_chrome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
