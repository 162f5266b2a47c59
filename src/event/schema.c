/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/schema.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The sign of a field is that of its type: -1 converted to it is negative or not. Arrays give
 * theirs. */
#define MEMBER(kind, member) (((struct event_##kind *)0)->member)

#define FIELD(kind, member, what, text)                                                            \
	{                                                                                          \
		.name = #member, .help = text, .offset = offsetof(struct event_##kind, member),    \
		.size = sizeof(MEMBER(kind, member)), .count = 1, .meaning = what,                 \
		.is_signed = (__typeof__(MEMBER(kind, member)))-1 < 1                              \
	}
/* A field whose value in an older recording, which does not have it, is not 0. */
#define FIELD_SINCE(kind, member, what, value, text)                                               \
	{                                                                                          \
		.name = #member, .help = text, .offset = offsetof(struct event_##kind, member),    \
		.size = sizeof(MEMBER(kind, member)), .count = 1, .meaning = what,                 \
		.is_signed = (__typeof__(MEMBER(kind, member)))-1 < 1, .if_absent = value          \
	}
#define FIELD_ARRAY(kind, member, what, text)                                                      \
	{                                                                                          \
		.name = #member, .help = text, .offset = offsetof(struct event_##kind, member),    \
		.size = sizeof(MEMBER(kind, member)[0]),                                           \
		.count = ARRAY_SIZE(MEMBER(kind, member)), .meaning = what                         \
	}
#define FIELD_TAIL(kind, member, what, text)                                                       \
	{                                                                                          \
		.name = #member, .help = text, .offset = offsetof(struct event_##kind, member),    \
		.size = 0, .count = 1, .meaning = what                                             \
	}

static const struct event_field switch_fields[] = {
	FIELD(switch, prev_tid, MEANING_TID, "thread that left the CPU; 0 is the idle task"),
	FIELD(switch, next_tid, MEANING_TID, "thread that took the CPU; 0 is the idle task"),
	FIELD(switch, prev_state, MEANING_STATE, "state of the one that left; 0 is runnable"),
	FIELD(switch, cpu, MEANING_CPU, "the CPU"),
	FIELD(switch, next_prio, MEANING_COUNT,
	      "kernel priority: 0 to 99 real time, 100 to 139 fair"),
	FIELD(switch, flags, MEANING_FLAGS,
	      "1 it had called sched_yield, 2 its CPU quota was spent"),
	FIELD_SINCE(
		switch, prev_syscall, MEANING_SYSCALL, EVENT_NO_SYSCALL,
		"system call that the one that left blocked in; -1 is none, or it was runnable"),
};

static const struct event_field waking_fields[] = {
	FIELD(waking, waker_tid, MEANING_TID, "thread on this CPU; 0 is idle: an interrupt did it"),
	FIELD(waking, wakee_tid, MEANING_TID, "thread made runnable"),
	FIELD(waking, cpu, MEANING_CPU, "where the waker ran"),
	FIELD(waking, target_cpu, MEANING_CPU, "where the woken thread last ran"),
	FIELD(waking, wakee_prio, MEANING_COUNT, "kernel priority of the woken thread"),
	FIELD(waking, flags, MEANING_FLAGS, "1 the thread was just born"),
	FIELD(waking, reserved, MEANING_RESERVED, ""),
};

static const struct event_field resume_fields[] = {
	FIELD(resume, tid, MEANING_TID, "thread whose switch-in was not seen"),
	FIELD(resume, cpu, MEANING_CPU, "the CPU"),
	FIELD(resume, reserved, MEANING_RESERVED, ""),
	FIELD(resume, ran_ns, MEANING_DURATION_NS, "how long it had been on the CPU"),
};

