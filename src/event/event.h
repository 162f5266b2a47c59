/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel side and the user side agree on: the kinds of events and their layout.
 *
 * An event is one record: a header that says what it is, how long it is and when it happened, then
 * the fields of its struct, then (for some kinds) a tail of text, frames or bytes up to
 * header.size. It has one layout. What a probe wrote into a log is, byte for byte, what a chunk of
 * a recording gives back; only the commit mark is cleared and the time moved to the recording's
 * clock.
 *
 * Rules, checked by tests/unit/test_schema.c:
 *   - a kind's number is never reused; fields are only added at a struct's end, or in place of
 *     padding (FIELD_SINCE in schema.c says what older recordings mean); padding has a name;
 *   - every struct is a multiple of 8 bytes, and schema.c describes each of its bytes.
 *
 * This header is read by the BPF compiler too: fixed-width __u types only, no includes but the
 * guard.
 */
#ifndef DASHCAM_EVENT_EVENT_H
#define DASHCAM_EVENT_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* number on disk, struct and constant name, NAME, what one event says */
#define EVENT_KINDS(X)                                                                             \
	X(1, switch, SWITCH, "a CPU went from one thread to another")                              \
	X(2, waking, WAKING, "a thread was made runnable")                                         \
	X(3, resume, RESUME, "a thread was found running whose switch-in had not been seen")       \
	X(4, wait, WAIT, "evidence: what a long wait was about")                                   \
	X(5, sample, SAMPLE, "what a CPU was doing at a tick of the sampling clock")               \
	X(6, stack, STACK, "defines a stack id: its frames")                                       \
	X(7, raw_kernel_stack, RAW_KERNEL_STACK, "in logs only: kernel addresses of a stack")      \
	X(8, raw_user_stack, RAW_USER_STACK, "in logs only: registers and a copy of a user stack") \
	X(9, raw_user_frames, RAW_USER_FRAMES, "in logs only: user addresses by frame pointers")   \
	X(10, file, FILE, "defines a file id: device, inode, path")                                \
	X(11, socket, SOCKET, "defines a socket id: family, addresses, ports")                     \
	X(12, fork, FORK, "a thread or process was born")                                          \
	X(13, exec, EXEC, "a process began another program")                                       \
	X(14, exit, EXIT, "a thread ended")                                                        \
	X(15, rename, RENAME, "a thread changed its name")                                         \
	X(16, thread, THREAD, "a thread that was alive when the recorder first looked")            \
	X(17, mapping, MAPPING, "a process mapped code")                                           \
	X(18, module, MODULE, "defines a module id: a file with code, the kernel, a JIT")          \
	X(19, frame, FRAME, "defines a frame: its function and source line")                       \
	X(20, meta, META, "a fact about the recording: name and value")                            \
	X(21, hook, HOOK, "a kernel hook: whether it worked, and what is missing without it")      \
	X(22, clock, CLOCK, "the same moment on the clocks of the machine")                        \
	X(23, loss, LOSS, "events that were lost")                                                 \
	X(24, kind_info, KIND_INFO, "the event table: one kind")                                   \
	X(25, field_info, FIELD_INFO, "the event table: one field of a kind")                      \
	X(26, signal, SIGNAL, "a signal was sent")                                                 \
	X(27, irq, IRQ, "interrupts took a CPU from a thread")                                     \
	X(28, disk, DISK, "a disk request was completed")                                          \
	X(29, reclaim, RECLAIM, "a thread freed memory before it got some")                        \
	X(30, tcp_state, TCP_STATE, "the state of a TCP connection when a wait for it ended")      \
	X(31, retransmit, RETRANSMIT, "TCP sent something again")                                  \
	X(32, span_name, SPAN_NAME, "defines a span's name: the function it stands for")           \
	X(33, span, SPAN, "a thread was inside a function that the user named")                    \
	X(34, cgroup, CGROUP, "which cgroup a process is in, and its limits")                      \
	X(35, steal, STEAL, "the hypervisor ran something else on a CPU")                          \
	X(36, call, CALL, "a call of a traced function, from entry to return")                     \
	X(37, call_count, CALL_COUNT, "calls of a function that were counted, not written")        \
	X(38, call_value, CALL_VALUE, "arguments of a call, or what it returned")                  \
	X(39, raw_call_value, RAW_CALL_VALUE, "in logs only: values of a call as they were read")

