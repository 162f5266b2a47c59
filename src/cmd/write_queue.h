/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between who drains the logs and the file: a thread that compresses and writes. A disk that stalls
 * for a second must not keep the logs from being drained.
 *
 * Adding may be done by several threads. Up to a limit of memory waits here; beyond it, adding
 * waits for the disk. The writer's first error ends the recording: it is kept, and every later call
 * gets it.
 */
#ifndef DASHCAM_CMD_WRITE_QUEUE_H
#define DASHCAM_CMD_WRITE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "recording/recording.h"

struct write_queue;

/* Takes over WRITER. What is added waits until write_queue_start. What was added then is in the file
 * FLUSH_NS later at the latest. */
struct write_queue *write_queue_new(struct recording_writer *writer, uint64_t flush_ns);

/* Starts the thread. It is not started at once because the capture has to fork its helpers while the
 * process has one thread. Returns 0 or a negative errno with a sentence. */
int write_queue_start(struct write_queue *queue);

/* Adds whole events, as recording_write takes them; they are copied. Returns 0, or the writer's
 * error with its sentence. */
int write_queue_add(struct write_queue *queue, enum recording_stream stream, uint16_t cpu,
		    const void *events, size_t size);

/* 0, or the writer's error with its sentence. */
int write_queue_error(struct write_queue *queue);

/* Bytes in the file by now. */
uint64_t write_queue_written_bytes(struct write_queue *queue);

/* Writes what is waiting, finishes the recording, frees the queue. Returns the first error of all.
 */
int write_queue_finish(struct write_queue *queue);

#endif