static const struct event_field wait_fields[] = {
	FIELD(wait, blocked_ns, MEANING_DURATION_NS, "switch-out to wake-up"),
	FIELD(wait, runnable_ns, MEANING_DURATION_NS, "wake-up to switch-in: run-queue delay"),
	FIELD(wait, tid, MEANING_TID, "thread that waited"),
	FIELD(wait, pid, MEANING_PID, "its process"),
	FIELD(wait, prev_state, MEANING_STATE, "its state while it waited; 0 is runnable"),
	FIELD(wait, cpu, MEANING_CPU, "where it resumed"),
	FIELD(wait, flags, MEANING_FLAGS,
	      "1 no user stack could be taken, 2 wake-up not seen, 4 kernel thread, 8 woken by an "
	      "interrupt, 16 user stack not readable, 32 not ended when the recording did"),
	FIELD(wait, syscall, MEANING_SYSCALL, "system call it was in; -1 is none"),
	FIELD_ARRAY(wait, args, MEANING_ADDRESS, "arguments of the system call"),
	FIELD(wait, kernel_stack, MEANING_STACK, "kernel stack of the wait"),
	FIELD(wait, user_stack, MEANING_STACK, "user stack of the wait"),
	FIELD(wait, waker_kernel_stack, MEANING_STACK, "kernel stack of the one that woke it"),
	FIELD(wait, waker_user_stack, MEANING_STACK, "user stack of the one that woke it"),
	FIELD(wait, waker_tid, MEANING_TID, "thread that woke it; 0 is idle: an interrupt did it"),
	FIELD(wait, waker_pid, MEANING_PID, "process of the waker"),
	FIELD(wait, object, MEANING_OBJECT, "file or socket behind the descriptor"),
	FIELD(wait, object_kind, MEANING_COUNT, "0 none, 1 file, 2 socket"),
	FIELD(wait, descriptor, MEANING_COUNT, "descriptor argument; -1 is none"),
	FIELD(wait, futex_address, MEANING_ADDRESS, "address of the futex waited for"),
	FIELD(wait, futex_owner_tid, MEANING_TID, "owner of the futex, read when the wait began"),
	FIELD(wait, lock_owner_tid, MEANING_TID, "owner of the kernel lock"),
	FIELD(wait, lock_address, MEANING_ADDRESS, "address of the kernel lock"),
	FIELD(wait, lock_flags, MEANING_FLAGS,
	      "1 spin, 2 read, 4 write, 8 rt, 16 percpu, 32 mutex"),
	FIELD(wait, reserved, MEANING_RESERVED, ""),
	FIELD(wait, waker_socket, MEANING_OBJECT,
	      "id of the socket that the waker was sending to or reading from; 0 is none"),
	FIELD(wait, timeout_ns, MEANING_DURATION_NS,
	      "how long it asked to wait at most; 0 is no limit, not such a call, or not readable"),
};

static const struct event_field sample_fields[] = {
	FIELD(sample, tid, MEANING_TID, "thread on the CPU"),
	FIELD(sample, pid, MEANING_PID, "its process"),
	FIELD(sample, cpu, MEANING_CPU, "the CPU"),
	FIELD(sample, flags, MEANING_FLAGS, "1 in kernel code, 2 kernel thread, 4 no user stack"),
	FIELD(sample, syscall, MEANING_SYSCALL, "system call it was in; -1 is none"),
	FIELD(sample, reserved, MEANING_RESERVED, ""),
	FIELD(sample, period_ns, MEANING_DURATION_NS, "CPU time one sample stands for"),
	FIELD(sample, kernel_stack, MEANING_STACK, "kernel stack; 0 is none"),
	FIELD(sample, user_stack, MEANING_STACK, "user stack; 0 is none"),
};

static const struct event_field stack_fields[] = {
	FIELD(stack, id, MEANING_STACK, "the id that other events carry"),
	FIELD(stack, pid, MEANING_PID, "process it was first seen in; 0 for kernel stacks"),
	FIELD(stack, flags, MEANING_FLAGS,
	      "1 user, 2 truncated, 4 broken, 8 walked by frame pointers, 16 not unwound"),
	FIELD(stack, frame_count, MEANING_COUNT, "number of frames"),
	FIELD_TAIL(stack, frames, MEANING_FRAMES,
		   "module (16 bits) and offset (48 bits), innermost first"),
};

static const struct event_field raw_kernel_stack_fields[] = {
	FIELD(raw_kernel_stack, id, MEANING_STACK, "the id that other events carry"),
	FIELD(raw_kernel_stack, frame_count, MEANING_COUNT, "number of addresses"),
	FIELD(raw_kernel_stack, reserved, MEANING_RESERVED, ""),
	FIELD_TAIL(raw_kernel_stack, addresses, MEANING_FRAMES,
		   "kernel addresses, innermost first"),
};