enum event_kind {
	EVENT_NONE = 0,
#define X(number, name, NAME, says) EVENT_##NAME = number,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_LIMIT, /* one more than the highest number */
};

#define EVENT_COMM_SIZE     16    /* the kernel's TASK_COMM_LEN: 15 characters and a NUL */
#define EVENT_SIZE_MAX      20480 /* no event is longer, header and tail included */
#define EVENT_FRAMES_MAX    127   /* frames of one stack */
#define EVENT_USER_COPY_MAX 16384 /* bytes of user stack copied with one raw_user_stack */

struct event_header {
	__u32 mark;    /* in a log: commit mark (see log.h); on disk: 0 */
	__u16 kind;    /* enum event_kind */
	__u16 size;    /* bytes, header and tail included; a multiple of 8 */
	__u64 time_ns; /* in a log: CLOCK_MONOTONIC; on disk: CLOCK_BOOTTIME; of tables: when
			  written */
};

/* system call number when the thread is not in one (fault, interrupt, kernel thread) */
#define EVENT_NO_SYSCALL (-1)

/* ---- the switch log: 32 bytes each ---- */

enum event_switch_flag {
	EVENT_SWITCH_YIELD = 1,     /* prev was runnable and had called sched_yield */
	EVENT_SWITCH_THROTTLED = 2, /* prev was runnable and its cgroup's CPU quota was spent */
};

struct event_switch {
	struct event_header header;
	__u32 prev_tid; /* 0: the idle task */
	__u32 next_tid;
	__u16 prev_state; /* task state as sched_switch gives it, low 16 bits; 0: runnable */
	__u16 cpu;
	__u8 next_prio;     /* kernel priority: 0..99 real time, 100..139 fair */
	__u8 flags;         /* enum event_switch_flag */
	__s16 prev_syscall; /* that prev blocked in; EVENT_NO_SYSCALL: none, or it was runnable */
};

enum event_waking_flag {
	EVENT_WAKING_NEW = 1, /* the thread's first wake-up, right after its birth */
};

struct event_waking {
	struct event_header header;
	__u32 waker_tid; /* the thread running on this CPU; 0: idle, so an interrupt woke it */
	__u32 wakee_tid;
	__u16 cpu;        /* where the waker ran */
	__u16 target_cpu; /* where the wakee last ran */
	__u8 wakee_prio;
	__u8 flags; /* enum event_waking_flag */
	__u16 reserved;
};

struct event_resume {
	struct event_header
		header; /* time_ns: when this was noticed, at the thread's next switch-out */
	__u32 tid;
	__u16 cpu;
	__u16 reserved;
	__u64 ran_ns; /* how long the thread had been on the CPU by then */
};

/* ---- the evidence log ---- */

enum event_object_kind {
	EVENT_OBJECT_NONE = 0,
	EVENT_OBJECT_FILE = 1,
	EVENT_OBJECT_SOCKET = 2
};

enum event_wait_flag {
	EVENT_WAIT_DEGRADED = 1,   /* taken at switch-in, so without a user stack */
	EVENT_WAIT_WAKER_LATE = 2, /* the wake-up was not seen: blocked_ns holds the whole wait */
	EVENT_WAIT_KERNEL_THREAD = 4, /* a kernel thread: it has no user side */
	EVENT_WAIT_WAKER_IRQ = 8, /* an interrupt woke it: the waker only happened to run there */
	EVENT_WAIT_OPEN = 32, /* it had not ended when the recording did */
	EVENT_WAIT_NO_USER_COPY = 16, /* the user stack could not be read (paged out) */
};

