/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/steal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "event/event.h"

#define STAT_PATH    "/proc/stat"
#define LOOK_NS      NS_PER_S
#define STEAL_COLUMN 8 /* user nice system idle iowait irq softirq steal */

struct steal {
	FILE *file;
	uint64_t tick_ns;
	uint64_t last_ns; /* 0: not looked yet */
	unsigned int cpu_count;
	uint64_t *ticks; /* of each CPU, at the last look */
};

int steal_open(struct steal **ret, unsigned int cpu_count)
{
	FILE *file = fopen(STAT_PATH, "re");
	long ticks_per_s = sysconf(_SC_CLK_TCK);

	*ret = NULL;
	if (!file)
		return fail_errno(-errno, "opening " STAT_PATH);
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->file = file;
	(*ret)->tick_ns = NS_PER_S / (uint64_t)(ticks_per_s > 0 ? ticks_per_s : 100);
	(*ret)->cpu_count = cpu_count;
	(*ret)->ticks = xcalloc(cpu_count, sizeof(*(*ret)->ticks));
	return 0;
}

void steal_close(struct steal *steal)
{
	if (!steal)
		return;
	fclose(steal->file);
	free(steal->ticks);
	free(steal);
}

bool steal_parse(const char *line, unsigned int *ret_cpu, uint64_t *ret_ticks)
{
	unsigned long cpu;
	unsigned long long value = 0;
	char *at;

	if (strncmp(line, "cpu", 3) != 0 || line[3] < '0' || line[3] > '9')
		return false;
	cpu = strtoul(line + 3, &at, 10);
	if (cpu > UINT16_MAX)
		return false;
	for (int column = 0; column < STEAL_COLUMN; column++) {
		const char *from = at;

		while (*from == ' ')
			from++;
		if (*from < '0' || *from > '9')
			return false;
		value = strtoull(from, &at, 10);
	}
	*ret_cpu = (unsigned int)cpu;
	*ret_ticks = value;
	return true;
}

void steal_look(struct steal *steal, uint64_t now_ns,
		void (*take)(void *context, const struct event_steal *event), void *context)
{
	struct event_steal event = {
		.header = {.kind = EVENT_STEAL, .size = sizeof(event), .time_ns = now_ns},
		.from_ns = steal->last_ns,
	};
	unsigned int cpu;
	uint64_t ticks;
	char line[256];

	if (steal->last_ns && now_ns - steal->last_ns < LOOK_NS)
		return;
	rewind(steal->file);
	/* the CPUs come first */
	while (fgets(line, sizeof(line), steal->file) && !strncmp(line, "cpu", 3)) {
		if (!steal_parse(line, &cpu, &ticks) || cpu >= steal->cpu_count)
			continue;
		if (steal->last_ns && ticks > steal->ticks[cpu]) {
			event.cpu = (uint16_t)cpu;
			event.stolen_ns = (ticks - steal->ticks[cpu]) * steal->tick_ns;
			take(context, &event);
		}
		steal->ticks[cpu] = ticks;
	}
	steal->last_ns = now_ns;
}
