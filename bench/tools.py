# SPDX-License-Identifier: BSD-2-Clause
"""The recorders that are compared: how each is started, what its file is, and what it lost."""

import json
import os
import re
import subprocess

OFF_CPU_SCRIPT = """
tracepoint:sched:sched_switch {
    @start[args->prev_pid] = nsecs;
    @stacks[kstack, ustack] = count();
    $begin = @start[args->next_pid];
    if ($begin) {
        @us[args->next_comm] = sum((nsecs - $begin) / 1000);
        delete(@start[args->next_pid]);
    }
}
END { clear(@start); }
"""


class Tool:
    """A recorder by name; its command gets the path of its output file."""

    def __init__(self, name, command, output=None, is_peer=False):
        self.name = name
        self.command = command
        self.output = output
        self.is_peer = is_peer

    def size_bytes(self, directory):
        path = os.path.join(directory, self.output or "")
        return os.path.getsize(path) if self.output and os.path.isfile(path) else None

    def lost(self, directory):
        """How many events the tool says it lost; None if it does not say."""
        return None

    def switches(self, directory):
        """How many switches its file holds; None if it has no file."""
        return None


class Dashcam(Tool):
    def __init__(self, name, dashcam, options=()):
        super().__init__(name, [dashcam, "record", "-o", "out.dcam", *options], "out.dcam")
        self.dashcam = dashcam

    def value(self, directory, sql):
        done = subprocess.run([self.dashcam, "query", "out.dcam", sql, "--json"], cwd=directory,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return next(iter(rows[0].values())) if rows else None

    def lost(self, directory):
        return self.value(directory, "select coalesce(sum(events), 0) from loss")

    def switches(self, directory):
        return self.value(directory, "select count(*) from switch")


class PerfSched(Tool):
    def __init__(self, name):
        super().__init__(name, ["perf", "sched", "record", "-o", "out.perf"], "out.perf", is_peer=True)
        self.statistics = {}

    def _statistics(self, directory):
        """Counts by kind from `perf report --stats`, asked once per file."""
        path = os.path.join(directory, self.output)
        key = os.path.getmtime(path)
        if key not in self.statistics:
            done = subprocess.run(["perf", "report", "--stats", "-i", "out.perf"], cwd=directory,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.statistics[key] = done.stdout
        return self.statistics[key]

    def lost(self, directory):
        with open(os.path.join(directory, "tool.log"), errors="replace") as log:
            found = re.search(r"lost ([0-9]+)", log.read())
        counted = re.search(r"LOST_SAMPLES events: +([0-9]+)", self._statistics(directory))
        return int(found.group(1)) if found else int(counted.group(1)) if counted else 0

    def switches(self, directory):
        found = re.search(r"sched:sched_switch.*?SAMPLE events: +([0-9]+)", self._statistics(directory), re.S)
        return int(found.group(1)) if found else None


def all_tools(build, dashcam):
    """The order in which they are printed. The first is the one ratios refer to."""
    return [
        Tool("no tool", None),
        Tool("floor: three empty BPF programs", [os.path.join(build, "bench/floor")]),
        Dashcam("dashcam record", dashcam),
        Dashcam("dashcam, no user stacks", dashcam, ["--user-stack", "none"]),
        Dashcam("dashcam, --min-wait 0", dashcam, ["--min-wait", "0"]),
        Dashcam("dashcam, --min-wait 0, frame pointers", dashcam, ["--min-wait", "0", "--user-stack", "fp"]),
        Dashcam("dashcam, --min-wait 0, no user stacks", dashcam, ["--min-wait", "0", "--user-stack", "none"]),
        Tool("bcc offcputime", ["offcputime-bpfcc"], is_peer=True),
        Tool("libbpf-tools offcputime", ["offcputime"], is_peer=True),
        Tool("bpftrace off-CPU script", ["bpftrace", "-e", OFF_CPU_SCRIPT], is_peer=True),
        PerfSched("perf sched record"),
    ]