struct event_wait {
	struct event_header header; /* time_ns: when the thread was on a CPU again */
	__u64 blocked_ns;           /* switch-out to wake-up; 0 for a thread that stayed runnable */
	__u64 runnable_ns;          /* wake-up (or switch-out) to switch-in */
	__u32 tid;
	__u32 pid;
	__u16 prev_state; /* as in event_switch, when it left the CPU */
	__u16 cpu;        /* where it resumed */
	__u16 flags;      /* enum event_wait_flag */
	__s16 syscall;    /* number, or EVENT_NO_SYSCALL */
	__u64 args[6];    /* of the system call */
	__u64 kernel_stack;
	__u64 user_stack;
	__u64 waker_kernel_stack;
	__u64 waker_user_stack;
	__u32 waker_tid;
	__u32 waker_pid;
	__u64 object; /* id of a file or socket event */
	__u32 object_kind;
	__s32 descriptor; /* the descriptor argument, -1 if the call has none */
	__u64 futex_address;
	__u32 futex_owner_tid; /* as the program wrote it: in its own pid namespace; 0: unknown */
	__u32 lock_owner_tid;  /* owner of the kernel lock; 0: unknown */
	__u64 lock_address;
	__u32 lock_flags; /* of lock:contention_begin: 1 spin 2 read 4 write 8 rt 16 percpu 32 mutex
			   */
	__u32 reserved;
	__u64 waker_socket; /* id of the socket event of what the waker was sending to; 0: none */
	__u64 timeout_ns; /* how long the program asked to wait at most; 0: no limit, no such call,
			     not readable */
};

enum event_sample_flag {
	EVENT_SAMPLE_KERNEL = 1,        /* the tick found kernel code running */
	EVENT_SAMPLE_KERNEL_THREAD = 2, /* of a kernel thread */
	EVENT_SAMPLE_NO_USER_COPY = 4,  /* the user stack could not be read */
};

struct event_sample {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	__u16 cpu;
	__u16 flags; /* enum event_sample_flag */
	__s16 syscall;
	__u16 reserved;
	__u64 period_ns; /* CPU time one sample stands for */
	__u64 kernel_stack;
	__u64 user_stack;
};

enum event_irq_class {
	EVENT_IRQ_DEVICE = 0, /* a device's own; on machines other than x86 also timers */
	EVENT_IRQ_TIMER = 1,  /* the CPU's timer */
	EVENT_IRQ_IPI = 2,    /* another CPU asked for something */
	EVENT_IRQ_WORK = 3,   /* work that the kernel put off until interrupts were allowed */
	EVENT_IRQ_CLASSES = 4,
};

#define EVENT_SOFTIRQS 10 /* of the kernel: HI 0, TIMER, NET_TX, NET_RX, BLOCK, ... RCU 9 */

/* What interrupts took from one thread while it had its CPU, from from_ns to header.time_ns. */
struct event_irq {
	struct event_header header; /* time_ns: until when */
	__u64 from_ns;
	__u32 tid; /* whose CPU time it was */
	__u16 cpu;
	__u16 device_irq; /* number of the device interrupt that was seen last */
	__u32 hard_count[EVENT_IRQ_CLASSES];
	__u64 hard_ns[EVENT_IRQ_CLASSES]; /* in the handlers; what the CPU itself takes is besides:
					     fact irq_hidden_ns for each */
	__u32 soft_count[EVENT_SOFTIRQS];
	__u64 soft_ns[EVENT_SOFTIRQS]; /* without the hard ones nested in them */
};

struct event_steal {
	struct event_header header; /* time_ns: until when */
	__u64 from_ns;
	__u64 stolen_ns; /* of the time since from_ns; the kernel counts it in ticks */
	__u16 cpu;
	__u16 reserved[3];
};

enum event_stack_flag {
	EVENT_STACK_USER = 1,      /* user frames; else kernel frames */
	EVENT_STACK_TRUNCATED = 2, /* deeper than was copied or than EVENT_FRAMES_MAX */
	EVENT_STACK_BROKEN = 4,    /* the unwinder lost its way: outer frames are missing */
	EVENT_STACK_POINTERS =
		8, /* walked by frame pointers: callers of libraries may be missing */
	EVENT_STACK_SKIPPED = 16, /* the copy was dropped before it was unwound */
};

