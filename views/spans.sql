-- SPDX-License-Identifier: BSD-2-Clause
-- title: Spans: how often functions were called, and how long they took
-- help: For each name given with record --span, and each function traced with -F: how many calls returned, how long half
--   of them took at most (median), nine of ten (p90), 99 of 100 (p99), the longest one, and all together. Not
--   among them: calls that had not returned when their thread or the recording ended (open), and those that were
--   left by longjmp or an exception (broken). Calls of a named function from inside itself belong to the outermost one.
-- shape: table
SELECT name, returned AS count, p50_ns AS median_ns, p90_ns, p99_ns, max_ns, nullif(returned_ns, 0) AS total_ns, open,
       inferred AS broken
FROM function
ORDER BY returned_ns DESC, name
