#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The checker itself: it accepts what a program of the plan would show, and notices each thing that can be wrong."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True

from check import Check, Truth, plain_name  # noqa: E402
from program import KINDS, expected_lists, make_plan  # noqa: E402


def rows_of(expected, tids):
    """The rows of the table span if all goes well: one tick per begin and end."""
    rows = []
    for role, calls in expected.items():
        clock, stack = 0, []

        def leave_until(parent):
            nonlocal clock
            while stack and stack[-1][0] != parent:
                clock += 1
                row = stack.pop()[1]
                row["duration_ns"] = clock - row["start_ns"]

        for position, (parent, name, end, _) in enumerate(calls):
            leave_until(parent)
            clock += 1
            row = {"id": len(rows), "tid": tids[role], "name": f"gen::{name}(unsigned long)", "start_ns": clock,
                   "depth": len(stack), "parent_id": stack[-1][1]["id"] if stack else None,
                   "returned": int(end in ("returns", "any", "caught"))}
            stack.append((position, row))
            rows.append(row)
        leave_until(None)
    return rows


class TestCheck(unittest.TestCase):
    def setUp(self):
        plan = make_plan("cxx", 7, 120, 900, 10)
        self.expected = expected_lists(plan, "cxx")
        with tempfile.NamedTemporaryFile("w") as file:
            for number, role in enumerate(self.expected):
                file.write(f"role {role} {100 + number}\n")
            file.flush()
            self.truth = Truth(file.name)
        self.rows = rows_of(self.expected, self.truth.tids)

    def faults(self):
        return Check(self.rows, self.expected, self.truth).faults

    def find(self, condition):
        return next(row for row in self.rows if condition(row))

    def test_right(self):
        self.assertEqual(self.faults(), [])

    def test_strangers(self):
        self.rows.append({**self.rows[0], "id": len(self.rows), "name": "gen_main.cold"})
        self.assertIn("not in the plan", self.faults()[0])

    def test_missing(self):
        self.rows.remove(self.find(lambda row: row["depth"] == 3))
        self.assertIn("missing", "".join(self.faults()))

    def test_twice(self):
        self.rows.append({**self.rows[40], "id": len(self.rows)})
        self.assertIn("too many", "".join(self.faults()))

    def test_wrong_caller(self):
        row = self.find(lambda row: row["depth"] == 2)
        row["parent_id"] = self.rows[row["parent_id"]]["parent_id"]
        self.assertIn("wrong caller", "".join(self.faults()))

    def test_wrong_thread(self):
        self.find(lambda row: row["depth"] == 2)["tid"] += 1
        self.assertIn("missing", "".join(self.faults()))

    def test_end_not_seen(self):
        self.find(lambda row: row["returned"] and row["depth"] == 1)["returned"] = 0
        self.assertIn("wrong end", self.faults()[0])

    def test_left_but_returned(self):
        self.find(lambda row: not row["returned"])["returned"] = 1
        self.assertIn("did not return", self.faults()[0])

    def test_outside_of_its_caller(self):
        row = self.find(lambda row: row["depth"] == 1)
        row["duration_ns"] += 1_000_000
        self.assertIn("within the time", "".join(self.faults()))

    def test_overlapping(self):
        row = self.find(lambda row: row["depth"] == 1)
        following = self.find(lambda other: other["parent_id"] == row["parent_id"] and other["id"] > row["id"])
        row["duration_ns"] = following["start_ns"] - row["start_ns"] + 1
        self.assertIn("overlap", "".join(self.faults()))

    def test_work(self):
        self.truth.work_ns[plain_name(self.rows[5]["name"])] = 10_000_000
        self.assertIn("less time", "".join(self.faults()))


class TestPlan(unittest.TestCase):
    def test_every_function_is_called(self):
        for language in KINDS:
            plan = make_plan(language, 3, 150, 2000, 0)
            called = {name for calls in expected_lists(plan, language).values() for _, name, _, _ in calls}
            self.assertEqual({one.name for one in plan.functions} - called, set())

    def test_same_seed_same_calls(self):
        one, other = (expected_lists(make_plan("c", 5, 100, 500, 10), "c") for _ in range(2))
        self.assertEqual(one, other)

    def test_names(self):
        self.assertEqual(plain_name("gen::f_1(unsigned long)@lib.so.1"), "f_1")
        self.assertEqual(plain_name("program::gen_f::h0123456789abcdef"), "gen_f")
        self.assertEqual(plain_name("fn_0x1234", {0x1234: "gen_f"}), "gen_f")


if __name__ == "__main__":
    unittest.main(verbosity=0 if "--quiet" in sys.argv else 1, argv=sys.argv[:1])
