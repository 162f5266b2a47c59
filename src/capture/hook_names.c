/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks by the names that people give. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/spelling.h"
#include "capture/hooks.h"

/* In a name that is nearly right; but less than half of a short one. */
#define LETTERS_WRONG 3

/* Several hooks can be on one tracepoint, and a probe is many. */
static uint64_t find(const char *name)
{
	uint64_t bits = 0;

	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (!strcmp(hooks[id].name, name) || !strcmp(probes[hooks[id].probe].name, name))
			bits |= HOOK_BIT(id);
	}
	return bits;
}

static bool is_near(const char *name, const char *other)
{
	unsigned int wrong = spelling_distance(name, other);

	return (wrong <= LETTERS_WRONG && 2 * wrong < strlen(name)) ||
	       (strlen(name) >= LETTERS_WRONG && strstr(other, name));
}

static void add_near(struct buffer *near, const char *name, const char *other)
{
	/* the same name may come twice in a row of the table */
	if (is_near(name, other) && !(near->size && strstr(near->data, other)))
		buffer_printf(near, "%s%s", near->size ? ", " : "", other);
}

static int fail_unknown(const char *name)
{
	struct buffer near = {.data = NULL};
	int err;

	for (enum probe_id id = 0; id < PROBE_COUNT; id++)
		add_near(&near, name, probes[id].name);
	for (enum hook_id id = 0; id < HOOK_COUNT; id++)
		add_near(&near, name, hooks[id].name);
	err = near.size ? fail(-EINVAL, "there is no hook '%s': did you mean %s?", name, near.data)
			: fail(-EINVAL, "there is no hook '%s': see dashcam doctor", name);
	buffer_release(&near);
	return err;
}

static int read_name(const char *name, uint64_t *ret_bits)
{
	uint64_t bits = find(name);

	if (!bits)
		return fail_unknown(name);
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (bits & HOOK_BIT(id) && hooks[id].is_required)
			return fail(-EINVAL,
				    "every recording needs %s: without it %s; leave out others",
				    hooks[id].name, hooks[id].without);
	}
	*ret_bits |= bits;
	return 0;
}

int hook_names_read(const char *names, uint64_t *ret_bits)
{
	_cleanup_free_ char *copy = xstrdup(names);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ","))) {
		int err = read_name(name, ret_bits);

		if (err)
			return err;
	}
	return 0;
}
