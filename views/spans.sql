-- SPDX-License-Identifier: BSD-2-Clause
-- title: Spans: how often functions were called, and how long they took
-- help: For each name given with record --span: how many calls returned, how long half of them took at most
--   (median), nine of ten (p90), 99 of 100 (p99), the longest one, and all together. Not among them: calls
--   that had not returned when their thread or the recording ended (open), and those that were left by
--   longjmp or an exception (broken). Calls of a function from inside itself belong to the outermost one.
-- shape: table
WITH ranked AS (
  SELECT name, duration_ns, row_number() OVER (PARTITION BY name ORDER BY duration_ns) AS rank,
         count(*) OVER (PARTITION BY name) AS count
  FROM span
  WHERE returned
), measured AS (
  SELECT name, count, min(CASE WHEN rank >= (count + 1) / 2 THEN duration_ns END) AS median_ns,
         min(CASE WHEN rank >= (count * 90 + 99) / 100 THEN duration_ns END) AS p90_ns,
         min(CASE WHEN rank >= (count * 99 + 99) / 100 THEN duration_ns END) AS p99_ns,
         max(duration_ns) AS max_ns, sum(duration_ns) AS total_ns
  FROM ranked
  GROUP BY name
), unfinished AS (
  SELECT name, sum(open) AS open, sum(broken) AS broken
  FROM span
  WHERE NOT returned
  GROUP BY name
)
SELECT names.text_0 AS name, coalesce(count, 0) AS count, median_ns, p90_ns, p99_ns, max_ns, total_ns,
       coalesce(open, 0) AS open, coalesce(broken, 0) AS broken
FROM (SELECT DISTINCT text_0 FROM event_span_name) AS names
LEFT JOIN measured ON measured.name = names.text_0
LEFT JOIN unfinished ON unfinished.name = names.text_0
ORDER BY total_ns DESC, names.text_0
