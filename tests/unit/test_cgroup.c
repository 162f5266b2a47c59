/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's texts say of cgroups, from machines with version 1, version 2 and both, and
 * which processes are asked about.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "capture/cgroup_text.h"
#include "capture/cgroup_watch.h"

static const char version_1[] =
	"22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
	"27 22 0:23 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n"
	"30 27 0:26 / /sys/fs/cgroup/cpuset rw,nosuid shared:9 - cgroup cgroup rw,cpuset\n"
	"31 27 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
	"32 27 0:28 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n";
static const char version_2[] =
	"22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
	"27 22 0:23 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char hybrid[] = "30 27 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
			     "31 27 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

static struct cgroup_mounts mounts_of(const char *text)
{
	struct cgroup_mounts mounts;
	FILE *file = fmemopen((void *)text, strlen(text), "r");

	cgroup_mounts_read(&mounts, file);
	fclose(file);
	return mounts;
}

static struct cgroup_places places_of(const char *text)
{
	struct cgroup_places places;
	FILE *file = fmemopen((void *)text, strlen(text), "r");

	cgroup_places_read(&places, file);
	fclose(file);
	return places;
}

static void assert_mount(const struct cgroup_mount *mount, const char *point, const char *root)
{
	assert_non_null(mount->point);
	assert_string_equal(mount->point, point);
	assert_string_equal(mount->root, root);
}

