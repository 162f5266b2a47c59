-- SPDX-License-Identifier: BSD-2-Clause
-- title: Call graph: functions by the ways that led to them
-- help: Calls of all threads merged: one line for each function under each way that led to it, with what its calls took
--   (total), what of that was not spent in the lines below it (self), and how many there were. Lines with less than
--   0.5 % of the whole are left out. Calls that were only counted are not in it.
-- shape: table
-- limits: calls
-- limit: 200
-- min: 0
WITH whole AS (SELECT sum(total_ns) AS whole_ns FROM call_node WHERE level = 0)
SELECT total_ns, self_ns, calls, total_ns * 1.0 / whole_ns AS share, printf('%*s%s', 2 * min(level, 60), '', name) AS function
FROM call_node, whole
WHERE total_ns >= max(:min, whole_ns / 200)