static const struct event_field raw_user_stack_fields[] = {
	FIELD(raw_user_stack, id, MEANING_STACK, "the id that other events carry"),
	FIELD(raw_user_stack, tid, MEANING_TID, "the thread"),
	FIELD(raw_user_stack, pid, MEANING_PID, "its process"),
	FIELD(raw_user_stack, copy_bytes, MEANING_BYTES, "bytes copied, from the stack pointer up"),
	FIELD(raw_user_stack, flags, MEANING_FLAGS, "2 the stack is deeper than the copy"),
	FIELD_ARRAY(raw_user_stack, regs, MEANING_ADDRESS, "registers by their DWARF numbers"),
	FIELD_TAIL(raw_user_stack, copy, MEANING_BINARY, "the copy"),
};

static const struct event_field raw_user_frames_fields[] = {
	FIELD(raw_user_frames, id, MEANING_STACK, "the id that other events carry"),
	FIELD(raw_user_frames, pid, MEANING_PID, "the process"),
	FIELD(raw_user_frames, frame_count, MEANING_COUNT, "number of addresses"),
	FIELD_TAIL(raw_user_frames, addresses, MEANING_FRAMES, "user addresses, innermost first"),
};

static const struct event_field file_fields[] = {
	FIELD(file, id, MEANING_OBJECT, "the id that waits carry"),
	FIELD(file, inode, MEANING_COUNT, "inode number"),
	FIELD(file, device, MEANING_COUNT, "device: major << 20 | minor"),
	FIELD(file, mode, MEANING_MODE, "type and permissions, as st_mode"),
	FIELD(file, pid, MEANING_PID, "process whose descriptor it was"),
	FIELD(file, descriptor, MEANING_COUNT, "the descriptor"),
	FIELD_TAIL(file, path, MEANING_TEXT, "path, or the last name where that was all to be had"),
};

static const struct event_field socket_fields[] = {
	FIELD(socket, id, MEANING_OBJECT, "the id that waits carry"),
	FIELD(socket, family, MEANING_COUNT, "address family: 1 unix, 2 IPv4, 10 IPv6, 16 netlink"),
	FIELD(socket, type, MEANING_COUNT, "1 stream, 2 datagram, 5 seqpacket"),
	FIELD(socket, protocol, MEANING_COUNT, "6 TCP, 17 UDP"),
	FIELD(socket, local_port, MEANING_COUNT, "local port"),
	FIELD(socket, remote_port, MEANING_COUNT, "remote port"),
	FIELD(socket, state, MEANING_COUNT, "TCP state: 1 established, 2 SYN sent, 10 listening"),
	FIELD(socket, pid, MEANING_PID, "process whose descriptor it was"),
	FIELD_ARRAY(socket, local_address, MEANING_BINARY,
		    "local address; IPv4 in the first four bytes"),
	FIELD_ARRAY(socket, remote_address, MEANING_BINARY, "remote address"),
	FIELD_TAIL(socket, path, MEANING_TEXT, "path of a unix socket; @ begins an abstract name"),
};

static const struct event_field fork_fields[] = {
	FIELD(fork, parent_tid, MEANING_TID, "thread that made it"),
	FIELD(fork, parent_pid, MEANING_PID, "its process"),
	FIELD(fork, tid, MEANING_TID, "the new thread"),
	FIELD(fork, pid, MEANING_PID, "the new thread's process: the parent's, or a new one"),
	FIELD_ARRAY(fork, comm, MEANING_TEXT, "name"),
	FIELD(fork, ns_tid, MEANING_TID, "the new thread inside its own pid namespace"),
	FIELD(fork, reserved, MEANING_RESERVED, ""),
};

static const struct event_field exec_fields[] = {
	FIELD(exec, tid, MEANING_TID, "thread that runs the new program: the leader"),
	FIELD(exec, pid, MEANING_PID, "process"),
	FIELD(exec, old_tid, MEANING_TID, "thread that called exec"),
	FIELD(exec, reserved, MEANING_RESERVED, ""),
	FIELD_ARRAY(exec, comm, MEANING_TEXT, "new name"),
	FIELD_TAIL(exec, cmdline, MEANING_TEXT, "arguments, cut at 255 characters"),
};

static const struct event_field exit_fields[] = {
	FIELD(exit, tid, MEANING_TID, "thread that ended"),
	FIELD(exit, pid, MEANING_PID, "its process"),
	FIELD(exit, exit_code, MEANING_COUNT,
	      "wait(2) status: exit status << 8, or a signal number"),
	FIELD(exit, process_ended, MEANING_COUNT, "1: it was the last thread of the process"),
};

