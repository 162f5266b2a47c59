/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that runs must go on running, whatever is traced of it: the return addresses that
 * return probes replace are put back before somebody reads them (event/returns.h), and when the
 * capture ends. A process beside the recorder does it, the guard.
 */
#ifndef DASHCAM_CAPTURE_RETURNS_H
#define DASHCAM_CAPTURE_RETURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct returns;

/* Can it be done on this machine? Else functions that exceptions may go through, or below which
 * somebody may walk the stack, must be traced without their returns. *RET_WHY (may be NULL) becomes
 * a sentence if not. */
bool returns_can_be_repaired(const char **ret_why);

/* Starts the guard. Call it while there is one thread. 0, or a negative errno with a sentence. */
int returns_start(struct returns **ret);

/* Tells the open object, before it is loaded, how its program will be attached and how big its maps
 * have to be. 0 or a negative errno with a sentence. */
int returns_prepare(struct bpf_object *object, bool is_used);

/* Gives the guard what it needs of the loaded OBJECT, and has it look into the libraries that walk
 * stacks in this system's directories, and in the processes PIDS. From then on they are guarded. 0
 * or a negative errno with a sentence. */
int returns_arm(struct returns *returns, struct bpf_object *object, const uint32_t *pids,
		size_t pid_count);

/* Tells the guard of a file whose functions are traced: its calls are put right at the end, and it
 * may have an unwinder of its own. Returns how many functions in it walk stacks, or a negative
 * errno.
 */
int returns_add_traced(struct returns *returns, const char *path);

/* The same for a file whose functions are traced from now on, from any thread: waits for nothing.
 * NULL is fine. */
void returns_see_traced(struct returns *returns, const char *path);

/* Tells it of a file that process PID maps just now, if it may be a library that walks stacks, from
 * any thread: waits for nothing. NULL is fine. */
void returns_see_mapping(struct returns *returns, uint32_t pid, const char *path);

/* Is the guard alive? If not, tracing has to end. */
bool returns_is_alive(const struct returns *returns);

struct returns_report {
	uint32_t threads; /* whose return addresses were put back at the end */
	uint32_t failed;  /* where that was not possible */
	uint64_t repairs; /* stacks put right while the recording ran */
};

/* Once all return probes are gone: has the addresses put back that are still replaced. The guard
 * ends then, which takes it a moment. */
void returns_finish(struct returns *returns, struct returns_report *ret);

/* Waits until the guard has ended, and frees all. Without returns_finish before it does as if the
 * recorder had been killed. NULL is fine. */
void returns_release(struct returns *returns);

#endif