/*
 * A frame says where without saying where it was loaded: module id in the top 16 bits, offset
 * below. The offset is the module's own address (as in its ELF symbol table), for the kernel the
 * address minus EVENT_KERNEL_BASE, for a JIT module and for module 0 (unknown) the plain address.
 * A frame always lies inside the instruction that was running: where a call returns to, the offset
 * is the return address minus 1, inside the call. So a frame can be named without knowing its
 * depth.
 */
#define EVENT_FRAME(module, offset) (((__u64)(module) << 48) | ((offset)&0xffffffffffffULL))
#define EVENT_FRAME_MODULE(frame)   ((__u32)((frame) >> 48))
#define EVENT_FRAME_OFFSET(frame)   ((frame)&0xffffffffffffULL)
#define EVENT_MODULE_UNKNOWN        0
#define EVENT_MODULE_KERNEL         1
#define EVENT_KERNEL_BASE           0xffff800000000000ULL

/* flexible tails: innermost first */
struct event_stack {
	struct event_header header;
	__u64 id;
	__u32 pid; /* whose it was first; 0 for kernel stacks */
	__u16 flags;
	__u16 frame_count;
	__u64 frames[];
};

struct event_raw_kernel_stack {
	struct event_header header;
	__u64 id;
	__u32 frame_count;
	__u32 reserved;
	__u64 addresses[];
};

/* user registers in the numbering of the x86-64 DWARF ABI (0 rax 1 rdx 2 rcx 3 rbx 4 rsi 5 rdi 6
 * rbp 7 rsp 8..15 r8..r15 16 return address = rip); other machines: their own DWARF numbers */
#define EVENT_USER_REGS 17

struct event_raw_user_stack {
	struct event_header header;
	__u64 id;
	__u32 tid;
	__u32 pid;
	__u32 copy_bytes; /* of the stack, from the stack pointer up */
	__u32 flags; /* enum event_stack_flag: TRUNCATED if the stack is deeper than the copy */
	__u64 regs[EVENT_USER_REGS];
	__u8 copy[];
};

struct event_raw_user_frames {
	struct event_header header;
	__u64 id;
	__u32 pid;
	__u32 frame_count;
	__u64 addresses[];
};

struct event_file {
	struct event_header header;
	__u64 id;
	__u64 inode;
	__u32 device; /* major << 20 | minor, as the kernel keeps it */
	__u32 mode;   /* st_mode */
	__u32 pid;    /* whose descriptor it was */
	__s32 descriptor;
	char path[]; /* NUL-terminated; the last name only where the path could not be had */
};

struct event_socket {
	struct event_header header;
	__u64 id;
	__u16 family;      /* AF_ */
	__u16 type;        /* SOCK_ */
	__u16 protocol;    /* IPPROTO_ */
	__u16 local_port;  /* host byte order */
	__u16 remote_port; /* host byte order */
	__u16 state;       /* TCP_ state number */
	__u32 pid;
	__u8 local_address[16]; /* IPv4 in the first four */
	__u8 remote_address[16];
	char path[]; /* unix sockets: NUL-terminated; abstract names begin with @ */
};

struct event_fork {
	struct event_header header;
	__u32 parent_tid;
	__u32 parent_pid;
	__u32 tid;
	__u32 pid; /* equals parent_pid: a thread; else a process */
	char comm[EVENT_COMM_SIZE];
	__u32 ns_tid; /* its tid inside its own pid namespace */
	__u32 reserved;
};

struct event_exec {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	__u32 old_tid; /* differs from tid when another thread than the leader called exec */
	__u32 reserved;
	char comm[EVENT_COMM_SIZE];
	char cmdline[]; /* arguments with spaces between, NUL-terminated, cut at 255 */
};

