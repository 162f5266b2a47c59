/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/synth_event.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "event/schema.h"
#include "model/model.h"
#include "support/synth.h"

void synth_die(const char *line, const char *what)
{
	fprintf(stderr, "synth: '%s' in: %s\n", what, line);
	abort();
}

uint64_t synth_id(const char *label)
{
	char *end;
	uint64_t number = strtoull(label, &end, 0);

	return *end ? hash_text(label) : number;
}

uint64_t synth_time_ns(const char *text, const char *line)
{
	char *unit;
	double value = strtod(text, &unit);
	double scale = !*unit || !strcmp(unit, "us") ? 1e3
		       : !strcmp(unit, "ns")         ? 1
		       : !strcmp(unit, "ms")         ? 1e6
		       : !strcmp(unit, "s")          ? 1e9
						     : -1;

	if (unit == text || scale < 0 || value < 0)
		synth_die(line, text);
	return (uint64_t)(value * scale + 0.5);
}

void draft_init(struct draft *draft, unsigned int kind, uint64_t time_ns, const char *line)
{
	memset(draft, 0, sizeof(*draft));
	draft->line = line;
	draft->header.kind = (uint16_t)kind;
	draft->header.size = event_schema(kind)->fixed_size;
	draft->header.time_ns = time_ns;
}

static uint64_t state_value(const struct draft *draft, const char *text)
{
	static const char letters[] = "RSDTtXZ";
	const char *letter = strchr(letters, *text);

	if (isdigit((unsigned char)*text))
		return strtoull(text, NULL, 0);
	if (!strcmp(text, "I"))
		return 0x402; /* uninterruptible, not counted as load */
	if (!*text || !letter || text[1])
		synth_die(draft->line, text);
	if (*letter == 'X')
		return 0x80;
	return *letter == 'R' ? 0 : 1ULL << (letter - letters - 1);
}

static uint64_t syscall_value(const struct draft *draft, const char *text)
{
	for (int i = 0; i < 1024; i++) {
		const char *name = model_syscall_name(i);

		if (name && !strcmp(name, text))
			return (uint64_t)i;
	}
	synth_die(draft->line, text);
}

static uint64_t value_of(const struct draft *draft, unsigned int meaning, const char *text)
{
	bool is_number = isdigit((unsigned char)*text) || *text == '-';
	char *end;
	uint64_t number;

	if (meaning == MEANING_STACK || meaning == MEANING_OBJECT)
		return synth_id(text);
	if (meaning == MEANING_STATE)
		return state_value(draft, text);
	if (meaning == MEANING_SYSCALL && !is_number)
		return syscall_value(draft, text);
	if (!strcmp(text, "idle"))
		return 0;
	number = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (!is_number || *end)
		synth_die(draft->line, text);
	return number;
}

static void *tail(struct draft *draft, size_t bytes)
{
	void *at = draft->bytes + draft->header.size;

	if (draft->header.size + bytes + 8 > EVENT_SIZE_MAX)
		synth_die(draft->line, "the event is too long");
	draft->header.size = (uint16_t)(draft->header.size + bytes);
	return at;
}

/* "1,2,3" into a fixed array, or into a tail of 8-byte elements. */
static void set_list(struct draft *draft, const struct event_field *field, char *value)
{
	char *at = draft->bytes + field->offset;
	unsigned int n = 0;

	for (char *save, *item = strtok_r(value, ",", &save); item;
	     item = strtok_r(NULL, ",", &save), n++) {
		uint64_t number = value_of(draft, field->meaning, item);

		if (field->size == 0)
			memcpy(tail(draft, 8), &number, 8);
		else if (n < field->count)
			memcpy(at + n * field->size, &number, field->size);
	}
}

static void set_text(struct draft *draft, const struct event_field *field, const char *value)
{
	size_t length = strlen(value);

	if (field->size) {
		size_t room = (size_t)field->count - 1;

		memcpy(draft->bytes + field->offset, value, length < room ? length : room);
		return;
	}
	if (field->meaning == MEANING_TEXT) {
		memcpy(tail(draft, length + 1), value, length + 1);
		return;
	}
	char *at = memcpy(tail(draft, length + 2), value, length + 1);
	char *bar = strchr(at, '|');

	if (bar)
		*bar = '\0';
}

/* An address of the internet, or bytes in hexadecimal. */
static void set_binary(struct draft *draft, const struct event_field *field, const char *value)
{
	char *at = draft->bytes + field->offset;

	if (field->size && field->count == 16 &&
	    (inet_pton(AF_INET, value, at) == 1 || inet_pton(AF_INET6, value, at) == 1))
		return;
	for (unsigned int byte, n = 0; sscanf(value, "%2x", &byte) == 1; value += 2, n++) {
		char *to = field->size == 0 ? tail(draft, 1) : n < field->count ? at + n : NULL;

		if (!to || strlen(value) < 2)
			synth_die(draft->line, value);
		*to = (char)byte;
	}
}

void draft_set(struct draft *draft, const char *name, const char *value)
{
	_cleanup_free_ char *with_unit = xasprintf("%s_ns", name);
	const struct event_field *field = event_field_find(draft->header.kind, name);
	const struct event_field *timed = event_field_find(draft->header.kind, with_unit);
	uint64_t number;

	if (timed) {
		number = synth_time_ns(value, draft->line);
		number += timed->meaning == MEANING_TIME_NS ? SYNTH_ORIGIN_NS : 0;
		memcpy(draft->bytes + timed->offset, &number, timed->size);
	} else if (!field) {
		synth_die(draft->line, name);
	} else if (field->meaning == MEANING_TEXT || field->meaning == MEANING_TEXTS) {
		set_text(draft, field, value);
	} else if (field->meaning == MEANING_BINARY) {
		set_binary(draft, field, value);
	} else if (field->size == 0 || field->count > 1) {
		set_list(draft, field, strdupa(value));
	} else {
		number = value_of(draft, field->meaning, value);
		memcpy(draft->bytes + field->offset, &number, field->size);
	}
}

