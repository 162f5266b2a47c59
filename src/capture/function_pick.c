/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_pick.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/spelling.h"
#include "base/utf8.h"
#include "capture/function_harm.h"
#include "capture/unwinders.h"

static const char *letter_of(const struct function_try *try)
{
	return try->pattern.is_excluded ? "-N" : "-F";
}

/* ---- the patterns ---- */

int function_pick_begin(struct function_pick *ret, const struct function_request *request,
			struct function_choice *choice)
{
	*ret = (struct function_pick){.cheap_only = request->cheap_only,
				      .repairs_returns = request->repairs_returns,
				      .choice = choice};
	ret->tries = xcalloc(request->wish_count + 1, sizeof(*ret->tries));
	for (size_t i = 0; i < request->wish_count; i++) {
		const struct function_wish *wish = &request->wishes[i];
		struct function_try *try = &ret->tries[i];
		const struct function_values *values = &try->pattern.values;
		int err = function_pattern_parse(wish->text, wish->is_excluded, &try->pattern);

		if (err)
			return fail(err, "%s '%s'", wish->is_excluded ? "-N" : "-F", wish->text);
		ret->count++;
		try->text = wish->text;
		if (values->count || values->from_debug_information)
			try->values = arena_copy(&choice->arena, values, sizeof(*values));
		for (size_t n = 0; n < FUNCTION_NEAR_MAX; n++)
			try->near[n].distance = UINT32_MAX;
	}
	return 0;
}

static bool is_about(const struct function_try *try, bool is_program, const char *path,
		     const char *soname)
{
	if (!try->pattern.place)
		return is_program;
	return function_pattern_is_at(&try->pattern, path, soname);
}

bool function_pick_wants(const struct function_pick *pick, bool is_program, const char *path,
			 const char *soname)
{
	if (is_program && pick->count > 0 && pick->tries[0].pattern.is_excluded)
		return true;
	for (size_t i = 0; i < pick->count; i++) {
		if (!pick->tries[i].pattern.is_excluded &&
		    is_about(&pick->tries[i], is_program, path, soname))
			return true;
	}
	return false;
}

bool function_pick_has_values(const struct function_pick *pick)
{
	for (size_t i = 0; i < pick->count; i++) {
		if (pick->tries[i].values)
			return true;
	}
	return false;
}

void function_pick_release(struct function_pick *pick)
{
	for (size_t i = 0; i < pick->count; i++)
		function_pattern_release(&pick->tries[i].pattern);
	free(pick->tries);
}

/* ---- names that are nearly right ---- */

/* Smaller is nearer; UINT32_MAX is not like it at all. */
static unsigned int distance(const char *wanted, const char *name)
{
	unsigned int size = (unsigned int)strlen(wanted), letters = spelling_distance(wanted, name);

	if (letters <= 2 || letters <= size / 4)
		return letters;
	if (size > 2 && strcasestr(name, wanted))
		return 100 + (unsigned int)strlen(name);
	return UINT32_MAX;
}

/* What is left of a pattern without what may stand for anything. */
static void core_of(const struct function_pattern *pattern, char *out, size_t size)
{
	size_t n = 0;

	for (const char *at = pattern->name; *at && n + 1 < size; at++) {
		if (!strchr(pattern->regex ? "*?^$.+|\\" : "*?\\", *at))
			out[n++] = *at;
	}
	out[n] = '\0';
}

static void note_near(struct function_try *try, const char *name)
{
	char core[FUNCTION_NEAR_SIZE];
	unsigned int near;
	size_t at = FUNCTION_NEAR_MAX;

	core_of(&try->pattern, core, sizeof(core));
	near = core[0] ? distance(core, name) : UINT32_MAX;
	if (near >= try->near[FUNCTION_NEAR_MAX - 1].distance || strlen(name) >= sizeof(core))
		return;
	for (size_t i = 0; i < FUNCTION_NEAR_MAX; i++) {
		if (!strcmp(try->near[i].name, name))
			return;
	}
	while (at > 0 && near < try->near[at - 1].distance)
		at--;
	memmove(&try->near[at + 1], &try->near[at],
		(FUNCTION_NEAR_MAX - 1 - at) * sizeof(try->near[0]));
	try->near[at].distance = near;
	strcpy(try->near[at].name, name);
}

/* ": did you mean 'a' or 'b'?" behind a sentence. The names are those of a file that may be
 * hostile.
 */
static void add_near(struct buffer *text, const struct function_try *try)
{
	unsigned int count = 0;

	while (count < FUNCTION_NEAR_MAX && try->near[count].name[0])
		count++;
	for (unsigned int i = 0; i < count; i++) {
		buffer_printf(text, "%s'",
			      i == 0          ? ": did you mean "
			      : i + 1 < count ? ", "
					      : " or ");
		utf8_add_escaped(text, try->near[i].name);
		buffer_printf(text, "'");
	}
	buffer_printf(text, "%s", count ? "?" : "");
}