static const struct event_field rename_fields[] = {
	FIELD(rename, tid, MEANING_TID, "thread"),
	FIELD(rename, pid, MEANING_PID, "its process"),
	FIELD_ARRAY(rename, comm, MEANING_TEXT, "new name"),
};

static const struct event_field thread_fields[] = {
	FIELD(thread, tid, MEANING_TID, "thread"),
	FIELD(thread, pid, MEANING_PID, "its process"),
	FIELD(thread, ppid, MEANING_PID, "parent process"),
	FIELD(thread, uid, MEANING_COUNT, "user"),
	FIELD(thread, start_ns, MEANING_TIME_NS, "when it was born, to 10 ms"),
	FIELD(thread, flags, MEANING_FLAGS, "1 kernel thread"),
	FIELD(thread, ns_tid, MEANING_TID, "tid inside its own pid namespace"),
	FIELD_ARRAY(thread, comm, MEANING_TEXT, "name"),
	FIELD_TAIL(thread, cmdline, MEANING_TEXT, "command line of the process"),
};

static const struct event_field mapping_fields[] = {
	FIELD(mapping, pid, MEANING_PID, "process"),
	FIELD(mapping, module, MEANING_MODULE, "what is mapped"),
	FIELD(mapping, start, MEANING_ADDRESS, "first address"),
	FIELD(mapping, end, MEANING_ADDRESS, "first address behind it"),
	FIELD(mapping, file_offset, MEANING_ADDRESS, "offset in the file of the first address"),
};

static const struct event_field module_fields[] = {
	FIELD(module, module, MEANING_MODULE, "the id in frames and mappings"),
	FIELD(module, kind, MEANING_COUNT, "1 file, 2 kernel, 3 vdso, 4 JIT"),
	FIELD(module, inode, MEANING_COUNT, "inode number"),
	FIELD(module, device, MEANING_COUNT, "device: major << 20 | minor"),
	FIELD(module, pid, MEANING_PID, "process of a JIT module"),
	FIELD(module, build_id_size, MEANING_BYTES, "bytes of the build id"),
	FIELD_ARRAY(module, build_id, MEANING_BINARY, "build id"),
	FIELD_TAIL(module, path, MEANING_TEXT, "path"),
};

static const struct event_field frame_fields[] = {
	FIELD(frame, frame, MEANING_ADDRESS, "the frame: module (16 bits) and offset (48 bits)"),
	FIELD(frame, offset, MEANING_ADDRESS, "bytes from the function's start"),
	FIELD(frame, line, MEANING_COUNT, "source line; 0 is unknown"),
	FIELD(frame, depth, MEANING_COUNT, "0 the innermost of the inlined calls at this address"),
	FIELD(frame, flags, MEANING_FLAGS, "1 inlined, 2 no symbol covers it"),
	FIELD_TAIL(frame, text, MEANING_TEXTS, "function, source file"),
};

static const struct event_field span_name_fields[] = {
	FIELD(span_name, name, MEANING_COUNT, "the id that spans and calls carry"),
	FIELD(span_name, flags, MEANING_FLAGS,
	      "1 traced function, 2 cheap place, 4 costly place, 8 no probe on its return, 16 of a "
	      "library"),
	FIELD_TAIL(span_name, text, MEANING_TEXTS, "name, then binary:function"),
};

static const struct event_field span_fields[] = {
	FIELD(span, start_ns, MEANING_TIME_NS, "when the function was called"),
	FIELD(span, tid, MEANING_TID, "thread that was inside it"),
	FIELD(span, pid, MEANING_PID, "its process"),
	FIELD(span, name, MEANING_COUNT, "id of its name"),
	FIELD(span, depth, MEANING_COUNT, "how many spans of the thread are around it"),
	FIELD(span, flags, MEANING_FLAGS,
	      "1 it had not returned, 2 its return was not seen, 4 begun by the thread's parent, 8 "
	      "calls in it were counted only, 16 ended by exec"),
};

static const struct event_field call_fields[] = {
	FIELD(call, tid, MEANING_TID, "thread that called it"),
	FIELD(call, duration_ns, MEANING_DURATION_NS, "from entry to return"),
	FIELD(call, name, MEANING_COUNT, "id of its name"),
	FIELD(call, depth, MEANING_COUNT, "how many calls and spans of the thread are around it"),
	FIELD(call, flags, MEANING_FLAGS,
	      "1 it had not returned, 2 its return was not seen, 4 begun by the thread's parent, 8 "
	      "calls in it were counted only, 16 ended by exec"),
};