struct event_exit {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	__u32 exit_code;     /* wait(2) status word */
	__u32 process_ended; /* 1: this was the last thread */
};

struct event_rename {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	char comm[EVENT_COMM_SIZE];
};

struct event_signal {
	struct event_header header;
	__u32 sender_tid;
	__u32 sender_pid;
	__u32 target_tid;
	__u32 target_pid;
	__s32 number;
	__s32 code;           /* si_code: 0 kill, -6 tgkill, 128 the kernel; above 0 a fault */
	__u32 is_for_process; /* 0: for the one thread */
	__u32 result; /* 0 delivered, 1 ignored, 2 already pending, 3 overflow, 4 lost its info */
};

enum event_thread_flag {
	EVENT_THREAD_KERNEL = 1,
};

enum event_disk_flag {
	EVENT_DISK_SYNC = 1,  /* somebody waits for it: REQ_SYNC */
	EVENT_DISK_META = 2,  /* of the file system itself: REQ_META */
	EVENT_DISK_FLUSH = 4, /* the device's cache is emptied first, or it is all that is done */
	EVENT_DISK_FUA = 8,   /* not done before it is on the medium */
	EVENT_DISK_READAHEAD = 16, /* nobody has asked for it yet */
	EVENT_DISK_THROTTLED = 32, /* a cgroup's limit held it back before it was queued */
};

struct event_disk {
	struct event_header header; /* time_ns: when it was completed */
	__u64 queued_ns;
	__u64 issued_ns; /* when the device got it, the last time; queued_ns if it never did: what
			    only waits for a flush is answered with that */
	__u64 sector;    /* first one, of 512 bytes, on the whole disk */
	__u64 inode;     /* whose content it is; 0: not known, or of no file */
	__u32 size_bytes;
	__u32 device; /* major << 20 | minor, of the partition if it has one */
	__u32 tid;    /* who queued it: for data written behind, a kernel thread */
	__u32 pid;
	__u16 operation; /* enum req_op of the kernel: 0 read, 1 write, 2 flush, 3 discard */
	__u16 flags;     /* enum event_disk_flag */
	__u16 depth; /* requests in flight on the whole disk when it was issued, with itself; 0: it
			never was */
	__u16 cpu;   /* that took the completion */
	__s32 error; /* negative errno */
	__u32 server_tid; /* kernel thread that did its work (disks that are files); 0: a device did */
};

enum event_reclaim_kind {
	EVENT_RECLAIM_DIRECT = 1,     /* the machine had too little free memory */
	EVENT_RECLAIM_CGROUP = 2,     /* a memory cgroup was at its limit */
	EVENT_RECLAIM_COMPACTION = 3, /* pages were moved to get free ones in a row */
};

struct event_reclaim {
	struct event_header header; /* time_ns: when it ended */
	__u64 duration_ns;
	__u64 cgroup; /* id (inode) of the thread's memory cgroup; 0: the whole machine */
	__u64 pages;  /* freed; 0 of a compaction */
	__u32 tid;
	__u32 pid;
	__u32 order; /* it wanted 2^order pages in a row */
	__u32 kind;  /* enum event_reclaim_kind */
};

enum event_tcp_flag {
	EVENT_TCP_NODELAY = 1, /* TCP_NODELAY: small pieces are not held back */
	EVENT_TCP_AT_BEGIN =
		2, /* window, unsent and unacked are those of the moment the wait began */
};

/* Written beside a wait event of the same thread and time. Of a listening socket only the backlogs
 * mean something. */
struct event_tcp_state {
	struct event_header header;
	__u64 socket; /* the wait's object */
	__u32 tid;
	__u32 pid;
	__u32 srtt_us;           /* smoothed round-trip time; 0: not measured yet */
	__u32 send_window_bytes; /* what the peer allows to be in flight */
	__u32 unsent_bytes;      /* written by the program, not yet sent */
	__u32 unacked_bytes;     /* sent, not yet acknowledged */
	__u32 retransmits;       /* of this connection's whole life */
	__u32 backlog;           /* connections that wait for accept */
	__u32 backlog_max;
	__u16 state;             /* TCP_ state number */
	__u16 flags;             /* enum event_tcp_flag */
	__u64 since_received_ns; /* to a tick (1 to 10 ms); 0: within the last one, or never */
	__u64 since_acked_ns;
	__u32 min_rtt_us; /* shortest round trip of the last minutes: unlike srtt_us without the
			     time that the peer held acknowledgements back; 0: not measured yet */
	__u32 reserved;
};

