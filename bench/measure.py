# SPDX-License-Identifier: BSD-2-Clause
"""Running loads and tools, and what they cost: wall time, CPU time, memory."""

import glob
import os
import re
import signal
import subprocess
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class NotRunnable(Exception):
    """A tool does not work on this machine; the text says why."""


def descendants(pid):
    """PID and all its living descendants."""
    pids = [pid]
    for tid in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(tid) as children:
                for child in children.read().split():
                    pids += descendants(int(child))
        except OSError:
            pass
    return pids


def cpu_time_ns(pid):
    """CPU time of PID and its living descendants, user and system, from the scheduler's own count."""
    total = 0
    for one in descendants(pid):
        for path in glob.glob(f"/proc/{one}/task/*/schedstat"):
            try:
                with open(path) as schedstat:
                    total += int(schedstat.read().split()[0])
            except OSError:
                pass
    return total


def kernel_handles(pid):
    """How many BPF and perf descriptors PID and its descendants hold."""
    count = 0
    for one in descendants(pid):
        for link in glob.glob(f"/proc/{one}/fd/*"):
            try:
                if re.search(r"bpf|perf_event", os.readlink(link)):
                    count += 1
            except OSError:
                pass
    return count


class RunningTool:
    """A recorder at work in the background, begun when its hooks are in place."""

    def __init__(self, command, directory, ready_timeout_s=20):
        self.log_path = os.path.join(directory, "tool.log")
        self.directory = directory
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_until_attached(ready_timeout_s)

    def _wait_until_attached(self, timeout_s):
        """Its BPF and perf descriptors have stopped growing: it is attached."""
        end = time.monotonic() + timeout_s
        before, same = -1, 0
        while same < 4:
            if self.process.poll() is not None:
                raise NotRunnable(self.last_line())
            if time.monotonic() > end:
                self.stop()
                raise NotRunnable("it attached nothing")
            time.sleep(0.15)
            now = kernel_handles(self.process.pid)
            same = same + 1 if now == before and now > 0 else 0
            before = now

    def last_line(self):
        with open(self.log_path, errors="replace") as log:
            lines = [line.strip() for line in log if line.strip()]
        return lines[-1][:120] if lines else f"status {self.process.returncode}, no message"

    def cpu_time_ns(self):
        return cpu_time_ns(self.process.pid)

    def stop(self):
        """Ends it as a person would, with Ctrl-C; by force if that takes too long."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _sched_pipe_cpu_s(operations):
    """CPU seconds that `perf bench sched pipe -T` takes in all, pinned to CPU 0."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", "perf", "bench", "sched", "pipe", "-T", "-l", str(operations)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise NotRunnable(f"perf bench failed with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def sched_pipe_ns(operations):
    """CPU time of one operation (two switches) of `perf bench sched pipe -T` pinned to one CPU, in ns.

    The two threads never leave that CPU idle, so on a quiet machine this is the wall time; on a busy one
    it does not count the time in which others had the CPU. Starting perf is measured apart and taken off.
    """
    if not hasattr(sched_pipe_ns, "start_s"):
        sched_pipe_ns.start_s = min(_sched_pipe_cpu_s(1) for _ in range(3))
    return (_sched_pipe_cpu_s(operations) - sched_pipe_ns.start_s) * 1e9 / operations


def run_once(command, directory):
    """Runs COMMAND to its end. Returns wall seconds, CPU seconds, peak memory in bytes, status."""
    began = time.monotonic()
    with open(os.path.join(directory, "once.log"), "wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024,
            process.returncode)