static const struct event_field call_count_fields[] = {
	FIELD(call_count, name, MEANING_COUNT, "id of the function's name"),
	FIELD(call_count, reserved, MEANING_RESERVED, ""),
	FIELD(call_count, calls, MEANING_COUNT, "calls that were counted, not written"),
	FIELD(call_count, total_ns, MEANING_DURATION_NS,
	      "of those not inside another call of the function"),
	FIELD(call_count, self_ns, MEANING_DURATION_NS, "without what was traced inside of them"),
	FIELD(call_count, max_ns, MEANING_DURATION_NS, "the longest of them"),
	FIELD(call_count, hidden_ns, MEANING_DURATION_NS,
	      "of counted calls right inside written calls of the function"),
	FIELD(call_count, since_ns, MEANING_TIME_NS,
	      "when there were too many to write; 0 is never"),
};

static const struct event_field call_value_fields[] = {
	FIELD(call_value, tid, MEANING_TID, "thread that called"),
	FIELD(call_value, name, MEANING_COUNT, "id of the function's name"),
	FIELD(call_value, start_ns, MEANING_TIME_NS, "when the function was called"),
	FIELD(call_value, flags, MEANING_FLAGS, "1 what it returned, 2 cut"),
	FIELD(call_value, reserved, MEANING_RESERVED, ""),
	FIELD_TAIL(call_value, text, MEANING_TEXTS, "the values, then nothing"),
};

static const struct event_field raw_call_value_fields[] = {
	FIELD(raw_call_value, tid, MEANING_TID, "thread that called"),
	FIELD(raw_call_value, name, MEANING_COUNT, "id of the function's name"),
	FIELD(raw_call_value, start_ns, MEANING_TIME_NS, "when the function was called"),
	FIELD(raw_call_value, flags, MEANING_FLAGS, "1 what it returned"),
	FIELD(raw_call_value, text_count, MEANING_COUNT, "number of texts"),
	FIELD_ARRAY(raw_call_value, words, MEANING_ADDRESS, "the values as they were passed"),
	FIELD_TAIL(raw_call_value, texts, MEANING_BINARY, "what addresses among them led to"),
};

static const struct event_field meta_fields[] = {
	FIELD_TAIL(meta, text, MEANING_TEXTS, "name, value"),
};

static const struct event_field hook_fields[] = {
	FIELD(hook, status, MEANING_COUNT, "1 works, 2 falls back to the next one, 3 missing"),
	FIELD(hook, error, MEANING_COUNT, "error number that refused it; 125: left out on request"),
	FIELD_TAIL(hook, text, MEANING_TEXTS, "hook, what it gives"),
};

static const struct event_field clock_fields[] = {
	FIELD(clock, monotonic_ns, MEANING_COUNT, "CLOCK_MONOTONIC"),
	FIELD(clock, realtime_ns, MEANING_COUNT, "CLOCK_REALTIME"),
};

static const struct event_field loss_fields[] = {
	FIELD(loss, from_ns, MEANING_TIME_NS, "the lost events are not older"),
	FIELD(loss, to_ns, MEANING_TIME_NS, "the lost events are not younger"),
	FIELD(loss, events, MEANING_COUNT, "how many"),
	FIELD(loss, cpu, MEANING_CPU, "CPU; 65535 is not of one CPU"),
	FIELD(loss, log, MEANING_COUNT, "0 the switch log, 1 the evidence log"),
	FIELD(loss, reason, MEANING_COUNT,
	      "why: 1 overwritten, 2 nested program skipped, 3 mapping records, 4 unwinding lagged, 5 "
	      "slot shared, 6 not looked at, 7 no room for spans, 8 end of a disk request not looked at"),
};

static const struct event_field kind_info_fields[] = {
	FIELD(kind_info, kind, MEANING_COUNT, "number of the kind"),
	FIELD(kind_info, fixed_size, MEANING_BYTES, "size without the tail"),
	FIELD_TAIL(kind_info, text, MEANING_TEXTS, "name, what it says"),
};

static const struct event_field field_info_fields[] = {
	FIELD(field_info, kind, MEANING_COUNT, "number of the kind"),
	FIELD(field_info, offset, MEANING_BYTES, "where the field begins"),
	FIELD(field_info, size, MEANING_BYTES, "size of an element; 0 is a tail"),
	FIELD(field_info, count, MEANING_COUNT, "elements"),
	FIELD(field_info, meaning, MEANING_COUNT, "what it means, see dashcam-recording(5)"),
	FIELD(field_info, is_signed, MEANING_COUNT, "1: it can be negative"),
	FIELD_TAIL(field_info, text, MEANING_TEXTS, "name, help"),
};

