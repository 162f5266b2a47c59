/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/synth.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "event/schema.h"
#include "support/synth_event.h"

#define WORDS_MAX 256

/* What is written so far of one stream and CPU. */
struct synth_stream {
	enum recording_stream stream;
	uint16_t cpu;
	struct buffer events;
};

struct synth {
	struct synth_stream *streams;
	size_t stream_count;
	size_t stream_capacity;
	struct synth_names names;
};

/* The words of a line. */
struct line {
	const char *text; /* as it was, for messages */
	char *words[WORDS_MAX];
	unsigned int count;
	unsigned int at; /* the next word to read */
	uint64_t time_ns;
	uint16_t cpu;
};

static const char *word(struct line *line)
{
	if (line->at == line->count)
		synth_die(line->text, "something is missing at the end");
	return line->words[line->at++];
}

static void expect(struct line *line, const char *text)
{
	const char *found = word(line);

	if (strcmp(found, text))
		synth_die(line->text, found);
}

static enum recording_stream stream_of(unsigned int kind)
{
	switch (kind) {
	case EVENT_SWITCH:
	case EVENT_WAKING:
	case EVENT_RESUME:
		return STREAM_SWITCH;
	case EVENT_CALL:
		return STREAM_CALL;
	case EVENT_CALL_COUNT:
	case EVENT_CALL_VALUE:
	case EVENT_WAIT:
	case EVENT_IRQ:
	case EVENT_STEAL:
	case EVENT_SPAN:
	case EVENT_DISK:
	case EVENT_RECLAIM:
	case EVENT_TCP_STATE:
	case EVENT_RETRANSMIT:
	case EVENT_SAMPLE:
	case EVENT_FORK:
	case EVENT_EXEC:
	case EVENT_EXIT:
	case EVENT_RENAME:
	case EVENT_CLOCK:
	case EVENT_LOSS:
		return STREAM_EVIDENCE;
	default:
		return STREAM_TABLE;
	}
}

void synth_event(struct synth *synth, uint16_t cpu, const struct event_header *event)
{
	enum recording_stream stream = stream_of(event->kind);
	size_t i = 0;

	if (stream == STREAM_TABLE)
		cpu = 0;
	while (i < synth->stream_count &&
	       (synth->streams[i].stream != stream || synth->streams[i].cpu != cpu))
		i++;
	if (i == synth->stream_count) {
		array_reserve((void **)&synth->streams, &synth->stream_capacity, i + 1,
			      sizeof(*synth->streams));
		synth->streams[synth->stream_count++] =
			(struct synth_stream){.stream = stream, .cpu = cpu};
	}
	buffer_add(&synth->streams[i].events, event, event->size);
}

static void sink(void *context, const struct event_header *event)
{
	synth_event(context, 0, event);
}

/* The short forms: each reads its words; FIELD=VALUE words are left for the caller. */

static void read_switch(struct line *line, struct draft *draft)
{
	char *prev = strdupa(word(line));
	char *state = strchr(prev, ':');

	if (state)
		*state++ = '\0';
	draft_set(draft, "prev_tid", prev);
	if (state)
		draft_set(draft, "prev_state", state);
	expect(line, ">");
	draft_set(draft, "next_tid", word(line));
	draft_set(draft, "next_prio", "120");
	draft_set(draft, "prev_syscall", "-1");
}

static void read_waking(struct line *line, struct draft *draft)
{
	draft_set(draft, "wakee_tid", word(line));
	expect(line, "by");
	draft_set(draft, "waker_tid", word(line));
	draft_set(draft, "wakee_prio", "120");
}

static void read_resume(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
	expect(line, "ran");
	draft_set(draft, "ran", word(line));
}

static void read_wait(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
	draft_set(draft, "syscall", "-1");
	draft_set(draft, "descriptor", "-1");
}

static void read_sample(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
	draft_set(draft, "syscall", "-1");
	draft_set(draft, "period", "10ms");
}

static void read_fork(struct line *line, struct draft *draft)
{
	draft_set(draft, "parent_tid", word(line));
	expect(line, ">");
	draft_set(draft, "tid", word(line));
}

static void read_exec(struct line *line, struct draft *draft)
{
	const char *tid = word(line);

	draft_set(draft, "tid", tid);
	draft_set(draft, "pid", tid);
	draft_set(draft, "old_tid", tid);
	draft_set(draft, "comm", word(line));
}

static void read_exit(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
}

static void read_rename(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
	draft_set(draft, "comm", word(line));
}

