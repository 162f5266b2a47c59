# SPDX-License-Identifier: BSD-2-Clause
"""Compares the calls that a recording shows with those that the plan knows of."""

import re
from collections import Counter, defaultdict

GRACE_NS = 100_000  # of a call, for what the machine does between the program's clock and ours
FAULTS_SHOWN = 4
SPANS = "select id, tid, name, start_ns, duration_ns, depth, parent_id, returned from span"


def plain_name(name, by_address=None):
    """'gen::f(unsigned long)@lib.so' -> 'f'; of a stripped file the address leads to the name."""
    name = name.split("@")[0]
    found = re.search(r"0x([0-9a-f]+)", name)
    if by_address and found and int(found[1], 16) in by_address:
        return by_address[int(found[1], 16)]
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    return name.split("(")[0].split("::")[-1]


class Truth:
    """What the program wrote itself: role -> tid, function -> ns that it worked in all."""

    def __init__(self, path):
        self.tids, self.work_ns = {}, Counter()
        with open(path, encoding="ascii") as lines:
            for word, name, value in map(str.split, lines):
                if word == "role":
                    self.tids[name] = int(value)
                else:
                    self.work_ns[name] += int(value)


class Span:
    """A row of the table span."""

    def __init__(self, row, by_address):
        self.id = row["id"]
        self.tid = row["tid"]
        self.name = plain_name(row["name"], by_address)
        self.start_ns = row["start_ns"]
        self.end_ns = row["start_ns"] + row["duration_ns"]
        self.depth = row["depth"]
        self.parent = row["parent_id"]
        self.returned = bool(row["returned"])
        self.position = None  # among the calls of its thread


class Check:
    """FAULTS: sentences. INFERRED: calls whose end was not seen though they returned; ..._DEEP: deeper than return probes
    reach; ..._CAUGHT: in which something was thrown. The latter two are no fault."""

    def __init__(self, rows, expected, truth, by_address=None):
        self.faults = []
        self.inferred = self.inferred_deep = self.inferred_caught = self.left = 0
        spans = [Span(row, by_address) for row in rows]
        known = {name for thread in expected.values() for _, name, _, _ in thread}
        self.by_id = {span.id: span for span in spans}
        self._check_strangers(spans, known)
        by_tid = defaultdict(list)
        for span in sorted((one for one in spans if one.name in known), key=lambda one: (one.start_ns, one.depth, one.id)):
            by_tid[span.tid].append(span)
        for role, calls in expected.items():
            self._check_thread(role, calls, by_tid.pop(truth.tids.get(role), []))
        for tid, strangers in by_tid.items():
            self.faults.append(f"{len(strangers)} calls of thread {tid}, which is none of the program's")
        self._check_times(by_tid=[one for one in spans if one.name in known])
        self._check_work(spans, truth)
        self.calls = sum(map(len, expected.values()))

    # ---- which calls ----

    def _check_strangers(self, spans, known):
        """Nothing is traced that the plan knows nothing of, what compilers add to a program neither."""
        strangers = Counter(span.name for span in spans if span.name not in known)
        if strangers:
            names = ", ".join(f"{name} ({count})" for name, count in strangers.most_common(5))
            self.faults.append(f"calls of functions that are not in the plan: {names}")

    def _parent(self, span, known_ids):
        """The nearest call around it that the plan knows of."""
        parent = self.by_id.get(span.parent)
        while parent and parent.id not in known_ids:
            parent = self.by_id.get(parent.parent)
        return parent

    def _check_thread(self, role, calls, spans):
        known_ids = {}
        for position, span in enumerate(spans):
            span.position = position
            known_ids[span.id] = span
        found = []
        for span in spans:
            parent = self._parent(span, known_ids)
            found.append((parent.position if parent else -1, span.name))
        wanted = [(parent, name) for parent, name, _, _ in calls]
        if found == wanted:
            self._check_ends(role, calls, spans)
        else:
            self._tell_difference(role, wanted, found)

    def _tell_difference(self, role, wanted, found):
        def edges(calls):
            return Counter((calls[parent][1] if 0 <= parent < len(calls) else "-", name) for parent, name in calls)

        names_wanted, names_found = (Counter(name for _, name in calls) for calls in (wanted, found))
        missing, more = names_wanted - names_found, names_found - names_wanted
        if missing:
            self.faults.append(f"{role}: {missing.total()} of {len(wanted)} calls are missing: {some_of(missing)}")
        if more:
            self.faults.append(f"{role}: {more.total()} calls too many: {some_of(more)}")
        wrong = edges(found) - edges(wanted)
        if not missing and not more and wrong:
            self.faults.append(f"{role}: {wrong.total()} calls have a wrong caller: " +
                               some_of(Counter({f"{name} in {caller}": count for (caller, name), count in wrong.items()})))
        first = next((i for i, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]), min(len(wanted), len(found)))
        if first < min(len(wanted), len(found)):
            self.faults.append(f"{role}: call {first} should be {described(wanted, first)}, is {described(found, first)}")

    def _check_ends(self, role, calls, spans):
        wrong = Counter()
        for (_, name, end, _), span in zip(calls, spans):
            if end == "any":
                self.inferred_deep += not span.returned
            elif end == "caught":
                self.inferred_caught += not span.returned
            elif end == "returns":
                self.inferred += not span.returned
                if not span.returned:
                    wrong[f"{name} returned"] += 1
            else:
                self.left += 1
                if span.returned:
                    wrong[f"{name} did not return"] += 1
        if wrong:
            self.faults.append(f"{role}: {wrong.total()} calls with a wrong end: {some_of(wrong)}")

    # ---- how long ----

    def _check_times(self, by_tid):
        """Calls inside a call lie in its time, one after the other: so its own time and theirs are the whole."""
        inside = defaultdict(list)
        for span in by_tid:
            if span.parent is not None:
                inside[span.parent].append(span)
        outside = overlapping = 0
        for parent_id, children in inside.items():
            parent = self.by_id.get(parent_id)
            children.sort(key=lambda one: (one.start_ns, one.end_ns))
            outside += sum(parent is None or one.start_ns < parent.start_ns or one.end_ns > parent.end_ns
                           for one in children)
            overlapping += sum(one.end_ns > following.start_ns for one, following in zip(children, children[1:]))
        if outside:
            self.faults.append(f"{outside} calls are not within the time of their caller")
        if overlapping:
            self.faults.append(f"{overlapping} calls overlap with the next one of the same caller")

    def _check_work(self, spans, truth):
        took_ns, count = Counter(), Counter()
        for span in spans:
            took_ns[span.name] += span.end_ns - span.start_ns
            count[span.name] += 1
        wrong = [f"{name} took {took_ns[name]} ns of {work_ns}" for name, work_ns in truth.work_ns.items()
                 if count[name] and not work_ns <= took_ns[name] <= work_ns * 1.05 + count[name] * GRACE_NS]
        if len(wrong) > len(truth.work_ns) // 2:  # another program may have had the CPU between two clocks
            self.faults.append(f"{len(wrong)} functions took another time than they measured: {', '.join(wrong[:2])}")
        less = [name for name, work_ns in truth.work_ns.items() if count[name] and took_ns[name] < work_ns]
        if less:
            self.faults.append(f"{len(less)} functions took less time than they measured, first {less[0]}")


def some_of(counter):
    return ", ".join(f"{what} ({count})" for what, count in counter.most_common(FAULTS_SHOWN))


def described(calls, i):
    parent, name = calls[i]
    return f"{name} in {calls[parent][1] if 0 <= parent < len(calls) else 'nothing'} ({parent})"
