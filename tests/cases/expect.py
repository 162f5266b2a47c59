# SPDX-License-Identifier: BSD-2-Clause
"""What a case expects: reads tests/cases/NAME/expect, and compares an answer of `dashcam explain` with it.

The format is in README.md. Nothing here runs anything.
"""

import fnmatch
import os
import re

SHARE_MARGIN = 0.10
BREAKDOWN_MARGIN = 0.02
BREAKDOWN_MARGIN_NS = 1_000_000

WORDS = {"NEEDS", "RECORD", "TARGET", "CATEGORY", "CULPRIT", "FUNCTION", "OBJECT", "SENTENCE", "HOPS", "SHARE",
         "HEALTHY", "ACCUSES_NOT"}


class NotUnderstood(Exception):
    """An expect file or an answer is not what README.md says; the text says where and why."""


class Variant:
    """One way to run a case: its name, the workload's arguments, and what is expected of it."""

    def __init__(self, case, name, arguments):
        self.case = case
        self.name = name
        self.arguments = arguments
        self.own = {}

    def __getattr__(self, word):
        """variant.category is the text behind CATEGORY, None without that line."""
        word = word.upper()
        if word not in WORDS:
            raise AttributeError(word)
        return self.own.get(word, self.case.common.get(word))

    @property
    def is_healthy(self):
        return self.healthy is not None

    @property
    def has_fault(self):
        """False where something must be left in peace."""
        return not self.is_healthy and self.accuses_not is None


class Case:
    """A folder of tests/cases."""

    def __init__(self, path):
        self.name = os.path.basename(path)
        self.summary = ""
        self.common = {}
        self.variants = []
        self._read(os.path.join(path, "expect"))

    def _read(self, path):
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                self.summary = self.summary or line[1:].strip()
            elif line.strip():
                self._read_line(f"{path}:{number}", line)
        if len(self.variants) < 2:
            raise NotUnderstood(f"{path}: at least two variants are wanted")
        for variant in self.variants:
            if variant.has_fault and not variant.category:
                raise NotUnderstood(f"{path}: variant {variant.name} needs CATEGORY, HEALTHY or ACCUSES_NOT")

    def _read_line(self, where, line):
        word, _, text = line.strip().partition(" ")
        text = text.strip()
        if word == "VARIANT" and text and not line[0].isspace():
            name, *arguments = text.split()
            self.variants.append(Variant(self, name, arguments))
        elif word not in WORDS:
            raise NotUnderstood(f"{where}: not understood: {line}")
        elif not line[0].isspace():
            self.common[word] = text
        elif self.variants:
            self.variants[-1].own[word] = text
        else:
            raise NotUnderstood(f"{where}: an indented line belongs to the variant above it")


def texts(culprit):
    """What is said about CULPRIT in words: not its numbers, such as a pid."""
    return [value for value in culprit.values() if isinstance(value, str)]


def matches(text, globs):
    """TEXT is one of the GLOBS, which have | between them."""
    return any(fnmatch.fnmatchcase(text or "", glob.strip()) for glob in globs.split("|"))


