/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the logs of event/log.h: every record that is whole, in order, and exact counts of the
 * rest.
 */
#ifndef DASHCAM_CAPTURE_LOGS_H
#define DASHCAM_CAPTURE_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "event/log.h"

/* One log of one CPU. */
struct log_reader {
	struct log_head *head; /* in memory shared with the kernel side; borrowed */
	enum event_log log;
	uint32_t key;
	uint64_t size_bytes;   /* of the circle */
	uint64_t next;         /* unit position of the first record not yet read */
	uint64_t records;      /* evidence log: records handed out or counted as lost */
	uint64_t last_time_ns; /* of the last record read, on the log's clock */
	bool in_gap;           /* evidence log: records were overwritten and are not counted yet */
	uint64_t gap_from_ns;
	uint64_t gap_to_ns;
	unsigned int stuck_rounds; /* how often the record at `next` was found unfinished */
};

struct log_round {
	uint64_t events;       /* read in this round */
	uint64_t lost;         /* overwritten before they could be read */
	uint64_t lost_from_ns; /* the lost ones lie between these, on the log's clock; valid if lost
				  > 0 */
	uint64_t lost_to_ns;
	double fill; /* part of the circle that was waiting when the round began, 0..1 and more */
};

void log_reader_init(struct log_reader *reader, struct log_head *head, enum event_log log,
		     uint32_t key, uint64_t size_bytes);

/* How many records have been written since the start. Exact up to 16 million for each round of
 * reading. */
uint64_t log_written(const struct log_reader *reader);

/* Appends all whole records to OUT, with their marks cleared. A record still being written ends the
 * round; it is read in the next. */
void log_read(struct log_reader *reader, struct buffer *out, struct log_round *ret_round);

#endif
