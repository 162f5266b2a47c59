#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The comparison that decides whether a case passed, and the expect files of all cases. Part of `make check`."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from expect import Case, NotUnderstood, Truth, Verdict  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
MS = 1_000_000

LOCK = """# a lock
VARIANT long 20 50
VARIANT short 2 5
\tCULPRIT brief*
CATEGORY lock.futex
CULPRIT holder|keeper
FUNCTION hold_*
HOPS 1
SHARE lock.futex
"""


def case_of(text):
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "expect"), "w", encoding="utf-8") as file:
            file.write(text)
        return Case(directory)


def truth_of(**values):
    truth = Truth("/nonexistent")
    truth.values = {"victim.from_ns": "0", "victim.to_ns": str(1000 * MS)}
    truth.values.update({key.replace("__", "."): str(value) for key, value in values.items()})
    return truth


def answer_of(category="lock.futex", share=0.6, comm="holder", function="hold_it", hops=1, breakdown=None):
    breakdown = breakdown or {"lock.futex": 600 * MS, "cpu.user": 390 * MS, "mem.fault": 10 * MS}
    return {
        "total_ns": 1000 * MS, "healthy": False,
        "breakdown": [{"category": name, "ns": ns} for name, ns in breakdown.items()],
        "findings": [{"category": category, "share": share, "chain": [{}] * (hops + 1),
                      "culprit": {"comm": comm, "function": function, "object": "mutex 0x1"}}]}


class ReadingExpectations(unittest.TestCase):
    def test_indented_lines_are_for_one_variant(self):
        long, short = case_of(LOCK).variants
        self.assertEqual((long.name, long.arguments, long.culprit), ("long", ["20", "50"], "holder|keeper"))
        self.assertEqual((short.culprit, short.category), ("brief*", "lock.futex"))

    def test_mistakes_are_told(self):
        for text in ("VARIANT a\nVARIANT b\n", "VARIANT a\nHEALTHY\n", "\tCULPRIT a\n" + LOCK, LOCK + "CULPRITS a\n"):
            with self.assertRaises(NotUnderstood):
                case_of(text)

    def test_all_cases_are_understood(self):
        for entry in os.scandir(HERE):
            if os.path.exists(os.path.join(entry.path, "expect")):
                case = Case(entry.path)
                self.assertTrue(case.summary, entry.name)
                self.assertTrue(os.path.exists(os.path.join(entry.path, "workload.c")), entry.name)


class Judging(unittest.TestCase):
    def faults(self, answer, text=LOCK, **truth):
        truth = {"ns__lock__futex": 600 * MS, **truth}
        return Verdict(case_of(text).variants[0], truth_of(**truth), answer).faults

    def test_a_right_answer(self):
        self.assertEqual(self.faults(answer_of()), [])
        self.assertEqual(self.faults(answer_of(comm="keeper", hops=3)), [])

    def test_each_thing_that_can_be_wrong(self):
        self.assertEqual(self.faults(answer_of(category="wait.condition")), ["category"])
        self.assertEqual(self.faults(answer_of(comm="victim")), ["culprit"])
        self.assertEqual(len(self.faults(answer_of(function="spin"))), 1)
        self.assertEqual(self.faults(answer_of(hops=0)), ["0 hops, not 1"])
        self.assertEqual(self.faults(answer_of(share=0.71)), ["share"])
        self.assertEqual(len(self.faults(answer_of(), LOCK + "OBJECT rwsem\n")), 1)
        self.assertEqual(self.faults(answer_of(), LOCK + "SENTENCE twice\n"), ["twice is not said"])
        outspoken = answer_of()
        outspoken["findings"][0]["advice"] = "say it twice"
        self.assertEqual(self.faults(outspoken, LOCK + "SENTENCE twice\n"), [])
        self.assertEqual(self.faults({**answer_of(), "findings": []})[0], "nothing was found")

    def test_the_breakdown(self):
        self.assertEqual(self.faults(answer_of(), ns__lock__futex=581 * MS), [])
        self.assertEqual(self.faults(answer_of(), ns__lock__futex=579 * MS), ["breakdown"])
        self.assertEqual(self.faults(answer_of(), ns__runq=19 * MS), [])
        self.assertEqual(self.faults(answer_of(), ns__runq=21 * MS), ["breakdown"])
        # CPU time in page faults is told as mem.fault or as cpu.*; neither is wrong.
        self.assertEqual(self.faults(answer_of(), ns__cpu=375 * MS), [])
        self.assertEqual(self.faults(answer_of(), ns__cpu=415 * MS), [])
        self.assertEqual(self.faults(answer_of(), ns__cpu=425 * MS), ["breakdown"])
        lacking = answer_of(breakdown={"lock.futex": 600 * MS, "cpu.user": 300 * MS})
        self.assertEqual(self.faults(lacking), ["the breakdown is not the whole"])

    def test_health(self):
        healthy = {**answer_of(), "findings": [], "healthy": True}
        text = "VARIANT a\nVARIANT b\nHEALTHY\n"
        self.assertEqual(self.faults(healthy, text), [])
        self.assertEqual(self.faults({**healthy, "healthy": False}, text), ["healthy is not said"])
        self.assertEqual(len(self.faults(answer_of(), text)), 2)

    def test_innocence(self):
        text = "VARIANT a\nVARIANT b\nACCUSES_NOT lock\\.kernel|monitor\n"
        self.assertEqual(self.faults(answer_of(), text), [])
        self.assertEqual(len(self.faults(answer_of(category="lock.kernel"), text)), 1)
        self.assertEqual(len(self.faults(answer_of(comm="monitor"), text)), 1)

    def test_shares_that_only_samples_can_tell(self):
        text = LOCK.replace("SHARE lock.futex", "SHARE mem.fault")
        self.assertEqual(self.faults(answer_of(), text, about__mem__fault=650 * MS), [])
        self.assertEqual(self.faults(answer_of(), text, about__mem__fault=450 * MS), ["share"])


if __name__ == "__main__":
    unittest.main()
