/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model: what a recording says about threads, CPUs, waits, samples and stacks.
 *
 * model_new reads the tables and makes one pass over all events in the order of time: that gives
 *every thread's life and totals, every wait of at least the recording's min-wait or with evidence,
 *every sample. What is too much to keep (each run and each short wait) can be had again in order by
 * model_replay, whose memory does not grow with the recording.
 *
 * A thread's time, from its birth (or the recording's start) to its death (or end), is
 *	on_cpu_ns + runnable_ns + blocked_ns + unknown_ns
 * exactly. unknown_ns is what lies in gaps (lost events) or before a thread was first seen. What
 *that first event tells about the time before it is used: a thread that leaves a CPU where nothing
 *had been seen ran since the recording's start, one that is woken had slept since then. One that no
 *event names although none was overwritten slept all the time: every switch is recorded. (Except
 *that a thread that never leaves its CPU and is not sampled looks the same.)
 *
 * A thread whose process is not known belongs to the process with pid MODEL_NONE.
 *
 * Everything pointed to belongs to the model and lives until model_free. The recording must outlive
 *it.
 */
#ifndef DASHCAM_MODEL_MODEL_H
#define DASHCAM_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "recording/recording.h"

#define MODEL_NONE         UINT32_MAX
#define MODEL_TIME_UNKNOWN UINT64_MAX

/* One per (pid, birth): a reused pid is another process. */
struct process {
	uint32_t index;
	uint32_t pid;
	uint32_t ppid;       /* 0: unknown */
	uint32_t uid;        /* UINT32_MAX: unknown */
	const char *comm;    /* last name of its leader */
	const char *cmdline; /* "" if unknown */
	uint64_t start_ns;   /* MODEL_TIME_UNKNOWN: not known */
	uint64_t end_ns;     /* MODEL_TIME_UNKNOWN: it outlived the recording */
	uint32_t exit_code;  /* wait(2) status, if end_ns is known */
	bool is_kernel;
	bool was_born_here; /* its birth was recorded */
	bool is_target;     /* as of a thread, but for the names */
	bool is_recorder;   /* dashcam itself, or a helper of it */
	bool is_command;    /* started by the recorder, which held it back before its first exec */
	uint64_t first_exec_ns; /* MODEL_TIME_UNKNOWN: no exec was seen */
};

/* One per (tid, birth). Index 0 is the idle task (tid 0, one for all CPUs). */
struct thread {
	uint32_t index;
	uint32_t tid;
	uint32_t ns_tid; /* inside its own pid namespace; 0: not known */
	struct process *process;
	const char *comm;  /* last name */
	uint64_t named_ns; /* when it is known to have had it; 0: not known */
	uint64_t start_ns; /* when it was born, or first known of; never before the recording's
			      start */
	uint64_t end_ns;   /* when it died, or the recording's end */
	bool was_born_here;
	bool has_ended;
	bool is_kernel;
	/* The recording was made for it: by --pid, by --comm, or it is of the command or its
	 * children. False for all if it was made for the whole machine. */
	bool is_target;
	uint64_t on_cpu_ns;
	uint64_t runnable_ns;
	uint64_t blocked_ns;
	uint64_t unknown_ns;
	uint64_t switches;        /* times it took a CPU */
	uint64_t preemptions;     /* times it left one while still runnable */
	uint64_t longest_wait_ns; /* blocked + runnable */
	uint64_t longest_runnable_ns;
	uint64_t samples;
};

/* A thread was not on a CPU: blocked from start_ns to wake_ns, then runnable to end_ns. */
struct wait {
	uint32_t id; /* position in the order of end_ns; in replay, MODEL_NONE for waits that are
			not kept */
	struct thread *thread;
	uint64_t start_ns;
	uint64_t wake_ns; /* equals start_ns for a thread that stayed runnable; if the wake-up was
			     not seen it equals end_ns and wake_seen is false */
	uint64_t end_ns;
	uint16_t prev_state; /* 0: preempted or yielded; 1 also where the switch-out was not seen */
	uint16_t cpu;        /* where it resumed */
	uint16_t waker_cpu;
	uint8_t switch_flags; /* of the switch-out, enum event_switch_flag */
	int16_t syscall; /* it blocked in; EVENT_NO_SYSCALL: none, not known, or it was runnable */
	bool wake_seen;
	bool waker_is_irq; /* an interrupt woke it, not the work of a thread */
	bool is_open; /* it was not seen to resume: the recording ended or events were lost (then
			 it is not counted in "longest" columns but in the totals) */
	struct thread
		*waker; /* NULL: unknown; the idle thread if an idle CPU's interrupt woke it */
	const struct event_wait *evidence; /* NULL: none was taken */
};