void draft_set_number(struct draft *draft, const char *name, uint64_t value)
{
	const struct event_field *field = event_field_find(draft->header.kind, name);

	memcpy(draft->bytes + field->offset, &value, field->size);
}

void draft_finish(struct draft *draft)
{
	const struct event_schema *schema = event_schema(draft->header.kind);
	const struct event_field *last = &schema->fields[schema->field_count - 1];
	bool has_texts = last->meaning == MEANING_TEXTS ||
			 (last->meaning == MEANING_TEXT && last->size == 0);
	size_t size = draft->header.size;

	/* a text tail that was not set is empty texts: zeros, which are there already */
	if (has_texts && size == schema->fixed_size)
		size += 2;
	draft->header.size = (uint16_t)event_align(size);
	if (!event_is_sound(&draft->header, draft->header.size))
		synth_die(draft->line, "the event is not sound");
}

/* ---- modules, frames, stacks ---- */

static unsigned int module_id(struct synth_names *names, const char *name, const char *line)
{
	struct draft draft;
	_cleanup_free_ char *path = NULL;
	unsigned int id = 0;

	while (id < names->module_count && strcmp(names->modules[id], name))
		id++;
	if (id < names->module_count)
		return id + EVENT_MODULE_KERNEL;
	if (id == ARRAY_SIZE(names->modules))
		synth_die(line, "too many modules");
	names->modules[names->module_count++] = xstrdup(name);
	id += EVENT_MODULE_KERNEL;
	draft_init(&draft, EVENT_MODULE, 0, line);
	draft_set_number(&draft, "module", id);
	draft_set_number(&draft, "kind",
			 id == EVENT_MODULE_KERNEL ? EVENT_MODULE_VMLINUX : EVENT_MODULE_FILE);
	path = id == EVENT_MODULE_KERNEL || strchr(name, '/') ? xstrdup(name)
							      : xasprintf("/usr/bin/%s", name);
	draft_set(&draft, "path", path);
	draft_finish(&draft);
	names->sink(names->context, &draft.header);
	return id;
}

static void add_place(struct synth_names *names, uint64_t frame, unsigned int depth,
		      unsigned int flags, char *function, const char *line)
{
	struct draft draft;
	char *source = strchr(function, '@');
	char *number = source ? strchr(source, ':') : NULL;
	_cleanup_free_ char *text = NULL;

	if (source)
		*source++ = '\0';
	if (number)
		*number++ = '\0';
	draft_init(&draft, EVENT_FRAME, 0, line);
	draft_set_number(&draft, "frame", frame);
	draft_set_number(&draft, "depth", depth);
	draft_set_number(&draft, "flags", flags);
	draft_set_number(&draft, "offset", 0x10);
	draft_set_number(&draft, "line", number ? strtoul(number, NULL, 10) : 0);
	text = xasprintf("%s|%s", function, source ? source : "");
	draft_set(&draft, "text", text);
	draft_finish(&draft);
	names->sink(names->context, &draft.header);
}

/* The frame of "module!function", "function" or "module+0x12"; defined when it is new. */
static uint64_t frame_of(struct synth_names *names, const char *text, bool is_user,
			 const char *line)
{
	char *copy = strdupa(text);
	char *bang = strchr(copy, '!');
	char *plus = strstr(copy, "+0x");
	char *places = bang ? bang + 1 : copy;
	const char *module = bang || plus ? copy : is_user ? "app" : "kernel";
	uint64_t key = hash_text(text) ^ is_user;
	uint64_t *known = map64_get(&names->frames, key);
	uint64_t frame;
	unsigned int depth = 0;

	if (known)
		return *known;
	if (bang)
		*bang = '\0';
	if (plus)
		*plus = '\0';
	frame = EVENT_FRAME(
		!strcmp(module, "unknown") ? EVENT_MODULE_UNKNOWN : module_id(names, module, line),
		plus ? strtoull(plus + 1, NULL, 16) : 0x1000 * (names->frames.count + 1));
	map64_put(&names->frames, key, frame);
	if (plus)
		return frame;
	for (char *save, *place = strtok_r(places, "^", &save); place; depth++) {
		char *outer = strtok_r(NULL, "^", &save);

		add_place(names, frame, depth, outer ? EVENT_FRAME_INLINED : 0, place, line);
		place = outer;
	}
	return frame;
}

void synth_names_stack(struct synth_names *names, const struct synth_stack *stack, const char *line)
{
	struct draft draft;

	if (names->module_count == 0)
		module_id(names, "kernel", line);
	draft_init(&draft, EVENT_STACK, 0, line);
	draft_set(&draft, "id", stack->label);
	draft_set_number(&draft, "flags", stack->is_user ? EVENT_STACK_USER : 0);
	draft_set_number(&draft, "frame_count", stack->count);
	for (unsigned int i = 0; i < stack->count; i++) {
		uint64_t frame = frame_of(names, stack->functions[i], stack->is_user, line);

		memcpy(tail(&draft, 8), &frame, 8);
	}
	draft_finish(&draft);
	names->sink(names->context, &draft.header);
}

void synth_names_release(struct synth_names *names)
{
	for (unsigned int i = 0; i < names->module_count; i++)
		free(names->modules[i]);
	map64_release(&names->frames);
}
