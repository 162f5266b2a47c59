/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: what the sums, the order, the tree and the listing say of random programs, compared with a
 * second, simple implementation that knows the whole; and small ones that a person can read.
 */
#include "unit/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "model/call_edges.h"
#include "model/call_sums.h"
#include "model/call_tree.h"
#include "support/fixture.h"

#define FUNCTIONS 6
#define THREADS   3
#define CALLS_MAX 700
#define FIRST_TID 100
#define GAPS      3
#define GAP_NS    20000

/* ---- random programs ---- */

/* What happened: calls in the order of their starts. */
struct truth {
	uint64_t start_ns, end_ns;
	uint32_t thread, name;
	uint32_t parent; /* index; UINT32_MAX: none */
	uint16_t depth;
	bool is_written;
};

struct program {
	uint64_t seed;
	struct truth calls[CALLS_MAX];
	size_t count;
	uint64_t now_ns[THREADS];
};

static void make_call(struct program *program, uint32_t thread, uint32_t parent, uint16_t depth)
{
	size_t index = program->count;
	struct truth *call = &program->calls[index];
	unsigned int children = depth < 7 ? fixture_random(&program->seed) % 4 : 0;

	if (program->count == CALLS_MAX)
		return;
	program->count++;
	*call = (struct truth){.start_ns = program->now_ns[thread],
			       .thread = thread,
			       .name = 1 + fixture_random(&program->seed) % FUNCTIONS,
			       .parent = parent,
			       .depth = depth,
			       .is_written = true};
	for (unsigned int i = 0; i < children; i++) {
		program->now_ns[thread] += 1 + fixture_random(&program->seed) % 3000;
		make_call(program, thread, (uint32_t)index, depth + 1);
	}
	program->now_ns[thread] += 1 + fixture_random(&program->seed) % 3000;
	call->end_ns = program->now_ns[thread];
}

static void make_program(struct program *program, uint64_t seed)
{
	memset(program, 0, sizeof(*program));
	program->seed = seed;
	for (uint32_t i = 0; i < THREADS; i++)
		program->now_ns[i] = SYNTH_ORIGIN_NS + 1000 + i;
	while (program->count < CALLS_MAX) {
		uint32_t thread = fixture_random(&program->seed) % THREADS;

		make_call(program, thread, UINT32_MAX, 0);
		program->now_ns[thread] += 1 + fixture_random(&program->seed) % 2000;
	}
}

static int compare_ends(const void *a, const void *b)
{
	const struct truth *left = *(const struct truth *const *)a;
	const struct truth *right = *(const struct truth *const *)b;

	return left->end_ns < right->end_ns ? -1 : left->end_ns > right->end_ns;
}

/* Written as the kernel side does: when they end; now and then as a span. */
static void write_calls(struct synth *synth, struct program *program)
{
	const struct truth *order[CALLS_MAX];

	for (size_t i = 0; i < program->count; i++)
		order[i] = &program->calls[i];
	qsort(order, program->count, sizeof(order[0]), compare_ends);
	for (size_t i = 0; i < program->count; i++) {
		const struct truth *call = order[i];
		struct event_call event = {
			.header = {.kind = EVENT_CALL,
				   .size = sizeof(event),
				   .time_ns = call->end_ns},
			.tid = FIRST_TID + call->thread,
			.duration_ns = (uint32_t)(call->end_ns - call->start_ns),
			.name = call->name,
			.depth = call->depth,
		};
		struct event_span span = {
			.header = {.kind = EVENT_SPAN,
				   .size = sizeof(span),
				   .time_ns = call->end_ns},
			.start_ns = call->start_ns,
			.tid = event.tid,
			.pid = FIRST_TID,
			.name = call->name,
			.depth = call->depth,
		};

		if (!call->is_written)
			continue;
		synth_event(synth, (uint16_t)(fixture_random(&program->seed) % 2),
			    fixture_random(&program->seed) % 10 ? &event.header : &span.header);
	}
}

static struct synth *synth_of(struct program *program)
{
	struct synth *synth = synth_new();

	for (uint32_t i = 0; i < THREADS; i++)
		synth_printf(synth, "thread %u %u worker", FIRST_TID + i, FIRST_TID);
	for (uint32_t i = 1; i <= FUNCTIONS; i++)
		synth_printf(synth, "event span_name name=%u flags=3 text='f%u|bin:f%u'", i, i, i);
	write_calls(synth, program);
	return synth;
}