static void read_loss(struct line *line, struct draft *draft)
{
	char *from = strdupa(word(line));
	char *to = strstr(from, "..");

	if (!to)
		synth_die(line->text, from);
	*to = '\0';
	draft_set(draft, "from", from);
	draft_set(draft, "to", to + 2);
	draft_set(draft, "reason", "1");
}

static void read_clock(struct line *line, struct draft *draft)
{
	struct event_clock *clock = (struct event_clock *)&draft->header;

	clock->monotonic_ns = line->time_ns;
	clock->realtime_ns = line->time_ns + UINT64_C(1700000000000000000);
}

static void read_thread(struct line *line, struct draft *draft)
{
	draft_set(draft, "tid", word(line));
	draft_set(draft, "pid", word(line));
	draft_set(draft, "comm", word(line));
}

static void read_two_texts(struct line *line, struct draft *draft)
{
	const char *name = word(line);
	_cleanup_free_ char *both = xasprintf("%s|%s", name, word(line));

	draft_set(draft, "text", both);
}

static void read_hook(struct line *line, struct draft *draft)
{
	read_two_texts(line, draft);
	draft_set(draft, "status", "1");
}

static void read_file(struct line *line, struct draft *draft)
{
	draft_set(draft, "id", word(line));
	draft_set(draft, "path", word(line));
}

static void read_end(struct line *line, struct draft *draft, const char *address_field,
		     const char *port_field)
{
	char *text = strdupa(word(line));
	char *port = strrchr(text, ':');

	if (!port)
		synth_die(line->text, text);
	*port = '\0';
	draft_set(draft, address_field, text);
	draft_set(draft, port_field, port + 1);
}

static void read_socket(struct line *line, struct draft *draft)
{
	const char *what;

	draft_set(draft, "id", word(line));
	what = word(line);
	if (!strcmp(what, "unix")) {
		draft_set(draft, "family", "1");
		draft_set(draft, "type", "1");
		draft_set(draft, "path", word(line));
		return;
	}
	draft_set(draft, "family", strchr(line->words[line->at], '.') ? "2" : "10");
	draft_set(draft, "type", strcmp(what, "tcp") ? "2" : "1");
	draft_set(draft, "protocol", strcmp(what, "tcp") ? "17" : "6");
	draft_set(draft, "state", strcmp(what, "tcp") ? "7" : "1");
	read_end(line, draft, "local_address", "local_port");
	read_end(line, draft, "remote_address", "remote_port");
}

struct form {
	unsigned int kind;
	void (*read)(struct line *line, struct draft *draft);
};

static const struct form forms[] = {
	{EVENT_SWITCH, read_switch},  {EVENT_WAKING, read_waking}, {EVENT_RESUME, read_resume},
	{EVENT_WAIT, read_wait},      {EVENT_SAMPLE, read_sample}, {EVENT_FORK, read_fork},
	{EVENT_EXEC, read_exec},      {EVENT_EXIT, read_exit},     {EVENT_RENAME, read_rename},
	{EVENT_LOSS, read_loss},      {EVENT_CLOCK, read_clock},   {EVENT_THREAD, read_thread},
	{EVENT_META, read_two_texts}, {EVENT_HOOK, read_hook},     {EVENT_FILE, read_file},
	{EVENT_SOCKET, read_socket},
};

static unsigned int kind_named(const struct line *line, const char *name)
{
	for (unsigned int kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
		const struct event_schema *schema = event_schema(kind);

		if (schema && !strcmp(schema->name, name))
			return kind;
	}
	synth_die(line->text, name);
}

/* What a short form leaves open that another field tells. */
static void complete(struct draft *draft)
{
	struct event_fork *fork = (struct event_fork *)&draft->header;
	struct event_exit *exit = (struct event_exit *)&draft->header;

	if (draft->header.kind == EVENT_FORK) {
		fork->pid = fork->pid ? fork->pid : fork->tid;
		fork->parent_pid = fork->parent_pid         ? fork->parent_pid
				   : fork->pid == fork->tid ? fork->parent_tid
							    : fork->pid;
	}
	if (draft->header.kind == EVENT_EXIT && exit->pid == 0)
		exit->pid = exit->tid;
}

static void read_event(struct synth *synth, struct line *line)
{
	const char *name = word(line);
	bool is_generic = !strcmp(name, "event");
	unsigned int kind = kind_named(line, is_generic ? word(line) : name);
	struct draft draft;

	draft_init(&draft, kind, line->time_ns, line->text);
	if (event_field_find(kind, "cpu"))
		draft_set_number(&draft, "cpu", line->cpu);
	for (size_t i = 0; i < ARRAY_SIZE(forms) && !is_generic; i++) {
		if (forms[i].kind == kind)
			forms[i].read(line, &draft);
	}
	while (line->at < line->count) {
		char *field = line->words[line->at++];
		char *value = strchr(field, '=');

		if (!value)
			synth_die(line->text, field);
		*value = '\0';
		draft_set(&draft, field, value + 1);
	}
	complete(&draft);
	draft_finish(&draft);
	synth_event(synth, line->cpu, &draft.header);
}

