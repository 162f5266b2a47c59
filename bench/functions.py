# SPDX-License-Identifier: BSD-2-Clause
"""What tracing functions costs: per call, to begin and to end, and on a real program."""

import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

from measure import NotRunnable

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(HERE)
TIME_LIMIT_S = 120

# How seed 001's function is built, and what its first instruction is then.
BUILDS = [
    ("gcc -O0", ["-O0"], "push"),
    ("gcc -O0 -fcf-protection", ["-O0", "-fcf-protection"], "endbr64, push"),
    ("gcc -O2", ["-O2"], "and, then a jump"),
    ("gcc -O2, no branch", ["-O2", "-DNO_BRANCH"], "mov; nothing emulated"),
]

BPFTRACE = """uprobe:{0}:f {{ @start[tid] = nsecs; }}
uretprobe:{0}:f {{ @ns = sum(nsecs - @start[tid]); @calls = count(); }}"""


class CallTool:
    """A tracer of one function. CALLS: as many as it can do in a second or so."""

    def __init__(self, name, calls, needs, command):
        self.name = name
        self.calls = calls
        self.needs = needs
        self.command = command

    def missing(self):
        return "" if not self.needs or shutil.which(self.needs) else f"no program {self.needs}"

    def ns_per_call(self, program, calls, directory):
        """(CPU, wall), as the program measured them."""
        command = self.command(program, str(calls))
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT_S, check=False)
        found = re.search(r"ns per call: ([0-9.]+) ([0-9.]+)", done.stdout)
        if done.returncode or not found:
            raise NotRunnable(f"status {done.returncode}: {done.stdout.strip()[-150:]}")
        return float(found[1]), float(found[2])


