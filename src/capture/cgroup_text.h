/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's texts say of cgroups: where hierarchies are mounted, in which groups a thread
 * is, how much they allow. Both versions, and machines that have some controllers in the one and
 * some in the other. Texts are not believed: what cannot be read as it should be is as if it were
 * not there.
 */
#ifndef DASHCAM_CAPTURE_CGROUP_TEXT_H
#define DASHCAM_CAPTURE_CGROUP_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The controllers that make threads wait. */
enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_CONTROLLERS,
};

struct cgroup_mount {
	char *point; /* NULL: not mounted */
	char *root;  /* the group that is seen at that point: "/" if all are */
};

/* Zero-initialised is empty. Version 1 has a hierarchy for each controller, version 2 one for all.
 */
struct cgroup_mounts {
	struct cgroup_mount old[CGROUP_CONTROLLERS];
	struct cgroup_mount unified;
};

/* Reads FILE, which is as /proc/self/mountinfo. */
void cgroup_mounts_read(struct cgroup_mounts *ret, FILE *file);
void cgroup_mounts_release(struct cgroup_mounts *mounts);

struct cgroup_place {
	char *path; /* of the group, from its hierarchy's root; NULL: not known */
	bool is_unified;
};

/* Zero-initialised is empty. */
struct cgroup_places {
	struct cgroup_place of[CGROUP_CONTROLLERS];
};

/* Reads FILE, which is as /proc/PID/cgroup. A controller that has no hierarchy of its own is in the
 * unified one, if there is one. */
void cgroup_places_read(struct cgroup_places *ret, FILE *file);
void cgroup_places_release(struct cgroup_places *places);

/* The directory of PLACE as it is seen under MOUNT; NULL if it is not seen there. The caller frees
 * it. */
char *cgroup_directory(const struct cgroup_mount *mount, const struct cgroup_place *place);

/* CPU time that a group may use in each period; all 0: no limit. */
struct cgroup_quota {
	uint64_t quota_us;
	uint64_t period_us;
};

/* cpu.cfs_quota_us and cpu.cfs_period_us. False if they cannot be understood; "-1" is no limit. */
bool cgroup_parse_old_quota(const char *quota, const char *period, struct cgroup_quota *ret);
/* cpu.max: "20000 100000", "max 100000". */
bool cgroup_parse_quota(const char *text, struct cgroup_quota *ret);
/* memory.limit_in_bytes, memory.max. 0: no limit. */
bool cgroup_parse_memory(const char *text, uint64_t *ret_bytes);

/* Does A leave less CPU time than B? No limit leaves most. */
bool cgroup_quota_is_tighter(const struct cgroup_quota *a, const struct cgroup_quota *b);

#endif