static void mounts_of_version_1(void **state)
{
	struct cgroup_mounts mounts = mounts_of(version_1);

	(void)state;
	assert_mount(&mounts.old[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct", "/");
	assert_mount(&mounts.old[CGROUP_MEMORY], "/sys/fs/cgroup/memory", "/");
	assert_null(mounts.unified.point);
	cgroup_mounts_release(&mounts);
}

static void mounts_of_version_2(void **state)
{
	struct cgroup_mounts mounts = mounts_of(version_2);

	(void)state;
	assert_mount(&mounts.unified, "/sys/fs/cgroup", "/");
	assert_null(mounts.old[CGROUP_CPU].point);
	assert_null(mounts.old[CGROUP_MEMORY].point);
	cgroup_mounts_release(&mounts);
}

static void mounts_of_both(void **state)
{
	struct cgroup_mounts mounts = mounts_of(hybrid);

	(void)state;
	assert_mount(&mounts.unified, "/sys/fs/cgroup/unified", "/");
	assert_mount(&mounts.old[CGROUP_MEMORY], "/sys/fs/cgroup/memory", "/");
	assert_null(mounts.old[CGROUP_CPU].point);
	cgroup_mounts_release(&mounts);
}

static void a_mount_of_the_whole_is_preferred(void **state)
{
	struct cgroup_mounts mounts =
		mounts_of("1 0 0:1 /box /a rw - cgroup cgroup rw,cpu\n"
			  "2 0 0:1 /other /b rw - cgroup cgroup rw,cpu\n"
			  "3 0 0:1 / /my\\040own\\134place rw - cgroup cgroup rw,cpu\n"
			  "4 0 0:1 / /d rw - cgroup cgroup rw,cpu\n");

	(void)state;
	assert_mount(&mounts.old[CGROUP_CPU], "/my own\\place", "/");
	cgroup_mounts_release(&mounts);
}

static void broken_mounts_are_none(void **state)
{
	struct cgroup_mounts mounts = mounts_of("\n - \n - cgroup\n - cgroup x rw,cpu\n"
						"1 2 3 - cgroup cgroup rw,cpu\n"
						"1 2 3 / relative rw - cgroup cgroup rw,cpu\n"
						"1 2 3 root /point rw - cgroup cgroup rw,cpu\n"
						"1 2 3 / /point rw - cgroup cgroup\n"
						"1 2 3 / /point rw - cgroup cgroup rw,cpux,xcpu\n"
						"1 2 3 / /point rw cgroup2 cgroup2 rw\n"
						"1 2 3 / /point\\04 rw");

	(void)state;
	assert_null(mounts.old[CGROUP_CPU].point);
	assert_null(mounts.unified.point);
	cgroup_mounts_release(&mounts);
}

static void places_in_all_versions(void **state)
{
	struct cgroup_places old = places_of("12:pids:/a\n4:cpu,cpuacct:/b/c:d\n3:memory:/\n"
					     "1:name=systemd:/e\n0::/f\n");
	struct cgroup_places unified = places_of("0::/user.slice/x\n");
	struct cgroup_places both = places_of("0::/new\n1:memory:/old\n");

	(void)state;
	assert_string_equal(old.of[CGROUP_CPU].path, "/b/c:d");
	assert_false(old.of[CGROUP_CPU].is_unified);
	assert_string_equal(old.of[CGROUP_MEMORY].path, "/");
	assert_string_equal(unified.of[CGROUP_CPU].path, "/user.slice/x");
	assert_true(unified.of[CGROUP_MEMORY].is_unified);
	assert_string_equal(both.of[CGROUP_CPU].path, "/new");
	assert_true(both.of[CGROUP_CPU].is_unified);
	assert_string_equal(both.of[CGROUP_MEMORY].path, "/old");
	assert_false(both.of[CGROUP_MEMORY].is_unified);
	cgroup_places_release(&old);
	cgroup_places_release(&unified);
	cgroup_places_release(&both);
}

static void broken_places_are_none(void **state)
{
	struct cgroup_places places =
		places_of("\n:\n::\n4:cpu\n4:cpu:\n4:cpu:relative\n5:cpus:/x\n");

	(void)state;
	assert_null(places.of[CGROUP_CPU].path);
	assert_null(places.of[CGROUP_MEMORY].path);
	cgroup_places_release(&places);
}

static void assert_directory(const char *point, const char *root, const char *path,
			     const char *wanted)
{
	struct cgroup_mount mount = {.point = (char *)point, .root = (char *)root};
	struct cgroup_place place = {.path = (char *)path};
	char *directory = cgroup_directory(&mount, &place);

	if (wanted) {
		assert_non_null(directory);
		assert_string_equal(directory, wanted);
	} else {
		assert_null(directory);
	}
	free(directory);
}

static void directories_under_mounts(void **state)
{
	(void)state;
	assert_directory("/cg", "/", "/a/b", "/cg/a/b");
	assert_directory("/cg", "/", "/", "/cg");
	assert_directory("/cg", "/box", "/box/in", "/cg/in");
	assert_directory("/cg", "/box", "/box", "/cg");
	assert_directory("/cg", "/box", "/boxes", NULL);
	assert_directory("/cg", "/box", "/", NULL);
	assert_directory("/cg", "/", "/../other", NULL);
	assert_directory("/cg", "/", "/a/..", NULL);
	assert_directory("/cg", "/", "/..a/b..", "/cg/..a/b..");
	assert_directory("/cg", "/..", "/..", NULL);
	assert_directory(NULL, NULL, "/a", NULL);
	assert_directory("/cg", "/", NULL, NULL);
}

static void quotas(void **state)
{
	struct cgroup_quota quota = {7, 7};

	(void)state;
	assert_true(cgroup_parse_old_quota("20000\n", "100000\n", &quota));
	assert_int_equal(quota.quota_us, 20000);
	assert_int_equal(quota.period_us, 100000);
	assert_true(cgroup_parse_old_quota("-1\n", "100000\n", &quota));
	assert_int_equal(quota.quota_us + quota.period_us, 0);
	assert_true(cgroup_parse_quota("50000 200000\n", &quota));
	assert_int_equal(quota.quota_us, 50000);
	assert_int_equal(quota.period_us, 200000);
	assert_true(cgroup_parse_quota("max 100000\n", &quota));
	assert_int_equal(quota.quota_us + quota.period_us, 0);
}

static void broken_quotas_change_nothing(void **state)
{
	static const char *const texts[] = {"",    "\n",  "x",    "5",         "5 ",
					    "5 x", "5 0", "-1 5", "maximum 5", "5 5 5"};
	struct cgroup_quota quota = {1, 2};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(cgroup_parse_quota(texts[i], &quota));
	assert_false(cgroup_parse_old_quota("-12\n", "5\n", &quota));
	assert_false(cgroup_parse_old_quota("5\n", "0\n", &quota));
	assert_false(cgroup_parse_old_quota("5 5\n", "5\n", &quota));
	assert_false(cgroup_parse_old_quota("5\n", "", &quota));
	assert_int_equal(quota.quota_us, 1);
	assert_int_equal(quota.period_us, 2);
}

static void limits_of_memory(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	assert_true(cgroup_parse_memory("67108864\n", &bytes));
	assert_int_equal(bytes, 67108864);
	assert_false(cgroup_parse_memory("", &bytes));
	assert_false(cgroup_parse_memory("-1\n", &bytes));
	assert_false(cgroup_parse_memory("5k\n", &bytes));
	assert_int_equal(bytes, 67108864);
	assert_true(cgroup_parse_memory("9223372036854771712\n", &bytes));
	assert_int_equal(bytes, 0);
	bytes = 7;
	assert_true(cgroup_parse_memory("max\n", &bytes));
	assert_int_equal(bytes, 0);
}

static void the_tightest_quota(void **state)
{
	const struct cgroup_quota none = {0}, fifth = {20000, 100000}, two = {20000, 10000};

	(void)state;
	assert_true(cgroup_quota_is_tighter(&fifth, &none));
	assert_true(cgroup_quota_is_tighter(&fifth, &two));
	assert_false(cgroup_quota_is_tighter(&two, &fifth));
	assert_false(cgroup_quota_is_tighter(&none, &fifth));
	assert_false(cgroup_quota_is_tighter(&none, &none));
}

/* ---- who is asked about ---- */

/* How many items BATCH has, which is emptied. */
static size_t asked(struct naming_batch *batch)
{
	size_t count = batch->count;

	batch->count = 0;
	return count;
}

static void switch_to(struct cgroup_watch *watch, struct naming_batch *batch, uint32_t tid,
		      uint8_t flags, uint64_t time_ns)
{
	struct event_switch event = {.header = {.kind = EVENT_SWITCH, .time_ns = time_ns},
				     .prev_tid = 5,
				     .next_tid = tid,
				     .flags = flags};

	cgroup_watch_switch(watch, &event, batch);
}

static void the_throttled_are_asked_about_once_a_second(void **state)
{
	struct cgroup_watch watch = {0};
	struct naming_batch batch = {0};

	(void)state;
	switch_to(&watch, &batch, 6, EVENT_SWITCH_YIELD, NS_PER_S);
	assert_int_equal(asked(&batch), 0);
	switch_to(&watch, &batch, 6, EVENT_SWITCH_THROTTLED, NS_PER_S);
	assert_int_equal(asked(&batch), 1);
	switch_to(&watch, &batch, 6, EVENT_SWITCH_THROTTLED, 2 * NS_PER_S - 1);
	assert_int_equal(asked(&batch), 0);
	switch_to(&watch, &batch, 6, EVENT_SWITCH_THROTTLED, 2 * NS_PER_S);
	assert_int_equal(asked(&batch), 1);
	cgroup_watch_release(&watch);
	free(batch.items);
}

static void all_that_live_and_had_a_cpu_are_asked_about_in_the_end(void **state)
{
	struct cgroup_watch watch = {0};
	struct naming_batch batch = {0};
	struct event_exit death = {.header = {.kind = EVENT_EXIT}, .tid = 7, .pid = 7};

	(void)state;
	cgroup_watch_rest(&watch, 1, &batch);
	assert_int_equal(asked(&batch), 0);
	switch_to(&watch, &batch, 0, 0, 1);
	switch_to(&watch, &batch, 6, 0, 1);
	switch_to(&watch, &batch, 7, 0, 1);
	switch_to(&watch, &batch, 6, 0, 1);
	switch_to(&watch, &batch, 4194303, 0, 1);
	switch_to(&watch, &batch, UINT32_MAX, 0, 1);
	cgroup_watch_evidence(&watch, &death.header, &batch);
	cgroup_watch_rest(&watch, 1, &batch);
	assert_int_equal(asked(&batch), 2);
	for (uint32_t tid = 1; tid < 10000; tid++)
		switch_to(&watch, &batch, tid, 0, 1);
	cgroup_watch_rest(&watch, 1, &batch);
	assert_int_equal(asked(&batch), 4096);
	cgroup_watch_release(&watch);
	free(batch.items);
}

static void processes_with_evidence_are_asked_about_once(void **state)
{
	struct cgroup_watch watch = {0};
	struct naming_batch batch = {0};
	struct event_wait wait = {.header = {.kind = EVENT_WAIT}, .tid = 9, .pid = 8};
	struct event_wait kernel = {
		.header = {.kind = EVENT_WAIT}, .pid = 2, .flags = EVENT_WAIT_KERNEL_THREAD};
	struct event_reclaim reclaim = {.header = {.kind = EVENT_RECLAIM}, .tid = 9, .pid = 8};
	struct event_exit death = {
		.header = {.kind = EVENT_EXIT}, .tid = 8, .pid = 8, .process_ended = 1};

	(void)state;
	cgroup_watch_evidence(&watch, &kernel.header, &batch);
	assert_int_equal(asked(&batch), 0);
	cgroup_watch_evidence(&watch, &wait.header, &batch);
	cgroup_watch_evidence(&watch, &wait.header, &batch);
	assert_int_equal(asked(&batch), 1);
	cgroup_watch_evidence(&watch, &reclaim.header, &batch);
	assert_int_equal(asked(&batch), 0);
	reclaim.cgroup = 1;
	cgroup_watch_evidence(&watch, &reclaim.header, &batch);
	assert_int_equal(asked(&batch), 1);
	cgroup_watch_evidence(&watch, &death.header, &batch);
	cgroup_watch_evidence(&watch, &wait.header, &batch);
	assert_int_equal(asked(&batch), 1);
	cgroup_watch_release(&watch);
	free(batch.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_of_version_1),
		cmocka_unit_test(mounts_of_version_2),
		cmocka_unit_test(mounts_of_both),
		cmocka_unit_test(a_mount_of_the_whole_is_preferred),
		cmocka_unit_test(broken_mounts_are_none),
		cmocka_unit_test(places_in_all_versions),
		cmocka_unit_test(broken_places_are_none),
		cmocka_unit_test(directories_under_mounts),
		cmocka_unit_test(quotas),
		cmocka_unit_test(broken_quotas_change_nothing),
		cmocka_unit_test(limits_of_memory),
		cmocka_unit_test(the_tightest_quota),
		cmocka_unit_test(the_throttled_are_asked_about_once_a_second),
		cmocka_unit_test(all_that_live_and_had_a_cpu_are_asked_about_in_the_end),
		cmocka_unit_test(processes_with_evidence_are_asked_about_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
