-- SPDX-License-Identifier: BSD-2-Clause
-- title: The slowest spans
-- help: The calls that took longest (the 1,000 first), each with how many times the median of its name that is (medians), the thread that
--   made it and the span around it. An open one had not returned when its thread or the recording ended; a
--   broken one was left by longjmp or an exception, some time before the end that is shown.
-- shape: table
-- limit: 20
-- min: 0
WITH slowest AS MATERIALIZED (
  SELECT id FROM span WHERE duration_ns >= :min ORDER BY duration_ns DESC, id LIMIT 1000
)
SELECT span.name, span.duration_ns, printf('%.1f', span.duration_ns * 1.0 / p50_ns) AS medians, span.comm,
       span.tid, span.pid, span.start_ns, around.name AS inside,
       CASE WHEN span.open THEN 'open' WHEN span.broken THEN 'broken' ELSE 'returned' END AS end,
       span.id AS span_id
FROM slowest
CROSS JOIN span ON span.id = slowest.id
LEFT JOIN function ON function.id = span.function_id
LEFT JOIN span AS around ON around.id = span.parent_id
ORDER BY span.duration_ns DESC, span.id