static const struct event_field signal_fields[] = {
	FIELD(signal, sender_tid, MEANING_TID, "thread that was running when it was sent"),
	FIELD(signal, sender_pid, MEANING_PID, "its process"),
	FIELD(signal, target_tid, MEANING_TID, "thread it was sent to"),
	FIELD(signal, target_pid, MEANING_PID, "its process"),
	FIELD(signal, number, MEANING_COUNT, "signal number"),
	FIELD(signal, code, MEANING_COUNT, "si_code: 0 kill, -6 tgkill, 128 the kernel"),
	FIELD(signal, is_for_process, MEANING_COUNT, "1: any thread of the process may take it"),
	FIELD(signal, result, MEANING_COUNT, "0 delivered, 1 ignored, 2 was pending already"),
};

static const struct event_field disk_fields[] = {
	FIELD(disk, queued_ns, MEANING_TIME_NS, "when it was queued"),
	FIELD(disk, issued_ns, MEANING_TIME_NS,
	      "when the device got it; as queued_ns if it only waited for a flush"),
	FIELD(disk, sector, MEANING_COUNT, "first sector (512 bytes) on the whole disk"),
	FIELD(disk, inode, MEANING_COUNT, "whose content it is; 0 is not known"),
	FIELD(disk, size_bytes, MEANING_BYTES, "size"),
	FIELD(disk, device, MEANING_COUNT, "device: major << 20 | minor"),
	FIELD(disk, tid, MEANING_TID, "thread that queued it; a kernel thread if written behind"),
	FIELD(disk, pid, MEANING_PID, "its process"),
	FIELD(disk, operation, MEANING_COUNT,
	      "0 read, 1 write, 2 flush, 3 discard, 9 write zeroes"),
	FIELD(disk, flags, MEANING_FLAGS,
	      "1 synchronous, 2 of the file system itself, 4 flush, 8 to the medium, 16 read-ahead, "
	      "32 held back by a cgroup's limit"),
	FIELD(disk, depth, MEANING_COUNT,
	      "requests in flight on the disk when it was issued, with itself; 0 is not issued"),
	FIELD(disk, cpu, MEANING_CPU, "CPU that took the completion"),
	FIELD(disk, error, MEANING_COUNT, "0, or a negative error number"),
	FIELD(disk, server_tid, MEANING_TID,
	      "kernel thread that did its work, of a disk that is a file; 0 is a device"),
};

static const struct event_field reclaim_fields[] = {
	FIELD(reclaim, duration_ns, MEANING_DURATION_NS, "how long it took"),
	FIELD(reclaim, cgroup, MEANING_COUNT,
	      "id (inode) of its memory cgroup; 0 is the whole machine"),
	FIELD(reclaim, pages, MEANING_COUNT, "pages freed; 0 of a compaction"),
	FIELD(reclaim, tid, MEANING_TID, "thread that needed memory"),
	FIELD(reclaim, pid, MEANING_PID, "its process"),
	FIELD(reclaim, order, MEANING_COUNT, "it wanted 2 to the power of this pages in a row"),
	FIELD(reclaim, kind, MEANING_COUNT, "1 machine, 2 memory cgroup, 3 compaction"),
};

static const struct event_field tcp_state_fields[] = {
	FIELD(tcp_state, socket, MEANING_OBJECT, "the socket: the wait's object"),
	FIELD(tcp_state, tid, MEANING_TID, "thread that waited"),
	FIELD(tcp_state, pid, MEANING_PID, "its process"),
	FIELD(tcp_state, srtt_us, MEANING_COUNT, "smoothed round-trip time in microseconds"),
	FIELD(tcp_state, send_window_bytes, MEANING_BYTES, "what the peer allows to be in flight"),
	FIELD(tcp_state, unsent_bytes, MEANING_BYTES, "written by the program, not yet sent"),
	FIELD(tcp_state, unacked_bytes, MEANING_BYTES, "sent, not yet acknowledged"),
	FIELD(tcp_state, retransmits, MEANING_COUNT, "segments sent again since it was opened"),
	FIELD(tcp_state, backlog, MEANING_COUNT, "listening: connections that wait for accept"),
	FIELD(tcp_state, backlog_max, MEANING_COUNT, "listening: how many may"),
	FIELD(tcp_state, state, MEANING_COUNT,
	      "TCP state: 1 established, 2 SYN sent, 10 listening"),
	FIELD(tcp_state, flags, MEANING_FLAGS,
	      "1 TCP_NODELAY, 2 window, unsent and unacked are from when the wait began"),
	FIELD(tcp_state, since_received_ns, MEANING_DURATION_NS,
	      "since data came last, to a tick; 0 is just now, or never"),
	FIELD(tcp_state, since_acked_ns, MEANING_DURATION_NS,
	      "since an acknowledgement came last, to a tick; 0 is just now, or never"),
	FIELD(tcp_state, min_rtt_us, MEANING_COUNT,
	      "shortest round trip of the last minutes: without delayed acknowledgements"),
	FIELD(tcp_state, reserved, MEANING_RESERVED, ""),
};