class PerfTool(CallTool):
    """perf's probes must be made before, and taken away again."""

    def ns_per_call(self, program, calls, directory):
        made = subprocess.run(["perf", "probe", "-q", "-x", program, "--add", "bench_f=f", "--add", "bench_r=f%return"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        try:
            if made.returncode:
                raise NotRunnable(f"perf probe: {made.stdout.strip()[-100:]}")
            return super().ns_per_call(program, calls, directory)
        finally:
            subprocess.run(["perf", "probe", "-q", "-d", "*:bench_f", "-d", "*:bench_r*"], stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, check=False)


def call_tools(dashcam):
    def recorded(*options):
        return lambda program, calls: [dashcam, "record", "-q", "-o", "out.dcam", "-F", "f", *options, "--", program, calls]

    return [
        CallTool("no tool", 1_000_000, None, lambda program, calls: [program, calls]),
        CallTool("dashcam record -F f", 1_000_000, None, recorded()),
        CallTool("dashcam, --min-time 100us", 1_000_000, None, recorded("--min-time", "100us")),
        CallTool("dashcam, --max-rate 1 (counts only)", 1_000_000, None, recorded("--max-rate", "1")),
        CallTool("bpftrace, uprobe and uretprobe", 300_000, "bpftrace", lambda program, calls: [
            "bpftrace", "-e", BPFTRACE.format(program), "-c", f"{program} {calls}"]),
        PerfTool("perf record on a probe pair", 100_000, "perf", lambda program, calls: [
            "perf", "record", "-q", "-B", "-N", "-o", "out.perf", "-e", "probe_*:bench_f,probe_*:bench_r*", "--", program, calls]),
        CallTool("uftrace, patching", 1_000_000, "uftrace", lambda program, calls: [
            "uftrace", "record", "-P", ".", "-d", "out.uftrace", program, calls]),
    ]


def build_one_function(directory):
    """name of the build -> (path, first instruction)."""
    programs = {}
    for number, (name, flags, first) in enumerate(BUILDS):
        path = os.path.join(directory, f"f{number}")
        subprocess.run(["gcc", *flags, "-o", path, os.path.join(HERE, "one_function.c")], check=True)
        programs[name] = (path, first)
    return programs


def measure_calls(dashcam, rounds, directory, quick):
    tools = call_tools(dashcam)
    programs = build_one_function(directory)
    refused = {tool: tool.missing() for tool in tools if tool.missing()}
    results = {}
    for number in range(rounds):
        todo = [(tool, name) for tool in tools for name in programs if tool not in refused]
        random.shuffle(todo)
        for tool, name in todo:
            if tool in refused:
                continue
            print(f"round {number + 1} of {rounds}: {tool.name}, {name}", file=sys.stderr)
            calls = tool.calls if tool is tools[0] else tool.calls // (20 if quick or "-O0" not in name else 1)
            try:
                results.setdefault((tool, name), []).append(tool.ns_per_call(programs[name][0], calls, directory))
            except (NotRunnable, subprocess.TimeoutExpired) as reason:
                refused[tool] = str(reason)
    return tools, programs, results, refused


def calls_text(dashcam, rounds, directory, quick, table):
    tools, programs, results, refused = measure_calls(dashcam, rounds, directory, quick)
    rows = []
    for tool in tools:
        if tool in refused:
            rows.append([tool.name, f"not run: {' '.join(refused[tool].split())}"] + [""] * (len(programs) - 1))
        else:
            rows.append([tool.name] + [" / ".join(f"{statistics.median(one[i] for one in results[tool, name]):.0f}"
                                                  for i in (0, 1)) for name in programs])
    return (f"## Cost of a traced call\n\nSeed 001's f(), called up to 1,000,000 times; {rounds} shuffled rounds, medians of ns per "
            "call, entry and return: CPU time of the thread / wall time.\n\n" +
            table(["tracer"] + [f"{name} ({first})" for name, (_, first) in programs.items()], rows))


# ---- beginning and ending ----

def write_many_functions(path, count):
    with open(path, "w", encoding="ascii") as file:
        for number in range(count):
            file.write(f"__attribute__((noinline)) int gen_{number}(int x) {{ return x * {number + 3} + gen(x); }}\n"
                       if number else "static int gen(int x) { __asm__ volatile(\"\"); return x ^ 5; }\n")
        file.write("int main(void) { return 0; }\n")


def wall_s(command, directory):
    began = time.monotonic()
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=TIME_LIMIT_S, check=False)
    if done.returncode:
        raise NotRunnable(f"status {done.returncode}: {done.stderr.strip()[-150:]}")
    return time.monotonic() - began


def facts_of(dashcam, directory):
    """What the recording says itself of how long it took to put probes in."""
    done = subprocess.run([dashcam, "query", "out.dcam", "select name, value from meta where name like '%function%'", "--json"],
                          cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return {row["name"]: row["value"] for row in map(json.loads, done.stdout.splitlines())}


def attach_text(dashcam, rounds, directory, table, counts=(10, 1_000, 10_000)):
    rows = []
    for count in counts:
        program = os.path.join(directory, f"many{count}")
        write_many_functions(program + ".c", count)
        subprocess.run(["gcc", "-O1", "-w", "-o", program, program + ".c"], check=True)
        without, traced = [], []
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}: {count} functions", file=sys.stderr)
            without.append(wall_s([dashcam, "record", "-q", "-o", "none.dcam", "--", program], directory))
            traced.append(wall_s([dashcam, "record", "-q", "-o", "out.dcam", "-F", "gen*", "--", program], directory))
        facts = facts_of(dashcam, directory)
        added_s = statistics.median(traced) - statistics.median(without)
        rows.append([f"{count:,}", f"{statistics.median(without):.2f}", f"{statistics.median(traced):.2f}", f"{added_s * 1000:.0f}",
                     *(f"{int(facts.get(f'functions_{what}_ns', 0)) / 1e6:.1f}" for what in ("attach", "detach"))])
    return (f"## Attach and detach\n\n`record -- program` that ends at once, {rounds} rounds, medians; the difference is loading "
            "programs, reading the file, choosing the places, putting the probes in and taking them out; the last two columns are what "
            "the recorder measured itself.\n\n" +
            table(["functions", "without, s", "with -F, s", "added, ms", "attach, ms", "detach, ms"], rows))


# ---- a real program ----

def leveldb_text(dashcam, rounds, directory, table):
    rows = []
    for name, flags in (("its own flags", []), ("and -fcf-protection", ["-fcf-protection"])):
        made = subprocess.run([os.path.join(ROOT, "tests/functions/leveldb"), *flags], stdout=subprocess.PIPE, text=True, check=False)
        if made.returncode:
            return f"## LevelDB\n\nnot run: {made.stdout.strip()}\n"
        program = made.stdout.strip()
        rows.append([name, *leveldb_row(dashcam, program, rounds, directory)])
    return ("## LevelDB\n\n`db_bench --num=5000 --benchmarks=fillseq`, all its functions traced (`-F '*'`): us per operation, medians of "
            f"{rounds} rounds.\n\n" + table(["build", "without", "traced", "ratio", "calls", "functions on a cheap place",
                                            "calls on a cheap place"], rows))


def leveldb_row(dashcam, program, rounds, directory):
    bench = [program, "--num=5000", "--benchmarks=fillseq", f"--db={directory}/db"]
    without, traced = [], []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}: db_bench", file=sys.stderr)
        without.append(fillseq_us(bench, directory))
        traced.append(fillseq_us([dashcam, "record", "-q", "-o", "out.dcam", "-F", "*", "--", *bench], directory))
    cheap = cheap_shares(dashcam, directory)
    base, cost = statistics.median(without), statistics.median(traced)
    return [f"{base:.2f}", f"{cost:.1f}", f"{cost / base:.1f}", *cheap]


def fillseq_us(command, directory):
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=TIME_LIMIT_S, check=False)
    found = re.search(r"fillseq +: +([0-9.]+) micros/op", done.stdout)
    shutil.rmtree(os.path.join(directory, "db"), ignore_errors=True)
    if not found:
        raise NotRunnable(f"status {done.returncode}: {done.stdout.strip()[-150:]}")
    return float(found[1])


def cheap_shares(dashcam, directory):
    """Calls in all, and which part of functions and of calls is on a cheap place (flag 2 of span_name, costly: 4)."""
    def value(sql):
        done = subprocess.run([dashcam, "query", "out.dcam", sql, "--json"], cwd=directory, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        row = json.loads(done.stdout.splitlines()[0]) if done.stdout.strip() else {"value": None}
        return next(iter(row.values()))

    functions = value("select sum((flags & 2) != 0) * 100.0 / count(*) from event_span_name")
    calls = value("select count(*) from event_call")
    cheap = value("select sum((n.flags & 2) != 0) * 100.0 / count(*) from event_call c join event_span_name n on n.name = c.name")
    return [calls, *(f"{share:.1f} %" if share is not None else "" for share in (functions, cheap))]


def measure_functions(dashcam, rounds, directory, quick, table):
    """The text of all parts; TABLE makes a table of headings and rows."""
    text = calls_text(dashcam, rounds, directory, quick, table) + "\n"
    text += attach_text(dashcam, rounds, directory, table, (10, 1_000) if quick else (10, 1_000, 10_000)) + "\n"
    if not quick:
        text += leveldb_text(dashcam, rounds, directory, table) + "\n"
    return text
