/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/write_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/units.h"

/* At 25 MB/s, what a CPU that only switches writes, this is ten seconds of one CPU. */
#define WAITING_BYTES_MAX (256u << 20)

struct write_item {
	struct write_item *next;
	enum recording_stream stream;
	uint16_t cpu;
	size_t size;
	char events[] __attribute__((aligned(8)));
};

struct write_queue {
	struct recording_writer *writer; /* of the thread alone */
	uint64_t flush_ns;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t added;
	pthread_cond_t taken;
	struct write_item *first, *last;
	size_t waiting_bytes;
	uint64_t written_bytes;
	bool is_ending;
	int error;
	char error_text[256];
};

/* Called with the mutex held. */
static void keep_error(struct write_queue *queue, int error)
{
	if (!error || queue->error)
		return;
	queue->error = error;
	snprintf(queue->error_text, sizeof(queue->error_text), "%s", fail_text());
	fail_clear();
}

/* The next item, or NULL when it is time to flush or the end has come. Called with the mutex held.
 */
static struct write_item *take_item(struct write_queue *queue, const struct timespec *until)
{
	struct write_item *item;

	while (!queue->first && !queue->is_ending) {
		if (pthread_cond_timedwait(&queue->added, &queue->mutex, until) == ETIMEDOUT)
			return NULL;
	}
	item = queue->first;
	if (item) {
		queue->first = item->next;
		if (!queue->first)
			queue->last = NULL;
	}
	return item;
}

static void write_item(struct write_queue *queue, struct write_item *item)
{
	int error =
		recording_write(queue->writer, item->stream, item->cpu, item->events, item->size);

	pthread_mutex_lock(&queue->mutex);
	keep_error(queue, error);
	queue->waiting_bytes -= item->size;
	queue->written_bytes = recording_written_bytes(queue->writer);
	pthread_cond_broadcast(&queue->taken);
	pthread_mutex_unlock(&queue->mutex);
	free(item);
}

static bool is_past(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > until->tv_sec ||
	       (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

static struct timespec time_from_now(uint64_t ns)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	ns += (uint64_t)time.tv_nsec;
	time.tv_sec += (time_t)(ns / NS_PER_S);
	time.tv_nsec = (long)(ns % NS_PER_S);
	return time;
}

static void *run(void *argument)
{
	struct write_queue *queue = argument;
	struct timespec flush_at = time_from_now(queue->flush_ns);
	bool is_over = false;

	while (!is_over) {
		struct write_item *item;
		int error;

		pthread_mutex_lock(&queue->mutex);
		item = take_item(queue, &flush_at);
		is_over = !item && queue->is_ending;
		pthread_mutex_unlock(&queue->mutex);
		if (item)
			write_item(queue, item);
		if (!is_past(&flush_at))
			continue;
		error = recording_flush(queue->writer);
		pthread_mutex_lock(&queue->mutex);
		keep_error(queue, error);
		queue->written_bytes = recording_written_bytes(queue->writer);
		pthread_mutex_unlock(&queue->mutex);
		flush_at = time_from_now(queue->flush_ns);
	}
	return NULL;
}

struct write_queue *write_queue_new(struct recording_writer *writer, uint64_t flush_ns)
{
	struct write_queue *queue = xcalloc(1, sizeof(*queue));
	pthread_condattr_t attributes;

	queue->writer = writer;
	queue->flush_ns = flush_ns;
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->added, &attributes);
	pthread_cond_init(&queue->taken, NULL);
	pthread_condattr_destroy(&attributes);
	return queue;
}

int write_queue_start(struct write_queue *queue)
{
	int err = thread_start(&queue->thread, run, queue);

	queue->is_started = err == 0;
	return err ? fail_errno(err, "starting the writing thread") : 0;
}

/* The kept error, with its sentence for this thread. Called with the mutex held. */
static int tell_error(const struct write_queue *queue)
{
	if (!queue->error)
		return 0;
	fail_clear();
	return fail(queue->error, "%s", queue->error_text);
}

int write_queue_add(struct write_queue *queue, enum recording_stream stream, uint16_t cpu,
		    const void *events, size_t size)
{
	struct write_item *item = xmalloc(sizeof(*item) + size);
	int err;

	*item = (struct write_item){.stream = stream, .cpu = cpu, .size = size};
	memcpy(item->events, events, size);
	pthread_mutex_lock(&queue->mutex);
	while (queue->waiting_bytes > WAITING_BYTES_MAX && !queue->error)
		pthread_cond_wait(&queue->taken, &queue->mutex);
	err = tell_error(queue);
	if (!err) {
		if (queue->last)
			queue->last->next = item;
		else
			queue->first = item;
		queue->last = item;
		queue->waiting_bytes += size;
		pthread_cond_signal(&queue->added);
	}
	pthread_mutex_unlock(&queue->mutex);
	if (err)
		free(item);
	return err;
}

int write_queue_error(struct write_queue *queue)
{
	int err;

	pthread_mutex_lock(&queue->mutex);
	err = tell_error(queue);
	pthread_mutex_unlock(&queue->mutex);
	return err;
}

uint64_t write_queue_written_bytes(struct write_queue *queue)
{
	uint64_t bytes;

	pthread_mutex_lock(&queue->mutex);
	bytes = queue->written_bytes;
	pthread_mutex_unlock(&queue->mutex);
	return bytes;
}

int write_queue_finish(struct write_queue *queue)
{
	int err;

	pthread_mutex_lock(&queue->mutex);
	queue->is_ending = true;
	pthread_cond_signal(&queue->added);
	pthread_mutex_unlock(&queue->mutex);
	if (queue->is_started)
		pthread_join(queue->thread, NULL);
	else
		run(queue);
	keep_error(queue, recording_finish(queue->writer));
	err = tell_error(queue);
	pthread_mutex_destroy(&queue->mutex);
	pthread_cond_destroy(&queue->added);
	pthread_cond_destroy(&queue->taken);
	free(queue);
	return err;
}