static const struct event_field retransmit_fields[] = {
	FIELD(retransmit, family, MEANING_COUNT, "address family: 2 IPv4, 10 IPv6"),
	FIELD(retransmit, local_port, MEANING_COUNT, "local port"),
	FIELD(retransmit, remote_port, MEANING_COUNT, "remote port"),
	FIELD(retransmit, state, MEANING_COUNT,
	      "TCP state: 1 established, 2 SYN sent, 12 SYN received"),
	FIELD_ARRAY(retransmit, local_address, MEANING_BINARY,
		    "local address; IPv4 in the first four bytes"),
	FIELD_ARRAY(retransmit, remote_address, MEANING_BINARY, "remote address"),
	FIELD(retransmit, tid, MEANING_TID, "who waited for the socket last; 0 is not known"),
	FIELD(retransmit, pid, MEANING_PID, "its process; 0 is not known"),
	FIELD(retransmit, socket, MEANING_OBJECT, "the socket; 0 is not known"),
};

static const struct event_field cgroup_fields[] = {
	FIELD(cgroup, id, MEANING_COUNT, "inode of its directory: v1 of the cpu hierarchy"),
	FIELD(cgroup, pid, MEANING_PID, "process"),
	FIELD(cgroup, tid, MEANING_TID, "the thread that was looked at"),
	FIELD(cgroup, quota_us, MEANING_COUNT,
	      "CPU time in microseconds for each period; 0 is no limit"),
	FIELD(cgroup, period_us, MEANING_COUNT, "the period in microseconds; 0 is no limit"),
	FIELD(cgroup, memory_limit_bytes, MEANING_BYTES, "limit of its memory; 0 is none"),
	FIELD_TAIL(cgroup, text, MEANING_TEXTS, "path for CPU time, path for memory"),
};

static const struct event_field irq_fields[] = {
	FIELD(irq, from_ns, MEANING_TIME_NS, "since when; the event's time is until when"),
	FIELD(irq, tid, MEANING_TID, "thread whose CPU time they took"),
	FIELD(irq, cpu, MEANING_CPU, "the CPU"),
	FIELD(irq, device_irq, MEANING_COUNT, "number of the device interrupt that was seen last"),
	FIELD_ARRAY(irq, hard_count, MEANING_COUNT,
		    "interrupts: devices, timer, other CPUs, deferred work"),
	FIELD_ARRAY(irq, hard_ns, MEANING_DURATION_NS,
		    "time in their handlers; each took the fact irq_hidden_ns besides"),
	FIELD_ARRAY(
		irq, soft_count, MEANING_COUNT,
		"softirqs by number: hi, timer, net_tx, net_rx, block, irq_poll, tasklet, sched, "
		"hrtimer, rcu"),
	FIELD_ARRAY(irq, soft_ns, MEANING_DURATION_NS,
		    "time in them, without the interrupts nested in them"),
};

static const struct event_field steal_fields[] = {
	FIELD(steal, from_ns, MEANING_TIME_NS, "since when; the event's time is until when"),
	FIELD(steal, stolen_ns, MEANING_DURATION_NS,
	      "how much of that time the CPU was ready to run and did not, in whole ticks"),
	FIELD(steal, cpu, MEANING_CPU, "the CPU"),
	FIELD_ARRAY(steal, reserved, MEANING_RESERVED, ""),
};