/* ---- one function ---- */

static bool has_name(const struct function_pattern *pattern, const struct resolver_listed *function)
{
	if (function_pattern_matches(pattern, function->name) ||
	    function_pattern_matches(pattern, function->symbol))
		return true;
	for (const char *alias = function->aliases; alias && *alias; alias += strlen(alias) + 1) {
		if (function_pattern_matches(pattern, alias))
			return true;
	}
	return false;
}

/* What the patterns say of one function. */
struct decision {
	bool is_in;
	bool is_named; /* exactly, by one that still holds */
	const struct function_values *values;
};

static struct decision decide(struct function_pick *pick, const struct function_file *file,
			      const bool *is_about_file, const struct resolver_listed *function)
{
	struct decision decision = {.is_in =
					    file->is_program && pick->tries[0].pattern.is_excluded};

	for (size_t i = 0; i < pick->count; i++) {
		struct function_try *try = &pick->tries[i];

		if (!is_about_file[i])
			continue;
		if (!has_name(&try->pattern, function)) {
			if (!try->match_count)
				note_near(try, function->name);
			continue;
		}
		try->match_count++;
		if (try->pattern.is_excluded) {
			decision = (struct decision){0};
			continue;
		}
		decision.is_in = true;
		decision.is_named |= try->pattern.is_exact;
		if (try->values)
			decision.values = try->values;
	}
	return decision;
}

/* Must its returns be left alone? Where stacks are switched, the kernel takes return addresses for
 * those of calls that have ended. Where exceptions are thrown that nobody can guard, they end the
 * program. */
static bool is_entry_only(const struct function_pick *pick, const struct function_file *file,
			  const struct function_harm *harm)
{
	return (harm && harm->entry_only) || file->listing->moves_stacks || pick->moves_stacks ||
	       pick->is_unguarded || pick->may_unwind;
}

/* The registers that VALUES are read from, as bits of enum resolver_argument. */
static unsigned int registers_of(const struct function_values *values)
{
	unsigned int registers = 0;

	if (!values)
		return 0;
	if (values->from_debug_information)
		return UINT16_MAX;
	for (uint32_t i = 0; i < values->count; i++) {
		if (values->items[i].position >= 1 && values->items[i].position <= 6)
			registers |= 1u << (values->items[i].position - 1);
	}
	return registers;
}

static const char *make_name(struct function_pick *pick, const struct function_file *file,
			     const struct resolver_listed *function)
{
	const char *base = strrchr(file->shown, '/');
	_cleanup_free_ char *text = NULL;

	if (file->is_program)
		return arena_strdup(&pick->choice->arena, function->name);
	base = base ? base + 1 : file->shown;
	text = xasprintf("%s@%s", function->name,
			 *file->listing->soname ? file->listing->soname : base);
	return arena_strdup(&pick->choice->arena, text);
}

static void add(struct function_pick *pick, const struct function_file *file, const char *path,
		const struct resolver_listed *function, struct function_item item)
{
	struct function_choice *choice = pick->choice;
	_cleanup_free_ char *where = xasprintf("%s:%s", file->shown, function->symbol);

	item.name = make_name(pick, file, function);
	item.where = arena_strdup(&choice->arena, where);
	item.path = path;
	item.entry_offset = function->entry_offset;
	item.flags |= EVENT_NAME_TRACED | (file->is_program ? 0 : EVENT_NAME_LIBRARY);
	array_reserve((void **)&choice->items, &choice->capacity, choice->count + 1,
		      sizeof(*choice->items));
	choice->items[choice->count++] = item;
}

/* Adds a function that is in, unless there is something against it. */
static void consider(struct function_pick *pick, const struct function_file *file, const char *path,
		     const struct decision *decision, const struct resolver_listed *function)
{
	const struct function_harm *harm = function_harm_find(function->symbol);
	struct function_item item = {.values = decision->values,
				     .probe_offset = function->probe_offset};
	bool is_cheap = function->place == RESOLVER_PLACE_CHEAP;
	size_t *left_out = pick->choice->left_out;

	if (!harm && !file->is_program &&
	    function_harm_is_linker(file->shown, file->listing->soname))
		harm = &function_harm_linker;
	if (function->place != RESOLVER_PLACE_NONE &&
	    (function->written & registers_of(item.values))) {
		item.probe_offset = function->entry_offset;
		is_cheap = false;
	}
	if (function->place == RESOLVER_PLACE_NONE ||
	    (function->entry_is_refused && item.probe_offset == function->entry_offset)) {
		left_out[function->why == RESOLVER_WHY_CHOSEN ? FUNCTION_LEFT_CHOOSERS
							      : FUNCTION_LEFT_IMPOSSIBLE]++;
		return;
	}
	if (harm && !decision->is_named) {
		left_out[FUNCTION_LEFT_HARMFUL]++;
		return;
	}
	if (!is_cheap && pick->cheap_only) {
		left_out[FUNCTION_LEFT_COSTLY]++;
		return;
	}
	item.flags = is_cheap ? EVENT_NAME_CHEAP : EVENT_NAME_COSTLY;
	if (is_entry_only(pick, file, harm))
		item.flags |= EVENT_NAME_ENTRY_ONLY;
	add(pick, file, path, function, item);
}

