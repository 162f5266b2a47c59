# SPDX-License-Identifier: BSD-2-Clause
"""Ways to let a case be recorded with less: without hooks, with other options, from a changed binary, with events lost.
What the answer must be then is in degraded.py."""

import json
import os
import shutil
import signal
import subprocess
import threading

NO_TABLES = ["objcopy", "--remove-section", ".eh_frame", "--remove-section", ".eh_frame_hdr"]

# Ways to change a workload's binary, by their names: where it is, and what is done to a copy of it.
BINARIES = {
    "stripped": ("cases", [["strip"]]),
    "no-unwind": ("cases", [NO_TABLES]),
    "stripped-no-unwind": ("cases", [["strip"], NO_TABLES]),
    "static": ("static/cases", []),
    "static-stripped": ("static/cases", [["strip"]]),
}
LOSSY = "lossy"  # tiny logs, a flood of switches, and a recorder that is stopped now and then
LOSSY_OPTIONS = ["--switch-log", "64k", "--evidence-log", "64k"]
PAUSE_S = 0.12


def each_hook(dashcam):
    """Every hook that works here and can be left out, once for each name."""
    output = subprocess.run([dashcam, "doctor", "--json"], stdout=subprocess.PIPE, check=True, text=True).stdout
    hooks = [json.loads(line) for line in output.splitlines()]
    return list(dict.fromkeys(hook["hook"] for hook in hooks if hook["status"] == "works" and hook["hook"] != "sched_switch"))


def options_of(way):
    """More options for record."""
    if way == LOSSY:
        return LOSSY_OPTIONS
    return [] if way in BINARIES else way.split()


def workload_for(way, build, name, copy):
    """The program to run: as it was built, or a changed copy of it. None if it was not built."""
    folder, changes = BINARIES.get(way, ("cases", []))
    workload = os.path.join(build, folder, name)
    if not os.path.exists(workload):
        return None
    if not changes:
        return workload
    shutil.copy(workload, copy)
    for change in changes:
        subprocess.run([*change, copy], check=True, stderr=subprocess.DEVNULL)
    return copy


class Meanwhile:
    """While a recorder runs: nothing, or for LOSSY what makes it lose events. The workload is a process of its own and goes on."""

    def __init__(self, way, build):
        self.is_lossy = way == LOSSY
        self.flood_command = [os.path.join(build, "programs", "pingpong"), "/dev/null", "1000000000", "threads"]
        self.is_over = threading.Event()

    def begin(self, recorder):
        if not self.is_lossy:
            return
        self.flood = subprocess.Popen(self.flood_command, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.nice(19))
        self.pauses = threading.Thread(target=self._pause, args=[recorder])
        self.pauses.start()

    def _pause(self, recorder):
        number = signal.SIGSTOP
        while not self.is_over.wait(PAUSE_S) and recorder.poll() is None:
            recorder.send_signal(number)
            number = signal.SIGCONT if number == signal.SIGSTOP else signal.SIGSTOP
        if recorder.poll() is None:
            recorder.send_signal(signal.SIGCONT)

    def end(self):
        if not self.is_lossy:
            return
        self.is_over.set()
        self.pauses.join()
        self.flood.kill()
        self.flood.wait()