struct event_retransmit {
	struct event_header header;
	__u16 family;           /* AF_ */
	__u16 local_port;       /* host byte order */
	__u16 remote_port;      /* host byte order */
	__u16 state;            /* TCP_ state number: 2 SYN sent, 12 SYN received, 1 established */
	__u8 local_address[16]; /* IPv4 in the first four */
	__u8 remote_address[16];
	__u32 tid; /* who waited for the socket last; 0: not known */
	__u32 pid;
	__u64 socket; /* its id, as waits carry it; 0: not known */
};

/* Written by the user side, time_ns is when it looked. A limit holds for all that is below a
 * cgroup: of those on the way from it to the root the tightest is given. */
struct event_cgroup {
	struct event_header header;
	__u64 id; /* inode of its directory: of the cpu hierarchy (v1), or the only one (v2) */
	__u32 pid;
	__u32 tid;                /* thread that was looked at */
	__u64 quota_us;           /* CPU time for each period; 0: no limit */
	__u64 period_us;          /* 0: no limit */
	__u64 memory_limit_bytes; /* 0: no limit */
	char text[];              /* path in the cpu hierarchy, NUL, in the memory hierarchy, NUL */
};

struct event_thread {
	struct event_header header;
	__u32 tid;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u64 start_ns; /* CLOCK_BOOTTIME, as /proc/PID/stat gives it (10 ms grain) */
	__u32 flags;    /* enum event_thread_flag */
	__u32 ns_tid;   /* the tid inside its own pid namespace */
	char comm[EVENT_COMM_SIZE];
	char cmdline[]; /* of the process, on its leader; spaces between; NUL-terminated */
};

struct event_mapping {
	struct event_header header;
	__u32 pid;
	__u32 module;
	__u64 start;
	__u64 end;
	__u64 file_offset;
};

enum event_module_kind {
	EVENT_MODULE_FILE = 1,    /* an ELF file */
	EVENT_MODULE_VMLINUX = 2, /* the kernel and its modules */
	EVENT_MODULE_VDSO = 3,
	EVENT_MODULE_JIT =
		4, /* code of one process without a file, perhaps named by /tmp/perf-PID.map */
};

#define EVENT_BUILD_ID_MAX 20

struct event_module {
	struct event_header header;
	__u32 module; /* the id in frames and mappings: 1 the kernel, 2.. in order of appearance */
	__u32 kind;   /* enum event_module_kind */
	__u64 inode;
	__u32 device; /* major << 20 | minor */
	__u32 pid;    /* of a JIT module */
	__u32 build_id_size;
	__u8 build_id[EVENT_BUILD_ID_MAX];
	char path[]; /* NUL-terminated */
};

enum event_frame_flag {
	EVENT_FRAME_INLINED = 1, /* an inlined call inside the frame that follows at depth + 1 */
	EVENT_FRAME_UNNAMED = 2, /* no symbol covers the address: shown as module+offset */
};

/*
 * Places: one event per function at an address. With inlining one frame value has several, depth 0
 * innermost. The text is two NUL-terminated strings: the function, then the source file (may be
 * "").
 */
struct event_frame {
	struct event_header header;
	__u64 frame;
	__u64 offset; /* bytes from the start of the function */
	__u32 line;   /* 0: unknown */
	__u16 depth;
	__u16 flags; /* enum event_frame_flag */
	char text[];
};

