/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/filter_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "model/call.h"

/* Seconds with up to nine decimals, exactly: a double has too few digits for a clock in ns. */
static int read_clock(const char *text, uint64_t *ret_ns)
{
	uint64_t ns = 0, unit = NS_PER_S;
	const char *at = text;
	bool has_point = false;

	for (; isdigit((unsigned char)*at) || (*at == '.' && !has_point); at++) {
		if (*at == '.') {
			has_point = true;
			continue;
		}
		if (has_point)
			unit /= 10;
		if (ns > UINT64_MAX / 20)
			break;
		ns = has_point ? ns + (uint64_t)(*at - '0') * unit
			       : ns * 10 + (uint64_t)(*at - '0') * NS_PER_S;
	}
	if (*at || !*text || !strcmp(text, "."))
		return fail(-EINVAL,
			    "a time on the recording's clock is written such as @12.5, not '@%s'",
			    text);
	*ret_ns = ns;
	return 0;
}

static int read_time(const char *option, const char *text, uint64_t start_ns, uint64_t *ret_ns)
{
	uint64_t offset_ns;
	int err = text[0] == '@' ? read_clock(text + 1, ret_ns) : parse_time_ns(text, &offset_ns);

	if (err)
		return fail(-EINVAL, "%s", option);
	if (text[0] != '@')
		*ret_ns = start_ns + offset_ns;
	return 0;
}

static int read_ids(const char *option, const struct option_list *list, uint32_t **ret)
{
	*ret = list->count ? xcalloc(list->count, sizeof(**ret)) : NULL;
	for (size_t i = 0; i < list->count; i++) {
		uint64_t id;

		if (parse_number(list->items[i], 0, UINT32_MAX, &id))
			return fail(-EINVAL, "%s", option);
		(*ret)[i] = (uint32_t)id;
	}
	return 0;
}

/* What matches nothing because it is no regular expression is a mistake. */
static int check_patterns(const char *option, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!call_pattern_is_sound(list->items[i]))
			return fail(-EINVAL, "%s %s: that is not a regular expression", option,
				    list->items[i]);
	}
	return 0;
}

int filter_args_read(struct filter_args *ret, const struct filter_values *values,
		     const struct model *model)
{
	uint64_t start_ns = model_start_ns(model);
	char length[UNITS_TEXT_SIZE];
	struct filter *filter = &ret->filter;
	int err;

	*ret = (struct filter_args){.filter = {.to_ns = UINT64_MAX}};
	err = read_ids("--pid", &values->pids, &ret->pids);
	if (!err)
		err = read_ids("--tid", &values->tids, &ret->tids);
	if (!err)
		err = check_patterns("--function", &values->functions);
	if (!err)
		err = check_patterns("--no-function", &values->no_functions);
	if (!err && values->from)
		err = read_time("--from", values->from, start_ns, &filter->from_ns);
	if (!err && values->to)
		err = read_time("--to", values->to, start_ns, &filter->to_ns);
	if (!err && filter->from_ns > model_end_ns(model))
		err = fail(-EINVAL,
			   "--from %s lies behind the end of the recording, which is %s long",
			   values->from, format_ns(length, model_end_ns(model) - start_ns));
	if (!err && filter->to_ns < filter->from_ns)
		err = fail(-EINVAL, "--to %s lies before --from %s", values->to, values->from);
	if (err)
		return err;
	filter->pids = ret->pids;
	filter->pid_count = values->pids.count;
	filter->tids = ret->tids;
	filter->tid_count = values->tids.count;
	filter->comms = values->comms.items;
	filter->comm_count = values->comms.count;
	filter->functions = values->functions.items;
	filter->function_count = values->functions.count;
	filter->no_functions = values->no_functions.items;
	filter->no_function_count = values->no_functions.count;
	filter->call_depth =
		values->call_depth > UINT32_MAX ? UINT32_MAX : (uint32_t)values->call_depth;
	return 0;
}

void filter_args_narrow(struct filter_args *args, const struct filter_values *values,
			const struct model *model)
{
	args->filter.targets_only =
		!values->all && !filter_limits_threads(&args->filter) && model_has_targets(model);
}

void filter_args_release(struct filter_args *args)
{
	free(args->pids);
	free(args->tids);
	*args = (struct filter_args){0};
}

void filter_values_release(struct filter_values *values)
{
	option_list_release(&values->pids);
	option_list_release(&values->tids);
	option_list_release(&values->comms);
	option_list_release(&values->functions);
	option_list_release(&values->no_functions);
}
