/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/side_band.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

struct ring {
	int fd; /* -1: this CPU is offline */
	struct perf_event_mmap_page *page;
	uint64_t tail;
};

struct side_band {
	unsigned int cpu_limit;
	size_t data_bytes;
	struct ring *rings;
};

/* Behind every record, as sample_id_all and sample_type ask for: TID, TIME. */
struct sample_id {
	uint32_t pid, tid;
	uint64_t time_ns;
};

/* PERF_RECORD_MMAP2 up to the file name. */
struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, file_offset;
	union {
		struct {
			uint32_t major, minor;
			uint64_t inode, generation;
		};
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[20];
		};
	};
	uint32_t protection, flags;
	char path[];
};

struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

#define RECORD_BYTES_MAX 65536

static int open_event(int cpu, bool with_build_id)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.build_id = with_build_id,
		.watermark = 1,
		.wakeup_watermark = 0x7fffffff, /* nobody is woken: the rings are read on a timer */
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Build ids need 5.12; without them the file is told by device and inode. */
static int open_ring(struct ring *ring, int cpu, size_t data_bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	ring->fd = open_event(cpu, true);
	if (ring->fd < 0 && errno == EINVAL)
		ring->fd = open_event(cpu, false);
	if (ring->fd < 0)
		return errno == ENODEV
			       ? 0
			       : fail_errno(-errno, "perf event for mappings on CPU %d", cpu);
	ring->page = mmap(NULL, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, 0);
	if (ring->page == MAP_FAILED) {
		ring->page = NULL;
		return fail_errno(-errno, "perf ring for mappings on CPU %d", cpu);
	}
	return 0;
}

int side_band_open(struct side_band **ret, unsigned int cpu_limit, uint32_t ring_bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	struct side_band *band = xcalloc(1, sizeof(*band));

	band->cpu_limit = cpu_limit;
	band->data_bytes = page_bytes;
	while (band->data_bytes < ring_bytes)
		band->data_bytes *= 2;
	band->rings = xcalloc(cpu_limit, sizeof(*band->rings));
	for (unsigned int cpu = 0; cpu < cpu_limit; cpu++)
		band->rings[cpu].fd = -1;
	for (unsigned int cpu = 0; cpu < cpu_limit; cpu++) {
		int err = open_ring(&band->rings[cpu], (int)cpu, band->data_bytes);

		if (err) {
			side_band_close(band);
			return err;
		}
	}
	*ret = band;
	return 0;
}

void side_band_close(struct side_band *band)
{
	if (!band)
		return;
	for (unsigned int cpu = 0; cpu < band->cpu_limit; cpu++) {
		if (band->rings[cpu].page)
			munmap(band->rings[cpu].page,
			       (size_t)sysconf(_SC_PAGESIZE) + band->data_bytes);
		if (band->rings[cpu].fd >= 0)
			close(band->rings[cpu].fd);
	}
	free(band->rings);
	free(band);
}

static void hand_over_map(const struct mmap2_record *record, uint64_t time_ns,
			  const struct side_band_listener *listener)
{
	struct resolver_mapping mapping = {
		.pid = record->pid,
		.start = record->address,
		.end = record->address + record->length,
		.file_offset = record->file_offset,
		.path = record->path,
	};

	if (record->header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
		mapping.build_id = record->build_id;
		mapping.build_id_size = record->build_id_size <= 20 ? record->build_id_size : 0;
	} else {
		mapping.device = record->major << 20 | record->minor;
		mapping.inode = record->inode;
	}
	listener->map(listener->context, time_ns, &mapping);
}

static void hand_over(const struct perf_event_header *header, uint16_t cpu,
		      const struct side_band_listener *listener)
{
	const struct sample_id *id =
		(const void *)((const char *)header + header->size - sizeof(*id));

	if (header->size < sizeof(*header) + sizeof(*id))
		return;
	if (header->type == PERF_RECORD_MMAP2 && header->size > sizeof(struct mmap2_record))
		hand_over_map((const struct mmap2_record *)header, id->time_ns, listener);
	else if (header->type == PERF_RECORD_COMM && header->misc & PERF_RECORD_MISC_COMM_EXEC)
		listener->exec(listener->context, id->time_ns,
			       ((const struct comm_record *)header)->pid);
	else if (header->type == PERF_RECORD_LOST)
		listener->lost(listener->context, id->time_ns, cpu,
			       ((const struct lost_record *)header)->lost);
}

/* Copies out of the circle, whose end may lie in the middle. */
static void copy_out(const struct side_band *band, const struct ring *ring, uint64_t at, void *to,
		     size_t size)
{
	const char *data = (const char *)ring->page + sysconf(_SC_PAGESIZE);
	size_t offset = at & (band->data_bytes - 1), first = band->data_bytes - offset;

	if (first > size)
		first = size;
	memcpy(to, data + offset, first);
	memcpy((char *)to + first, data, size - first);
}

static void read_ring(struct side_band *band, struct ring *ring, uint16_t cpu, char *record,
		      const struct side_band_listener *listener)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);

	while (ring->tail < head) {
		struct perf_event_header header;

		copy_out(band, ring, ring->tail, &header, sizeof(header));
		if (header.size < sizeof(header))
			break;
		copy_out(band, ring, ring->tail, record, header.size);
		hand_over((const struct perf_event_header *)record, cpu, listener);
		ring->tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
}

void side_band_read(struct side_band *band, const struct side_band_listener *listener)
{
	_cleanup_free_ char *record = xmalloc(RECORD_BYTES_MAX);

	for (unsigned int cpu = 0; cpu < band->cpu_limit; cpu++) {
		if (band->rings[cpu].page)
			read_ring(band, &band->rings[cpu], (uint16_t)cpu, record, listener);
	}
}