static void read_stack(struct synth *synth, struct line *line)
{
	struct synth_stack stack = {0};

	expect(line, "stack");
	stack.label = word(line);
	stack.is_user = !strcmp(word(line), "user");
	while (line->at < line->count)
		stack.functions[stack.count++] = word(line);
	synth_names_stack(&synth->names, &stack, line->text);
}

/* Cuts TEXT at blanks; quotes keep blanks inside a word. */
static void split(struct line *line, char *text)
{
	while (*text) {
		char *to = text;
		bool quoted = false;

		if (isblank((unsigned char)*text)) {
			text++;
			continue;
		}
		if (*text == '#')
			return;
		if (line->count == WORDS_MAX)
			synth_die(line->text, "too many words");
		line->words[line->count++] = to;
		for (; *text && (quoted || !isblank((unsigned char)*text)); text++) {
			if (*text == '\'')
				quoted = !quoted;
			else
				*to++ = *text;
		}
		text += *text != '\0';
		*to = '\0';
	}
}

static void read_line(struct synth *synth, const char *text)
{
	struct line line = {.text = text};

	split(&line, strdupa(text));
	if (line.count == 0)
		return;
	if (isdigit((unsigned char)line.words[0][0])) {
		line.time_ns = SYNTH_ORIGIN_NS + synth_time_ns(word(&line), text);
		if (!strncmp(line.words[line.at], "cpu", 3))
			line.cpu = (uint16_t)atoi(word(&line) + 3);
	}
	if (!strcmp(line.words[line.at], "stack"))
		read_stack(synth, &line);
	else
		read_event(synth, &line);
}

void synth_text(struct synth *synth, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *line = xasprintf("%.*s", (int)length, text);

		read_line(synth, line);
		text += length + (text[length] == '\n');
	}
}

void synth_printf(struct synth *synth, const char *format, ...)
{
	struct buffer text = {0};
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buffer_add(&text, line, strlen(line));
	synth_text(synth, text.data);
	buffer_release(&text);
}

struct synth *synth_new(void)
{
	struct synth *synth = xcalloc(1, sizeof(*synth));

	synth->names.sink = sink;
	synth->names.context = synth;
	return synth;
}

void synth_free(struct synth *synth)
{
	if (!synth)
		return;
	for (size_t i = 0; i < synth->stream_count; i++)
		buffer_release(&synth->streams[i].events);
	free(synth->streams);
	synth_names_release(&synth->names);
	free(synth);
}

struct recording *synth_to_memory(const struct synth *synth)
{
	struct recording *recording = recording_memory_new();

	for (size_t i = 0; i < synth->stream_count; i++) {
		const struct synth_stream *stream = &synth->streams[i];

		recording_memory_add(recording, stream->stream, stream->cpu, stream->events.data,
				     stream->events.size);
	}
	return recording;
}

int synth_to_file(const struct synth *synth, const char *path)
{
	struct recording_writer *writer;
	int err = recording_create(&writer, path);

	if (err)
		return err;
	for (size_t i = 0; i < synth->stream_count; i++) {
		const struct synth_stream *stream = &synth->streams[i];

		/* an error stays and is returned by finish */
		recording_write(writer, stream->stream, stream->cpu, stream->events.data,
				stream->events.size);
	}
	return recording_finish(writer);
}

static struct synth *synth_of(const char *text)
{
	struct synth *synth = synth_new();

	synth_text(synth, text);
	return synth;
}

struct recording *synth_recording(const char *text)
{
	struct synth *synth = synth_of(text);
	struct recording *recording = synth_to_memory(synth);

	synth_free(synth);
	return recording;
}

int synth_file(const char *text, const char *path)
{
	struct synth *synth = synth_of(text);
	int err = synth_to_file(synth, path);

	synth_free(synth);
	return err;
}

struct model *synth_model(const char *text)
{
	struct model_options options = {.min_wait_ns = 0};
	struct model *model;

	if (model_new(&model, synth_recording(text), &options))
		synth_die("synth_model", "model_new failed");
	return model;
}

void synth_model_free(struct model *model)
{
	struct recording *recording;

	if (!model)
		return;
	recording = model_recording(model);
	model_free(model);
	recording_close(recording);
}