/* ---- the simple implementation ---- */

static bool is_inside(const struct truth *inner, const struct truth *outer)
{
	return inner != outer && inner->thread == outer->thread &&
	       inner->start_ns >= outer->start_ns && inner->end_ns <= outer->end_ns;
}

/* The written call right around a call; NULL if there is none. */
static const struct truth *around(const struct program *program, const struct truth *call)
{
	for (uint32_t i = call->parent; i != UINT32_MAX; i = program->calls[i].parent) {
		if (program->calls[i].is_written)
			return &program->calls[i];
	}
	return NULL;
}

static uint64_t part_ns(const struct truth *call, const struct filter *filter)
{
	uint64_t from_ns = call->start_ns > filter->from_ns ? call->start_ns : filter->from_ns;
	uint64_t to_ns = call->end_ns < filter->to_ns ? call->end_ns : filter->to_ns;

	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static bool touches(const struct truth *call, const struct filter *filter)
{
	return call->end_ns >= filter->from_ns && call->start_ns <= filter->to_ns;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* What the sum of function NAME must be. */
static struct call_sum expect_sum(const struct program *program, uint32_t name,
				  const struct filter *filter)
{
	struct call_sum sum = {.p50_ns = MODEL_TIME_UNKNOWN,
			       .p99_ns = MODEL_TIME_UNKNOWN,
			       .max_ns = MODEL_TIME_UNKNOWN};
	uint64_t lengths[CALLS_MAX], inner_ns = 0;
	bool seen[THREADS] = {false};

	for (size_t i = 0; i < program->count; i++) {
		const struct truth *call = &program->calls[i], *outer = around(program, call);
		bool is_inside_itself = false;

		if (!call->is_written || !touches(call, filter))
			continue;
		inner_ns += outer && outer->name == name ? part_ns(call, filter) : 0;
		if (call->name != name)
			continue;
		for (size_t j = 0; j < program->count; j++)
			is_inside_itself |= program->calls[j].is_written &&
					    program->calls[j].name == name &&
					    is_inside(call, &program->calls[j]);
		sum.total_ns += is_inside_itself ? 0 : part_ns(call, filter);
		sum.self_ns += part_ns(call, filter);
		sum.threads += !seen[call->thread];
		seen[call->thread] = true;
		lengths[sum.calls++] = call->end_ns - call->start_ns;
	}
	sum.self_ns -= inner_ns;
	if (!sum.calls)
		return sum;
	qsort(lengths, sum.calls, sizeof(lengths[0]), compare_numbers);
	sum.p50_ns = lengths[(sum.calls * 50 + 99) / 100 - 1];
	sum.p99_ns = lengths[(sum.calls * 99 + 99) / 100 - 1];
	sum.max_ns = lengths[sum.calls - 1];
	return sum;
}

static void check_sums(const struct program *program, struct model *model,
		       const struct filter *filter)
{
	struct call_sums sums;

	assert_int_equal(call_sums_make(&sums, model, filter), 0);
	for (uint32_t name = 1; name <= FUNCTIONS; name++) {
		struct call_sum want = expect_sum(program, name, filter);
		const struct call_sum *got = &sums.items[name];

		assert_int_equal(got->calls, want.calls);
		assert_int_equal(got->written, want.calls);
		assert_int_equal(got->total_ns, want.total_ns);
		assert_int_equal(got->self_ns, want.self_ns);
		assert_int_equal(got->p50_ns, want.p50_ns);
		assert_int_equal(got->p99_ns, want.p99_ns);
		assert_int_equal(got->max_ns, want.max_ns);
		assert_int_equal(got->threads, want.threads);
	}
	call_sums_release(&sums);
}

/* By start, each with as many around it as the truth has, and told whether something is inside. */
static void check_order(const struct program *program, struct model *model, size_t long_calls_max)
{
	const struct filter everything = {.to_ns = UINT64_MAX};
	struct call_order *order;
	const struct call *call;
	uint64_t last_ns = 0;
	size_t count = 0;

	assert_int_equal(call_order_new_in(&order, model, &everything, long_calls_max), 0);
	while (call_order_next(order, &call) > 0) {
		const struct truth *truth = NULL;
		uint32_t level = 0;
		bool has_inner = false;

		assert_true(call->start_ns >= last_ns);
		last_ns = call->start_ns;
		for (size_t i = 0; i < program->count; i++) {
			const struct truth *other = &program->calls[i];

			if (other->is_written && other->thread == call->tid - FIRST_TID &&
			    other->start_ns == call->start_ns && other->depth == call->depth)
				truth = other;
		}
		assert_non_null(truth);
		for (size_t i = 0; i < program->count; i++) {
			const struct truth *other = &program->calls[i];

			level += other->is_written && is_inside(truth, other);
			has_inner |= other->is_written && is_inside(other, truth);
		}
		assert_int_equal(call->level, level);
		assert_int_equal(call->has_inner, has_inner);
		assert_int_equal(call->end_ns, truth->end_ns);
		count++;
	}
	call_order_free(order);
	for (size_t i = 0; i < program->count; i++)
		count -= program->calls[i].is_written;
	assert_int_equal(count, 0);
}

/* Self and the nodes below make up each node's total; the roots' are those of the outermost calls.
 */
static void check_tree(const struct program *program, struct model *model)
{
	const struct filter everything = {.to_ns = UINT64_MAX};
	uint64_t outermost_ns = 0, calls = 0;
	struct call_tree tree;

	assert_int_equal(call_tree_make(&tree, model, &everything, CALL_TREE_ALL), 0);
	for (size_t i = 1; i < tree.count; i++) {
		uint64_t sum_ns = tree.nodes[i].self_ns;

		for (size_t j = 1; j < tree.count; j++)
			sum_ns += tree.nodes[j].parent == i ? tree.nodes[j].total_ns : 0;
		assert_int_equal(sum_ns, tree.nodes[i].total_ns);
		calls += tree.nodes[i].calls;
	}
	for (size_t i = 0; i < program->count; i++) {
		const struct truth *call = &program->calls[i];

		if (!call->is_written)
			continue;
		calls--;
		outermost_ns += around(program, call) ? 0 : call->end_ns - call->start_ns;
	}
	assert_int_equal(calls, 0);
	assert_int_equal(tree.nodes[0].total_ns, outermost_ns);
	call_tree_release(&tree);
}

/* Every beginning has its end, and time does not go back but for whole calls. */
static void check_edges(struct model *model)
{
	const struct filter everything = {.to_ns = UINT64_MAX};
	uint32_t open[THREADS] = {0};
	const struct call_edge *edge;
	struct call_edges *edges;
	uint64_t last_ns = 0;

	assert_int_equal(call_edges_new(&edges, model, &everything), 0);
	while (call_edges_next(edges, &edge) > 0) {
		uint32_t *level = &open[edge->call.tid - FIRST_TID];

		assert_true(edge->time_ns >= last_ns);
		last_ns = edge->time_ns;
		*level -= edge->kind == CALL_EDGE_END;
		assert_int_equal(edge->call.level, *level);
		*level += edge->kind == CALL_EDGE_BEGIN;
	}
	call_edges_free(edges);
	for (uint32_t i = 0; i < THREADS; i++)
		assert_int_equal(open[i], 0);
}

static void check_all(struct program *program, const struct synth *synth)
{
	const struct model_options options = {.min_wait_ns = 0};
	struct recording *recording = synth_to_memory(synth);
	struct filter filter = {.to_ns = UINT64_MAX};
	struct model *model;

	assert_int_equal(model_new(&model, recording, &options), 0);
	check_sums(program, model, &filter);
	check_order(program, model, CALLS_MAX);
	check_order(program, model, 40);
	check_tree(program, model);
	check_edges(model);
	filter.from_ns = program->calls[program->count / 3].start_ns;
	filter.to_ns = program->calls[program->count / 2].end_ns;
	check_sums(program, model, &filter);
	model_free(model);
	recording_close(recording);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct program program;
		struct synth *synth;

		make_program(&program, seed);
		synth = synth_of(&program);
		check_all(&program, synth);
		synth_free(synth);
	}
}

/* Calls that ended in a range of time are lost, outer ones among them: what was inside is inside
 * the next one around it. */
static void test_random_gaps(void **state)
{
	(void)state;
	for (uint64_t seed = 21; seed <= 60; seed++) {
		uint64_t from_ns[GAPS];
		struct program program;
		struct synth *synth;

		make_program(&program, seed);
		for (unsigned int i = 0; i < GAPS; i++) {
			from_ns[i] =
				program.calls[fixture_random(&program.seed) % CALLS_MAX].end_ns;
			for (size_t j = 0; j < program.count; j++)
				program.calls[j].is_written &=
					program.calls[j].end_ns < from_ns[i] ||
					program.calls[j].end_ns > from_ns[i] + GAP_NS ||
					fixture_random(&program.seed) % 2;
		}
		synth = synth_of(&program);
		for (unsigned int i = 0; i < GAPS; i++)
			synth_printf(synth,
				     "6000000 cpu0 loss %" PRIu64 "ns..%" PRIu64
				     "ns events=1 log=2",
				     from_ns[i] - SYNTH_ORIGIN_NS,
				     from_ns[i] + GAP_NS - SYNTH_ORIGIN_NS);
		check_all(&program, synth);
		synth_free(synth);
	}
}

/* A function that is called too often is not written from some moment on. */
static void test_random_hot(void **state)
{
	(void)state;
	for (uint64_t seed = 61; seed <= 80; seed++) {
		struct program program;
		struct synth *synth;
		uint64_t since_ns;

		make_program(&program, seed);
		since_ns = program.calls[CALLS_MAX / 4].start_ns;
		for (size_t i = 0; i < program.count; i++)
			program.calls[i].is_written &=
				program.calls[i].name != 2 || program.calls[i].end_ns < since_ns;
		synth = synth_of(&program);
		synth_printf(
			synth,
			"60000000 cpu0 event call_count name=2 calls=0 total=2 self=1 since_ns=%" PRIu64,
			since_ns);
		check_all(&program, synth);
		synth_free(synth);
	}
}

/* ---- what is shown and hidden ---- */

/* As if only the functions that the filter takes had been traced. */
static void test_hidden(void **state)
{
	(void)state;
	for (uint64_t seed = 81; seed <= 95; seed++) {
		const struct model_options options = {.min_wait_ns = 0};
		const char *hidden = "f3";
		const struct filter filter = {
			.to_ns = UINT64_MAX, .no_functions = &hidden, .no_function_count = 1};
		struct recording *recording;
		struct program program;
		struct synth *synth;
		struct model *model;

		make_program(&program, seed);
		synth = synth_of(&program);
		recording = synth_to_memory(synth);
		assert_int_equal(model_new(&model, recording, &options), 0);
		for (size_t i = 0; i < program.count; i++)
			program.calls[i].is_written = program.calls[i].name != 3;
		check_sums(&program, model, &filter);
		model_free(model);
		recording_close(recording);
		synth_free(synth);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_true(call_name_matches("malloc@libc.so.6", "malloc"));
	assert_true(call_name_matches("malloc@libc.so.6", "*@libc.so.6"));
	assert_true(call_name_matches("leveldb::DB::Open", "leveldb::*"));
	assert_true(call_name_matches("leveldb::DB::Open", "/^leveldb::.*Open$/"));
	assert_false(call_name_matches("main", "*@libc.so.6"));
	assert_false(call_name_matches("main", "/x/"));
	assert_false(call_pattern_is_sound("/(/"));
}

/* ---- a small one, to read ---- */

static const char story[] =
	"thread 10 10 main\n"
	"thread 11 10 helper\n"
	"event span_name name=1 flags=3 text='main|bin/x:main'\n"
	"event span_name name=2 flags=3 text='parse(int)|bin/x:_Z5parsei'\n"
	"event span_name name=3 flags=21 text='malloc@libc.so.6|libc.so.6:malloc'\n"
	"event span_name name=4 flags=3 text='work|bin/x:work'\n"
	"100 cpu0 event call_value tid=10 name=1 start=100 flags=0 text='argc=1'\n"
	"220 cpu0 event call tid=10 name=3 duration=20 depth=2\n"
	"220 cpu0 event call_value tid=10 name=3 start=200 flags=1 text='0x55'\n"
	"250 cpu0 event call tid=10 name=3 duration=20 depth=2 flags=2\n"
	"270 cpu1 event call tid=11 name=4 duration=30 depth=0 flags=4\n"
	"300 cpu0 event call tid=10 name=2 duration=150 depth=1\n"
	"390 cpu0 event call tid=10 name=2 duration=40 depth=2\n"
	"395 cpu0 event call tid=10 name=2 duration=80 depth=1\n"
	"400 cpu0 event call tid=10 name=1 duration=300 depth=0 flags=1\n"
	"400 cpu0 event call_value tid=10 name=1 start=100 flags=1 text='5'\n"
	"500 cpu0 event call_count name=3 calls=98 total=196 self=196 max=4\n"
	"500 cpu0 event call_count name=2 calls=1 total=1 self=1 max=1 since=450\n";

#define CALLS_NOTE                                                                                 \
	"\n"                                                                                       \
	"traced: 4 functions, 3 of them at a cheap place and 1 at a costly one\n"                  \
	"only counted, not recorded one by one: 99 calls of 2 functions\n"                         \
	"  parse(int) was called too often: only counted from 0.0 s on\n"

static void test_functions(void **state)
{
	struct fixture f = fixture_open(story);

	(void)state;
	fixture_check_report(
		&f, "functions", NULL,
		"  total     self  calls      avg      p50      p99      max  function\n"
		" 300 us  70.0 us      1   300 us        -        -        -  main\n"
		" 236 us   236 us    100  2.36 us        -  20.0 us  20.0 us  malloc@libc.so.6\n"
		" 231 us   191 us      4  57.8 us  40.0 us   150 us   150 us  parse(int)\n"
		"30.0 us  30.0 us      1  30.0 us        -        -        -  work\n" CALLS_NOTE
		"1 call was not seen to return (longjmp, exception, more than 64 inside each "
		"other): the end is inferred\n"
		"1 call had not returned when the thread or the recording ended\n"
		"lost: nothing\n");
	fixture_check(
		&f,
		"SELECT name, calls, written, counted, threads, place, is_library FROM function "
		"WHERE id = 3",
		"malloc@libc.so.6|100|2|98|1|costly|1\n");
	fixture_close(&f);
}

static void test_listing(void **state)
{
	struct fixture f = fixture_open(story);
	const char *shown[] = {"parse*", "work"};
	const struct filter filter = {
		.to_ns = UINT64_MAX, .functions = shown, .function_count = 2, .call_depth = 2};

	(void)state;
	fixture_check_report(&f, "calls", NULL,
			     "  DURATION      TID  FUNCTION\n"
			     "                 10  main(argc=1) {\n"
			     "                 10    parse(int) {\n"
			     "   20.0 us       10      malloc@libc.so.6() = 0x55;\n"
			     "   20.0 us       10      malloc@libc.so.6(); /* inferred */\n"
			     "   30.0 us       11  work(); /* inherited */\n"
			     "    150 us       10    } /* parse(int) */\n"
			     "                 10    parse(int) {\n"
			     "   40.0 us       10      parse(int);\n"
			     "   80.0 us       10    } /* parse(int) */\n"
			     "    300 us       10  } = 5 /* main, unfinished */\n" CALLS_NOTE
			     "lost: nothing\n");
	query_set_filter(f.query, &filter);
	fixture_check(&f, "SELECT tid, line, duration_ns / 1000, what FROM call_line",
		      "11|work(); /* inherited */|30|call\n"
		      "10|parse(int);|150|call\n"
		      "10|parse(int);|80|call\n");
	fixture_close(&f);
}

static void test_callers(void **state)
{
	struct fixture f = fixture_open(story);
	const char *parse = "parse*";
	const struct filter filter = {
		.to_ns = UINT64_MAX, .functions = &parse, .function_count = 1};
	const struct report_options options = {.format = TABLE_CSV};

	(void)state;
	fixture_check_report(&f, "graph", &options,
			     "total_ns,self_ns,calls,share,function\n"
			     "300000,70000,1,0.909090909090909,main\n"
			     "230000,150000,2,0.696969696969697,  parse(int)\n"
			     "40000,40000,2,0.121212121212121,    malloc@libc.so.6\n"
			     "40000,40000,1,0.121212121212121,    parse(int)\n"
			     "30000,30000,1,0.0909090909090909,work\n");
	query_set_filter(f.query, &filter);
	fixture_check_report(&f, "callers", &options,
			     "total_ns,share,calls,caller,function\n"
			     "230000,1,2,main,parse(int)\n"
			     "0,0,1,parse(int),parse(int)\n");
	fixture_check_report(&f, "callees", &options,
			     "total_ns,share,calls,callee,function\n"
			     "190000,0.826086956521739,3,(self),parse(int)\n"
			     "40000,0.173913043478261,2,malloc@libc.so.6,parse(int)\n"
			     "0,0,1,parse(int),parse(int)\n");
	fixture_close(&f);
}

/* All of a thread's calls ended when it did: the outer ones come from another log, first. */
static void test_same_end(void **state)
{
	struct fixture f =
		fixture_open("thread 10 10 main\n"
			     "event span_name name=1 flags=3 text='a|x:a'\n"
			     "event span_name name=2 flags=3 text='b|x:b'\n"
			     "event span_name name=3 flags=3 text='c|x:c'\n"
			     "900 cpu0 event span tid=10 pid=10 name=1 start=100 flags=1\n"
			     "900 cpu0 event call tid=10 name=2 duration=700 depth=1 flags=1\n"
			     "900 cpu0 event call tid=10 name=3 duration=100 depth=2 flags=1\n");

	(void)state;
	fixture_check(&f, "SELECT name, total_ns / 1000, self_ns / 1000 FROM function",
		      "a|800|100\nb|700|600\nc|100|100\n");
	fixture_check(&f, "SELECT name, depth, parent_id FROM span", "a|0|-\nb|1|0\nc|2|1\n");
	fixture_check(&f, "SELECT line FROM call_line",
		      "a() {\n  b() {\n    c(); /* unfinished */\n  } /* b, unfinished */\n"
		      "} /* a, unfinished */\n");
	fixture_close(&f);
}

/* ---- exports ---- */

static char *export_story(const struct export *format, enum export_weight weight)
{
	const struct export_options options = {.filter = {.to_ns = UINT64_MAX}, .weight = weight};
	struct model *model = synth_model(story);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(format->run(model, &options, out), 0);
	fclose(out);
	synth_model_free(model);
	return text;
}

static void test_folded(void **state)
{
	char *by_time = export_story(&export_folded, EXPORT_CALLS_TIME);
	char *by_number = export_story(&export_folded, EXPORT_CALLS);

	(void)state;
	assert_string_equal(by_time, "main;main 70000\n"
				     "main;main;parse(int) 150000\n"
				     "main;main;parse(int);malloc@libc.so.6 40000\n"
				     "main;main;parse(int);parse(int) 40000\n"
				     "main;work 30000\n");
	assert_string_equal(by_number, "main;main 1\n"
				       "main;main;parse(int) 2\n"
				       "main;main;parse(int);malloc@libc.so.6 2\n"
				       "main;main;parse(int);parse(int) 1\n"
				       "main;work 1\n");
	free(by_time);
	free(by_number);
}

/* Calls are complete events of the thread's row, with what was passed and came back. */
static void test_chrome(void **state)
{
	char *text = export_story(&export_chrome, EXPORT_STACKS);

	(void)state;
	assert_non_null(strstr(
		text, "{\"ph\":\"X\",\"cat\":\"call\",\"name\":\"malloc@libc.so.6\",\"pid\":10,"
		      "\"tid\":10,\"ts\":1000200.000,\"dur\":20.000,\"args\":{\"depth\":2,"
		      "\"place\":\"costly\",\"result\":\"0x55\"}}"));
	assert_non_null(strstr(text, "\"name\":\"main\",\"pid\":10,\"tid\":10,\"ts\":1000100.000,"
				     "\"dur\":300.000,\"args\":{\"depth\":0,\"place\":\"cheap\","
				     "\"end\":\"had not returned\",\"args\":\"argc=1\","
				     "\"result\":\"5\"}}"));
	assert_null(strstr(text, "\"ph\":\"X\",\"cat\":\"cpu\""));
	free(text);
}

static void test_flamegraph(void **state)
{
	char *text = export_story(&export_flamegraph, EXPORT_CALLS);

	(void)state;
	assert_non_null(strstr(text, "Drawn: 7 calls of traced functions"));
	assert_non_null(strstr(text, "\"columns\":[\"in calls\""));
	assert_non_null(strstr(text, "\"isCount\":true"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),     cmocka_unit_test(test_random_gaps),
		cmocka_unit_test(test_random_hot), cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_functions),
		cmocka_unit_test(test_listing),    cmocka_unit_test(test_callers),
		cmocka_unit_test(test_same_end),   cmocka_unit_test(test_folded),
		cmocka_unit_test(test_chrome),     cmocka_unit_test(test_flamegraph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
