/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/opener.h"

#include <errno.h>
#include <string.h>

#include "symbol/open.h"

static bool is_terminated(const struct opener_request *request)
{
	return memchr(request->build_id, '\0', sizeof(request->build_id)) &&
	       memchr(request->link, '\0', sizeof(request->link)) &&
	       memchr(request->path, '\0', sizeof(request->path));
}

static int open_one(const struct opener_request *request, const struct open_place *place,
		    unsigned int way, struct stat *ret_stat)
{
	if (request->what == OPENER_MAPPED)
		return open_mapped(place, way, ret_stat);
	return open_debug(place, request->build_id, request->link, way, ret_stat);
}

/* Tries the ways one after the other. */
static int open_by_ways(const struct opener_request *request, struct opener_reply *reply)
{
	const unsigned int ways = request->what == OPENER_MAPPED ? OPEN_WAYS : OPEN_DEBUG_WAYS;
	const struct open_place place = {
		.pid = request->pid,
		.parent_pid = request->parent_pid,
		.start = request->start,
		.end = request->end,
		.device = request->device,
		.inode = request->inode,
		.path = request->path,
	};
	int fd = -ENOENT;

	for (reply->way = request->way; reply->way < ways; reply->way++) {
		fd = open_one(request, &place, reply->way, &reply->stat);
		if (fd >= 0)
			break;
	}
	return fd;
}

int opener_answer(const struct opener_request *request, struct opener_reply *reply)
{
	int fd = -EINVAL;

	memset(reply, 0, sizeof(*reply));
	if (is_terminated(request)) {
		switch (request->what) {
		case OPENER_MAPPED:
		case OPENER_DEBUG:
			fd = open_by_ways(request, reply);
			break;
		case OPENER_PERF_MAP:
			fd = open_perf_map(request->pid, request->ns_pid, request->uid,
					   &reply->stat);
			break;
		case OPENER_MAPS:
			fd = open_maps(request->pid);
			break;
		case OPENER_VDSO:
			fd = open_vdso();
			break;
		}
	}
	reply->error = fd < 0 ? fd : 0;
	return fd;
}