/* ---- all of a file ---- */

int function_pick_take(struct function_pick *pick, const struct function_file *file)
{
	const struct resolver_listing *listing = file->listing;
	const char *path = arena_strdup(&pick->choice->arena, listing->path);
	_cleanup_free_ bool *is_about_file = xcalloc(pick->count + 1, sizeof(*is_about_file));
	size_t before = pick->choice->count;

	pick->moves_stacks |= file->is_program && listing->moves_stacks;
	pick->is_unguarded =
		listing->may_unwind && (!pick->repairs_returns || !unwinders_are_known(listing));
	pick->may_unwind |= file->is_program && pick->is_unguarded;
	for (size_t i = 0; i < pick->count; i++) {
		is_about_file[i] =
			is_about(&pick->tries[i], file->is_program, file->shown, listing->soname);
		pick->tries[i].file_count += is_about_file[i];
	}
	for (size_t i = 0; i < listing->count; i++) {
		struct decision decision = decide(pick, file, is_about_file, &listing->items[i]);

		if (decision.is_in)
			consider(pick, file, path, &decision, &listing->items[i]);
	}
	pick->choice->file_count += pick->choice->count > before;
	if (pick->choice->count > FUNCTIONS_MAX)
		return fail(-E2BIG,
			    "more than %d functions: name fewer (dashcam probes "
			    "--functions BINARY lists them)",
			    FUNCTIONS_MAX);
	return 0;
}

/* ---- at the end ---- */

/* Its library is not there yet. */
static bool is_early(const struct function_try *try)
{
	return try->pattern.place && !try->pattern.is_excluded && !try->file_count;
}

static void add_complaint(struct buffer *text, const struct function_try *try, bool more_may_come)
{
	buffer_printf(text, "%s '%s' matches no function", letter_of(try), try->text);
	if (more_may_come && is_early(try))
		buffer_printf(text, " yet: no such library is mapped or needed; its functions are "
				    "traced from when it is");
	else if (try->pattern.place && !try->file_count)
		buffer_printf(text, ": no such library is mapped or needed");
	add_near(text, try);
}

static int fail_empty(const struct function_pick *pick)
{
	const size_t *left_out = pick->choice->left_out;
	struct buffer text = {0};

	for (size_t i = 0; i < pick->count && !text.size; i++) {
		if (!pick->tries[i].pattern.is_excluded && !pick->tries[i].match_count)
			add_complaint(&text, &pick->tries[i], false);
	}
	if (text.size)
		fail(0, "%s", text.data);
	else if (left_out[FUNCTION_LEFT_HARMFUL])
		fail(0, "of all functions that match, probes could do harm: name one exactly to "
			"have it");
	else if (left_out[FUNCTION_LEFT_COSTLY])
		fail(0, "no function that matches has a cheap place for a probe: try without "
			"--cheap-only");
	else if (left_out[FUNCTION_LEFT_CHOOSERS])
		fail(0,
		     "what matches only chooses a variant of the function when a program starts: "
		     "name that one (dashcam probes --functions BINARY lists them)");
	else if (left_out[FUNCTION_LEFT_IMPOSSIBLE])
		fail(0, "no function that matches can be probed: dashcam probes --functions BINARY "
			"says why");
	else
		fail(0, "no function is left to be traced");
	buffer_release(&text);
	return -ENOENT;
}

int function_pick_end(const struct function_pick *pick, bool more_may_come)
{
	bool may_be_empty = false;

	for (size_t i = 0; i < pick->count && more_may_come; i++)
		may_be_empty |= is_early(&pick->tries[i]);
	if (pick->choice->count == 0 && !may_be_empty)
		return fail_empty(pick);
	for (size_t i = 0; i < pick->count; i++) {
		struct buffer text = {0};

		if (pick->tries[i].match_count)
			continue;
		add_complaint(&text, &pick->tries[i], more_may_come);
		warn("%s", text.data);
		buffer_release(&text);
	}
	return 0;
}