static inline uint64_t wait_blocked_ns(const struct wait *wait)
{
	return wait->wake_ns - wait->start_ns;
}

static inline uint64_t wait_runnable_ns(const struct wait *wait)
{
	return wait->end_ns - wait->wake_ns;
}

struct call_name; /* see call.h */

struct sample {
	uint64_t time_ns;
	struct thread *thread;
	const struct event_sample *event;
};

/* A thread was inside a function that the user named (record --span) or had traced (-F), from its
 * call to its return. Calls of a named function from inside it belong to it. */
struct span {
	uint32_t id;     /* position in the order of start_ns */
	uint32_t parent; /* id of the span right around it, on the same thread; MODEL_NONE */
	struct thread *thread; /* NULL: not known */
	const struct call_name *of;
	const char *name;     /* "?" if its definition was lost */
	const char *function; /* BINARY:FUNCTION as the user wrote it; "" likewise */
	uint64_t start_ns;
	uint64_t end_ns;
	uint16_t depth; /* how many spans are around it */
	uint16_t flags; /* enum event_span_flag: with any of them, end_ns is not when it returned */
};

/* A function at an address. With inlining one frame is several places: inlined calls first. */
struct place {
	const char *function; /* never NULL; "module+0x1234" where no symbol covers the address */
	const char *module;   /* base name of the file, "kernel", "" if unknown */
	const char *module_path;
	const char *file; /* source file, "" if unknown */
	uint32_t line;    /* 0 if unknown */
	uint64_t offset;  /* from the function's start */
	bool is_inlined;
	bool is_unnamed;
	bool is_kernel;
	const void *note; /* see model_place_note */
};

/* A stack, innermost first, inlined calls as frames of their own. Stacks with the same frames are
 * one. */
struct stack {
	uint32_t index;
	uint64_t id;    /* of the first definition */
	uint16_t flags; /* enum event_stack_flag */
	uint32_t place_count;
	const struct place **places;
	const uint64_t *frames; /* one per place; the same value for inlined calls */
	uint32_t skip;          /* see model_stack_skip */
};

struct model;

struct model_listener;

struct model_options {
	uint64_t min_wait_ns; /* keep waits from this length; UINT64_MAX: as the recording says */
	void (*progress)(void *context, double part); /* 0..1; may be NULL */
	void *context;
	/* Is told what the pass meets, as by model_replay of the whole; may be NULL. It saves
	 * reading all again. Threads are not complete then but for their index, and waits are not
	 * yet numbered. */
	const struct model_listener *listener;
};

int model_new(struct model **ret, struct recording *recording, const struct model_options *options);
void model_free(struct model *model); /* NULL is fine */

uint64_t model_start_ns(const struct model *model);
uint64_t model_end_ns(const struct model *model);
uint64_t model_min_wait_ns(const struct model *model);      /* shortest wait that has evidence */
uint64_t model_sample_period_ns(const struct model *model); /* 0: no samples were taken */
unsigned int model_cpu_count(const struct model *model);
struct recording *model_recording(const struct model *model);
bool model_has_targets(const struct model *model); /* it was made for some threads only */

/* The value of a META event ("host", "kernel", "command", ...); NULL if there is none. */
const char *model_meta(const struct model *model, const char *name);
size_t model_meta_count(const struct model *model);
void model_meta_at(const struct model *model, size_t i, const char **ret_name,
		   const char **ret_value);

size_t model_process_count(const struct model *model);
struct process *model_process(const struct model *model, size_t i);
size_t model_thread_count(const struct model *model);
struct thread *model_thread(const struct model *model, size_t i);
/* The thread that had TID at TIME_NS; NULL if none is known. */
struct thread *model_thread_at(const struct model *model, uint32_t tid, uint64_t time_ns);

size_t model_wait_count(const struct model *model); /* kept ones, in the order of end_ns */
const struct wait *model_wait(const struct model *model, size_t i);
size_t model_sample_count(const struct model *model);
const struct sample *model_sample(const struct model *model, size_t i);

/* Spans and calls, for who needs them in any order: 32 bytes each, read once when first asked for.
 * (call.h gives them in order without keeping them.) Returns 0, or a negative errno with a sentence. */
int model_read_spans(struct model *model);
/* What was read; 0 before. */
size_t model_span_count(const struct model *model);
struct span model_span(const struct model *model, size_t i);

/* The stack an event's id names; NULL for id 0 or one that is not defined. Names are made on first
 * use. */