enum event_span_name_flag {
	EVENT_NAME_TRACED = 1,     /* a function of -F; else a --span or a marker */
	EVENT_NAME_CHEAP = 2,      /* its probe lies on an instruction that the kernel emulates */
	EVENT_NAME_COSTLY = 4,     /* its probe lies on one that is single-stepped */
	EVENT_NAME_ENTRY_ONLY = 8, /* no probe on its return: its calls end where the next event shows */
	EVENT_NAME_LIBRARY = 16,   /* of another file than the program itself */
};

/* What spans and calls are called: what the user said (--span NAME=BINARY:FUNCTION), or the name of
 * a traced function (with @SONAME behind it if it is of a library). Several may share a NAME. */
struct event_span_name {
	struct event_header header;
	__u32 name;  /* the id that spans and calls carry, from 1 on */
	__u32 flags; /* enum event_span_name_flag */
	char text[]; /* NAME, NUL, BINARY:FUNCTION, NUL */
};

enum event_span_flag {
	EVENT_SPAN_OPEN = 1,   /* it had not returned: time_ns is when it was seen last */
	EVENT_SPAN_BROKEN = 2, /* its return was not seen (longjmp, exception, no probe there): time_ns
				  is when it was noticed that it had ended, at the thread's next event */
	EVENT_SPAN_INHERITED = 4, /* called before the thread was forked, by its parent: start_ns is
				     the birth */
	EVENT_SPAN_SUMMED = 8, /* calls inside it were counted (call_count), not written */
	EVENT_SPAN_EXEC = 16,  /* with OPEN: the process began another program inside of it */
};

/* From the call of a function to its return. Calls of the same function from inside it belong to
 * it: they are no spans of their own. */
struct event_span {
	struct event_header header; /* time_ns: its end */
	__u64 start_ns;
	__u32 tid;
	__u32 pid;
	__u32 name;  /* id of a span_name event */
	__u16 depth; /* how many spans of the thread are around it */
	__u16 flags; /* enum event_span_flag */
};

/* ---- the call log: 32 bytes each ---- */

/* A span of less than 4.3 s in the form that costs least. A longer one is a span event, with the same
 * name and depth. Calls of a function from inside itself are calls of their own. */
struct event_call {
	struct event_header header; /* time_ns: its end */
	__u32 tid;
	__u32 duration_ns;
	__u32 name;  /* id of a span_name event */
	__u16 depth; /* how many calls and spans of the thread are around it */
	__u16 flags; /* enum event_span_flag */
};

/*
 * Calls that were counted by the kernel side since the start, not written one by one (--min-time,
 * --max-rate); one event for each function that has any, at the recording's end. What a
 * function took in all is its calls, spans and these:
 *	calls = written + calls
 *	total = written ones that are not inside another call of the function + total_ns
 *	self = written - written ones right inside of them - hidden_ns + self_ns
 */
struct event_call_count {
	struct event_header header; /* time_ns: when it was read */
	__u32 name;                 /* id of a span_name event */
	__u32 reserved;
	__u64 calls;
	__u64 total_ns;  /* of those not inside another call of the same function */
	__u64 self_ns;   /* without what was traced inside of them */
	__u64 max_ns;    /* the longest of them */
	__u64 hidden_ns; /* of counted calls inside written calls of this function, and not inside of
			    written ones in between */
	__u64 since_ns;  /* it went above --max-rate: calls were no longer written; 0: it did not */
};

enum event_value_flag {
	EVENT_VALUE_RESULT = 1, /* what the call returned; else its arguments */
	EVENT_VALUE_CUT = 2,    /* a text or bytes were longer */
};

/* What was passed to a call (time_ns: its start), or came back (time_ns: its end). */
struct event_call_value {
	struct event_header header;
	__u32 tid;
	__u32 name;     /* id of a span_name event */
	__u64 start_ns; /* of the call: with tid and name it tells which one */
	__u32 flags;    /* enum event_value_flag */
	__u32 reserved;
	char text[]; /* "path=\"/etc/hosts\", flags=2", NUL, "", NUL */
};