class Verdict:
    """What is wrong with an answer: nothing if `faults` is empty."""

    def __init__(self, variant, truth, answer):
        self.faults = []
        self.is_accused = bool(answer["findings"])
        self.breakdown_off = None
        self.share_found = self.share_true = None
        first = answer["findings"][0] if answer["findings"] else {}
        culprit = first.get("culprit") or {}
        self.category = first.get("category", "")
        self.culprit = culprit.get("comm") or culprit.get("object") or ""
        self.function = culprit.get("function") or ""
        if variant.is_healthy:
            self._judge_health(answer)
        elif not variant.has_fault:
            self._judge_innocence(variant.accuses_not, answer)
        else:
            self._judge_finding(variant, first, culprit)
        self.is_right = not self.faults  # the cause is named; how much of it comes now
        if variant.share and first:
            self._judge_share(variant.share, first, truth)
        self._judge_breakdown(answer, truth)

    def _fault(self, condition, sentence):
        if condition:
            self.faults.append(sentence)

    def _judge_health(self, answer):
        self._fault(self.is_accused, "accused, but it is healthy")
        self._fault(not answer.get("healthy"), "healthy is not said")

    def _judge_innocence(self, innocent, answer):
        """A real finding beside it is in order: of another category, with another culprit."""
        named = [" ".join([finding["category"], *texts(finding.get("culprit") or {})]) for finding in answer["findings"]]
        accused = [text for text in named if re.search(innocent, text)]
        self.is_accused = bool(accused)
        self._fault(accused, f"accused, but innocent: {'; '.join(accused)}")

    def _judge_finding(self, variant, first, culprit):
        if not first:
            self.faults.append("nothing was found")
            return
        self._fault(not matches(self.category, variant.category), "category")
        self._fault(variant.culprit and not matches(culprit.get("comm"), variant.culprit), "culprit")
        self._fault(variant.function and not matches(self.function, variant.function),
                    f"function is {self.function or 'not given'}, not {variant.function}")
        self._fault(variant.object and not re.search(variant.object, culprit.get("object") or ""),
                    f"object is {culprit.get('object') or 'not given'}, not {variant.object}")
        text = " ".join(filter(None, (first.get("sentence"), first.get("advice"))))
        self._fault(variant.sentence and not re.search(variant.sentence, text), f"{variant.sentence} is not said")
        hops = len(first.get("chain", [])) - 1
        self._fault(variant.hops and hops < int(variant.hops), f"{hops} hops, not {variant.hops}")

    def _judge_share(self, category, first, truth):
        self.share_found = first["share"]
        self.share_true = truth.share_of(category)
        self._fault(abs(self.share_found - self.share_true) > SHARE_MARGIN, "share")

    def _judge_breakdown(self, answer, truth):
        """The sum, and each category that the truth knows."""
        total_ns = answer["total_ns"]
        found = {row["category"]: row["ns"] for row in answer["breakdown"]}
        worst, margin_ns = ("", 0), max(BREAKDOWN_MARGIN * total_ns, BREAKDOWN_MARGIN_NS)
        known = truth.spent()
        self._fault(abs(sum(found.values()) - total_ns) > 1000, "the breakdown is not the whole")
        for category, true_ns in known.items():
            off_ns = distance(true_ns, *bounds(found, category))
            if abs(off_ns) >= abs(worst[1]):
                worst = (category, off_ns)
        if known:
            self.breakdown_off = f"{worst[0]} {worst[1] / 1e6:+.1f} ms ({worst[1] / total_ns:+.1%})"
            self._fault(abs(worst[1]) > margin_ns, "breakdown")


def bounds(found, category):
    """Least and most that a breakdown says of a category, or of a family such as runq. CPU time that
    went into page faults or reclaim is told under mem. The kernel's own clock of the run queue starts when the
    interrupt for a wake-up has arrived on the idle CPU (runq.latency until then), a workload's time in a call does not know
    the two apart."""
    least = sum(ns for name, ns in found.items() if name == category or name.startswith(category + "."))
    most = least
    latency_ns = found.get("runq.latency", 0)
    if category == "runq":
        least -= latency_ns
    elif not category.startswith(("cpu", "runq")):
        most += latency_ns
    if category == "cpu":
        most += sum(ns for name, ns in found.items() if name.startswith("mem."))
    return least, most


def distance(true_ns, least_ns, most_ns):
    """How far found numbers are above (below: negative) what is true."""
    if true_ns < least_ns:
        return least_ns - true_ns
    return min(0, most_ns - true_ns)


class Truth:
    """What a workload wrote down."""

    def __init__(self, path):
        self.values = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, _, value = line.rstrip("\n").partition("=")
                    self.values[key] = value

    def get(self, key):
        return self.values.get(key)

    def number(self, key):
        try:
            return int(self.values[key])
        except (KeyError, ValueError) as error:
            raise NotUnderstood(f"the truth has no number {key}") from error

    def interval_ns(self):
        return self.number("victim.to_ns") - self.number("victim.from_ns")

    def share_of(self, category):
        key = "ns." + category if "ns." + category in self.values else "about." + category
        return self.number(key) / self.interval_ns()

    def spent(self):
        return {key[3:]: self.number(key) for key in self.values if key.startswith("ns.")}