const struct stack *model_stack(struct model *model, uint64_t id);
/* All stacks, by their index. */
size_t model_stack_count(const struct model *model);
const struct stack *model_stack_at(struct model *model, size_t i);

/*
 * Kernel stacks as a reader wants them: the recorder's own hook, and the scheduler right below it,
 * are skipped. Returns how many innermost places to skip.
 */
static inline uint32_t model_stack_skip(const struct stack *stack)
{
	return stack->skip;
}

/* True if an interrupt did what the stack shows. A soft interrupt that a thread runs on its way out
 * of the network code is the thread's own work: that is how a packet goes over loopback. */
bool model_stack_is_interrupt(struct model *model, uint64_t id);

/*
 * A pointer that belongs to whoever reads meaning from the names of functions, so that each place
 * is looked up once: NULL at first, never read by the model. src/analysis/category.c keeps rows of
 * its table there.
 */
static inline const void **model_place_note(const struct place *place)
{
	return (const void **)&place->note;
}

/*
 * Who held what a wait was for: the owner of the kernel lock, else of the futex. A futex word holds
 * a tid as the program sees it: in a pid namespace of its own, only threads of the same process are
 * told from it. NULL: no owner, or not known.
 */
struct thread *model_wait_owner(const struct model *model, const struct wait *wait);

/* File and socket definitions; NULL if unknown. */
const struct event_file *model_file(const struct model *model, uint64_t id);
const struct event_socket *model_socket(const struct model *model, uint64_t id);
/* All sockets, in no order: NULL after the last. *AT is 0 at first. */
const struct event_socket *model_socket_next(const struct model *model, size_t *at);
/* "/var/log/x" or "tcp 10.0.0.1:80 > 10.0.0.2:5000" or "unix @x" or "futex 0x7f.."; "" if unknown.
 * Written into TEXT, cut to SIZE. Returns TEXT. */
char *model_object_text(const struct model *model, const struct event_wait *evidence, char *text,
			size_t size);
const char *model_syscall_name(int number); /* NULL: unknown */

size_t model_loss_count(const struct model *model);
const struct event_loss *model_loss(const struct model *model, size_t i);
uint64_t model_lost_events(const struct model *model); /* sum over all */
size_t model_hook_count(const struct model *model);
const struct event_hook *model_hook(const struct model *model, size_t i);
/* Which cgroups processes were in, as it was told. */
size_t model_cgroup_count(const struct model *model);
const struct event_cgroup *model_cgroup(const struct model *model, size_t i);
size_t model_clock_count(const struct model *model);
const struct event_clock *model_clock(const struct model *model, size_t i);

/* ---- replay: everything in order, nothing kept ---- */

/* Any callback may be NULL. Pointers are good during the call only (threads: as long as the model).
 * Times passed are not decreasing but for run and wait, which are told when they end. */
struct model_listener {
	void *context;
	/* THREAD was on CPU from FROM_NS to TO_NS and left in END_STATE (0: runnable) with switch
	 * FLAGS. is_cut: its true end or start is not known (gap, or edge of the recording). */
	void (*run)(void *context, struct thread *thread, uint16_t cpu, uint64_t from_ns,
		    uint64_t to_ns, uint16_t end_state, uint8_t flags, bool is_cut);
	/* A wait ended; with evidence if there is any. */
	void (*wait)(void *context, const struct wait *wait);
	void (*waking)(void *context, const struct event_waking *event, struct thread *waker,
		       struct thread *wakee);
	void (*sample)(void *context, const struct sample *sample);
	/* Every event of STREAM_SWITCH and STREAM_EVIDENCE, raw, before any of the others. */
	void (*event)(void *context, const struct event_header *event);
};

/*
 * Tells what overlaps the range (of the recording's clock, both ends included): runs are clipped to
 * it, waits are told whole, the others are inside. Runs and waits need all events from the
 * recording's start, whatever the range; with only the event callback set just the range is read.
 * Waits are the same objects as model_wait gives where they are kept. Returns 0, or a negative
 * errno with a sentence.
 */
int model_replay(struct model *model, uint64_t from_ns, uint64_t to_ns,
		 const struct model_listener *listener);

/* The same at the caller's pace: each step takes one event and makes the calls that follow from it.
 * The listener is copied. */
struct model_player;

int model_player_new(struct model_player **ret, struct model *model, uint64_t from_ns,
		     uint64_t to_ns, const struct model_listener *listener);
/* 1, 0 at the end (what was under way is told then), or a negative errno with a sentence. */
int model_player_step(struct model_player *player);
void model_player_free(struct model_player *player); /* NULL is fine */

#endif
