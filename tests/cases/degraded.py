# SPDX-License-Identifier: BSD-2-Clause
"""Runs with less: what an answer must be where hooks were left out, events lost or binaries stripped.

It may be poorer, but never wrong: no culprit is another than the true one, nothing is called healthy without a note
that says what is missing, and an answer that rests on less says so and is less sure. Nothing here runs anything.
"""

import re

from expect import Verdict

# What notes say of what was left out, by what stands in the way's name; a hook's own name besides.
TOLD_AS = [
    (r"--rate 0|--probe|cpu-clock", r"no samples were taken"),
    (r"--user-stack none", r"user stacks were not taken"),
    (r"--user-stack fp", r"frame pointers"),
    (r"--evidence-hook degraded", r"evidence was taken"),
    (r"--min-wait", r"too short for evidence|without evidence"),
    (r"lossy", r"were lost|is unknown|is not in the recording"),
    (r"stripped", r"has no name"), (r"no-unwind", r"end before their beginning"),
]


def told_as(way):
    """A regular expression of what a note must say about a way to leave something out."""
    words = [says for pattern, says in TOLD_AS if re.search(pattern, way)]
    for names in re.findall(r"--without (\S+)", way):
        words += [re.escape(name) for name in names.split(",")]
    if "--probe" in way:
        words.append("--probe with|probe [a-z]* was not on")
    return "|".join(words) or "$^"


def rests_on(finding):
    """How sure a finding is apart from how large a part of the category its main cause is: that differs from run to run."""
    parts = finding.get("parts") or [{"share": 1}]
    return finding["confidence"] / (0.6 + 0.4 * parts[0]["share"])


class Judgement:
    """What is wrong with an answer that rests on less; `faults` is empty if nothing is. WHOLE is the answer to the same
    case with all there is; None if that went wrong."""

    def __init__(self, variant, truth, whole, answer, way):
        self.verdict = Verdict(variant, truth, answer)
        self.faults = []
        self.notes = [note for note in answer["notes"] if re.search(told_as(way), note)]
        first = answer["findings"][0] if answer["findings"] else None
        total_ns = sum(row["ns"] for row in answer["breakdown"])
        if abs(total_ns - answer["total_ns"]) > 1000:
            self.faults.append("the breakdown is not the whole")
        if not self.notes:
            # nothing that is missing is said to matter: then the answer is as right as ever, or says what it is not sure of
            if not first or "not in the recording" not in first["sentence"]:
                self.faults += [fault for fault in self.verdict.faults if fault not in ("share", "breakdown")]
            if self.faults:
                self.faults.append("and nothing is said of what was left out")
        elif variant.has_fault:
            self._judge(variant, first)
            self._compare(whole, answer)
        elif self.verdict.is_accused:
            self.faults.append("accused")

    def _judge(self, variant, first):
        if not first:
            return
        said = first["culprit"]
        is_named = said.get("tid") is not None
        if is_named and not variant.culprit and variant.object:
            # the truth has no thread: an object, or interrupts
            if not re.search(variant.object, said.get("object") or "") and "category" in self.verdict.faults:
                self.faults.append("a culprit, but it was none")
        elif is_named and "culprit" in self.verdict.faults:
            self.faults.append("wrong culprit")

    def _compare(self, whole, answer):
        """One of the findings must be less sure than the same one was with all there is."""
        before = {finding["category"]: rests_on(finding) for finding in (whole["findings"] if whole else [])}
        same = [finding for finding in answer["findings"] if finding["category"] in before]
        if same and all(rests_on(finding) > before[finding["category"]] - 0.001 for finding in same):
            self.faults.append("as sure as with all there is")