#define EVENT_VALUES_MAX      12  /* of one function, its result included */
#define EVENT_VALUE_TEXTS_MAX 6   /* texts and bytes among the arguments of one call */
#define EVENT_VALUE_BYTES_MAX 128 /* of a text or of bytes */

/* What an address led to. */
struct event_value_text {
	__s32 size; /* bytes that were read, a text's NUL included; negative errno: not readable */
	char bytes[EVENT_VALUE_BYTES_MAX + 4];
};

/* A call_value before it is written down: the user side knows what the words mean. */
struct event_raw_call_value {
	struct event_header header; /* as in call_value */
	__u32 tid;
	__u32 name; /* id of a span_name event */
	__u64 start_ns;
	__u32 flags; /* enum event_value_flag */
	__u32 text_count;
	__u64 words[EVENT_VALUES_MAX];   /* registers, or words of the stack */
	struct event_value_text texts[]; /* of the addresses among them, in their order */
};

struct event_meta {
	struct event_header header;
	char text[]; /* name, NUL, value, NUL */
};

enum event_hook_status {
	EVENT_HOOK_WORKS = 1,
	EVENT_HOOK_FALLBACK = 2,
	EVENT_HOOK_MISSING = 3
};

/* For event_hook.error (ECANCELED): the user did not want it. */
#define EVENT_HOOK_LEFT_OUT 125

struct event_hook {
	struct event_header header;
	__u32 status; /* enum event_hook_status */
	__s32 error;  /* errno that refused it, or EVENT_HOOK_LEFT_OUT; 0 if none */
	char text[];  /* hook, NUL, what it gives (or what is missing without it), NUL */
};

struct event_clock {
	struct event_header header; /* time_ns: CLOCK_BOOTTIME */
	__u64 monotonic_ns;
	__u64 realtime_ns;
};

enum event_log {
	EVENT_LOG_SWITCH = 0,
	EVENT_LOG_EVIDENCE = 1,
	EVENT_LOG_CALL = 2, /* only where functions are traced */
	EVENT_LOG_KINDS = 3
};

/* number on disk, NAME, what was lost (NULL: events of the log), why */
#define EVENT_LOSS_REASONS(X)                                                                      \
	X(1, OVERWRITTEN, NULL, "the log was overwritten before it was read")                      \
	X(2, RECURSION, NULL, "the kernel skipped a program that would have nested in itself")     \
	X(3, SIDE_BAND, "mapping", "mapping records that perf dropped")                            \
	X(4, UNWIND, "stack", "stack copies dropped because unwinding lagged behind")              \
	X(5, SLOT, "wait", "two threads shared a slot")                                            \
	X(6, UNSEEN, "wait", "a thread took its CPU where no program runs, so nobody looked")      \
	X(7, SPAN, "span", "no room: too many spans inside each other, or threads with spans")     \
	X(8, UNSEEN_DISK, "disk", "a disk request ended where no program runs, so nobody looked")

enum event_loss_reason {
#define X(number, NAME, what, why) EVENT_LOSS_##NAME = number,
	EVENT_LOSS_REASONS(X)
#undef X
};

struct event_loss {
	struct event_header header; /* time_ns: when it was noticed */
	__u64 from_ns;              /* what was lost lies in [from_ns, to_ns] */
	__u64 to_ns;
	__u64 events; /* how many, exactly */
	__u16 cpu;    /* 0xffff: not of one CPU */
	__u16 log;    /* enum event_log */
	__u32 reason; /* enum event_loss_reason */
};

#define EVENT_ANY_CPU 0xffff

struct event_kind_info {
	struct event_header header;
	__u32 kind;
	__u32 fixed_size; /* of the struct, without the tail */
	char text[];      /* name, NUL, what it says, NUL */
};

struct event_field_info {
	struct event_header header;
	__u32 kind;
	__u16 offset;
	__u16 size;    /* of one element; 0: the tail */
	__u16 count;   /* elements of a fixed array; 1 */
	__u16 meaning; /* enum event_meaning of schema.h */
	__u32 is_signed;
	char text[]; /* name, NUL, help, NUL */
};

#endif