static const struct event_schema schemas[EVENT_KIND_LIMIT] = {
#define X(number, kind_name, NAME, kind_says)                                                      \
	[number] = {                                                                               \
		.name = #kind_name,                                                                \
		.says = kind_says,                                                                 \
		.fixed_size = sizeof(struct event_##kind_name),                                    \
		.field_count = ARRAY_SIZE(kind_name##_fields),                                     \
		.fields = kind_name##_fields,                                                      \
	},
	EVENT_KINDS(X)
#undef X
};

const struct event_schema *event_schema(unsigned int kind)
{
	return kind < EVENT_KIND_LIMIT && schemas[kind].name ? &schemas[kind] : NULL;
}

const struct event_field *event_field_find(unsigned int kind, const char *name)
{
	const struct event_schema *schema = event_schema(kind);

	for (unsigned int i = 0; schema && i < schema->field_count; i++) {
		if (!strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	}
	return NULL;
}

/* How many NUL-terminated strings a text tail must hold. */
static unsigned int texts_wanted(const struct event_field *field)
{
	return field->meaning == MEANING_TEXTS ? 2 : field->meaning == MEANING_TEXT ? 1 : 0;
}

static bool tail_is_sound(const struct event_header *event, const struct event_field *field)
{
	const char *tail = (const char *)event + field->offset;
	size_t bytes = event->size - field->offset;
	unsigned int wanted = texts_wanted(field);

	for (size_t i = 0; wanted && i < bytes; i++)
		wanted -= tail[i] == '\0';
	return wanted == 0;
}

/* Frame and byte tails whose length another field gives: that many must be there. */
static bool counts_are_sound(const struct event_header *event)
{
	size_t bytes = event->size - event_schema(event->kind)->fixed_size;

	switch (event->kind) {
	case EVENT_STACK:
		return ((const struct event_stack *)event)->frame_count <= bytes / 8;
	case EVENT_RAW_KERNEL_STACK:
		return ((const struct event_raw_kernel_stack *)event)->frame_count <= bytes / 8;
	case EVENT_RAW_USER_FRAMES:
		return ((const struct event_raw_user_frames *)event)->frame_count <= bytes / 8;
	case EVENT_RAW_USER_STACK:
		return ((const struct event_raw_user_stack *)event)->copy_bytes <= bytes;
	case EVENT_RAW_CALL_VALUE:
		return ((const struct event_raw_call_value *)event)->text_count <=
		       bytes / sizeof(struct event_value_text);
	case EVENT_MODULE:
		return ((const struct event_module *)event)->build_id_size <= EVENT_BUILD_ID_MAX;
	default:
		return true;
	}
}

bool event_is_sound(const struct event_header *event, size_t size)
{
	const struct event_schema *schema;

	if (size < sizeof(*event) || event->size > size || event->size > EVENT_SIZE_MAX ||
	    event->size % 8)
		return false;
	schema = event_schema(event->kind);
	if (!schema || event->size < schema->fixed_size)
		return false;
	for (unsigned int i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].size == 0 && !tail_is_sound(event, &schema->fields[i]))
			return false;
	}
	return counts_are_sound(event);
}

int64_t event_field_value(const struct event_header *event, const struct event_field *field,
			  unsigned int index)
{
	const char *at = (const char *)event + field->offset + (size_t)index * field->size;
	uint64_t raw = 0;

	memcpy(&raw, at, field->size <= sizeof(raw) ? field->size : sizeof(raw));
	if (field->is_signed && field->size < sizeof(raw)) {
		uint64_t sign = 1ULL << (field->size * 8 - 1);

		raw = (raw ^ sign) - sign;
	}
	return (int64_t)raw;
}

const char *event_tail_text(const struct event_header *event, const char *text, unsigned int n)
{
	const char *end = (const char *)event + event->size;

	while (n > 0 && text < end) {
		text += strnlen(text, (size_t)(end - text)) + 1;
		n--;
	}
	return text < end ? text : "";
}

const char *event_loss_why(unsigned int reason)
{
	switch (reason) {
#define X(number, NAME, what, why)                                                                 \
	case number:                                                                               \
		return why;
		EVENT_LOSS_REASONS(X)
#undef X
	}
	return "unknown";
}

const char *event_loss_what(const struct event_loss *loss)
{
	const char *word = NULL;

	switch (loss->reason) {
#define X(number, NAME, what, why)                                                                 \
	case number:                                                                               \
		word = what;                                                                       \
		break;
		EVENT_LOSS_REASONS(X)
#undef X
	}
	return word ? word : loss->log == EVENT_LOG_SWITCH ? "switch" : "evidence";
}
