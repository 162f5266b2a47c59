/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients, the victim among them, hand jobs to a pool of workers and wait. All workers wait for the
 * one backend, which takes its time for each job: a client's request spends its time in the queue.
 */
#include <string.h>
#include <unistd.h>

#include "case.h"

#define WORKERS_MAX 8
#define CLIENTS     6 /* besides the victim */

struct job {
	struct job *next;
	bool is_done;
	pthread_cond_t done;
};

struct worker {
	struct scene *scene;
	int answer[2]; /* a pipe: the backend answers here */
	pthread_t thread;
};

struct scene {
	struct requests requests;
	uint64_t backend_ns;
	bool backend_sleeps; /* it waits for something of its own, else it computes */
	pthread_mutex_t mutex;
	pthread_cond_t has_jobs;
	struct job *first, **last;
	bool is_closed;
	int questions[2]; /* a pipe: workers write the descriptor that the answer goes to */
	uint64_t worker_count;
	struct worker workers[WORKERS_MAX];
};

static void write_int(int pipe, int value)
{
	if (write(pipe, &value, sizeof(value)) != sizeof(value))
		give_up("writing to a pipe");
}

/* False at the end of the pipe. */
static bool read_int(int pipe, int *ret)
{
	return read(pipe, ret, sizeof(*ret)) == sizeof(*ret);
}

/* ---- the backend ---- */

static NAMED_FUNCTION void look_up_record(struct scene *scene)
{
	if (scene->backend_sleeps)
		sleep_ns(scene->backend_ns);
	else
		compute_here(scene->backend_ns);
	KEEP_FRAME();
}

static void *backend(void *argument)
{
	struct scene *scene = argument;
	int answer;

	while (read_int(scene->questions[0], &answer)) {
		look_up_record(scene);
		write_int(answer, 0);
	}
	return NULL;
}

/* ---- the pool ---- */

static struct job *next_job(struct scene *scene)
{
	struct job *job;

	pthread_mutex_lock(&scene->mutex);
	while (!scene->first && !scene->is_closed)
		pthread_cond_wait(&scene->has_jobs, &scene->mutex);
	job = scene->first;
	if (job) {
		scene->first = job->next;
		if (!scene->first)
			scene->last = &scene->first;
	}
	pthread_mutex_unlock(&scene->mutex);
	return job;
}

static NAMED_FUNCTION void ask_backend(struct worker *worker)
{
	int answer;

	write_int(worker->scene->questions[1], worker->answer[1]);
	if (!read_int(worker->answer[0], &answer))
		give_up("reading the backend's answer");
	KEEP_FRAME();
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct job *job;

	while ((job = next_job(worker->scene))) {
		ask_backend(worker);
		pthread_mutex_lock(&worker->scene->mutex);
		job->is_done = true;
		pthread_cond_signal(&job->done);
		pthread_mutex_unlock(&worker->scene->mutex);
	}
	return NULL;
}

/* ---- clients ---- */

static NAMED_FUNCTION void submit_and_wait(struct scene *scene)
{
	struct job job = {.done = PTHREAD_COND_INITIALIZER};

	pthread_mutex_lock(&scene->mutex);
	*scene->last = &job;
	scene->last = &job.next;
	pthread_cond_signal(&scene->has_jobs);
	while (!job.is_done)
		pthread_cond_wait(&job.done, &scene->mutex);
	pthread_mutex_unlock(&scene->mutex);
	KEEP_FRAME();
}

static void *client(void *argument)
{
	struct scene *scene = argument;

	while (!scene->requests.is_over)
		submit_and_wait(scene);
	return NULL;
}

static void request(struct requests *requests, void *context)
{
	wait_begin(requests);
	submit_and_wait(context);
	wait_end(requests);
	compute_here(500 * NS_PER_US);
}

/* ---- all of it ---- */

static void open_pool(struct scene *scene)
{
	if (pipe(scene->questions))
		give_up("making a pipe");
	for (uint64_t i = 0; i < scene->worker_count; i++) {
		scene->workers[i].scene = scene;
		if (pipe(scene->workers[i].answer))
			give_up("making a pipe");
		scene->workers[i].thread = start_thread("worker", work, &scene->workers[i]);
	}
}

static void close_pool(struct scene *scene)
{
	pthread_mutex_lock(&scene->mutex);
	scene->is_closed = true;
	pthread_cond_broadcast(&scene->has_jobs);
	pthread_mutex_unlock(&scene->mutex);
	for (uint64_t i = 0; i < scene->worker_count; i++)
		join_thread(scene->workers[i].thread);
	close(scene->questions[1]);
}

int main(int argc, char **argv)
{
	if (argc != 5 || (strcmp(argv[3], "computing") && strcmp(argv[3], "sleeping")))
		usage("TRUTH WORKERS computing|sleeping BACKEND-MS");
	struct scene scene = {
		.requests = {truth_open(argv[1]), request, &scene, "ns.wait.condition"},
		.worker_count = number_argument(argv[2], "WORKERS"),
		.backend_sleeps = !strcmp(argv[3], "sleeping"),
		.backend_ns = number_argument(argv[4], "BACKEND-MS") * NS_PER_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.has_jobs = PTHREAD_COND_INITIALIZER,
		.last = &scene.first,
	};
	pthread_t clients[CLIENTS], backend_thread;

	if (scene.worker_count > WORKERS_MAX)
		usage("TRUTH WORKERS computing|sleeping BACKEND-MS");
	open_pool(&scene);
	backend_thread = start_thread("backend", backend, &scene);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = start_thread("client", client, &scene);
	run_requests(&scene.requests);
	for (int i = 0; i < CLIENTS; i++)
		join_thread(clients[i]);
	close_pool(&scene);
	join_thread(backend_thread);
	return 0;
}
