-- SPDX-License-Identifier: BSD-2-Clause
-- title: The slowest spans
-- help: The calls that took longest, each with how many times the median of its name that is (medians), the thread that
--   made it and the span around it. An open one had not returned when its thread or the recording ended; a
--   broken one was left by longjmp or an exception, some time before the end that is shown.
-- shape: table
-- limit: 20
-- min: 0
SELECT span.name, span.duration_ns, printf('%.1f', span.duration_ns * 1.0 / p50_ns) AS medians, span.comm,
       span.tid, span.pid, span.start_ns, around.name AS inside,
       CASE WHEN span.open THEN 'open' WHEN span.broken THEN 'broken' ELSE 'returned' END AS end,
       span.id AS span_id
FROM span
LEFT JOIN function ON function.name = span.name AND function.location = span.function
LEFT JOIN span AS around ON around.id = span.parent_id
WHERE span.duration_ns >= :min
ORDER BY span.duration_ns DESC, span.id
