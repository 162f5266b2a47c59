-- SPDX-License-Identifier: BSD-2-Clause
-- title: What threads' time was
-- help: Every nanosecond of the threads by category: waits by why they were blocked and then by why they had no CPU,
--   time on a CPU by what samples found. What is in brackets could not be looked into. Times add up to the
--   threads' lives.
-- limits: waits samples
-- shape: table
-- limit: 40
-- total: total_ns
WITH life AS (
  SELECT thread_id, on_cpu_ns, short_wait_ns, unknown_ns FROM thread WHERE tid <> 0
), sampled AS (
  SELECT category, sum(period_ns) AS ns FROM sample WHERE tid <> 0 GROUP BY 1
), part AS (
  SELECT CASE WHEN w.is_open AND w.is_idle AND t.on_cpu_ns = 0 THEN '[asleep all the time]'
              WHEN w.is_open AND w.blocked_category = 'unknown' THEN '[not over at the end of the recording]'
              ELSE w.blocked_category END AS category,
         w.blocked_inside_ns AS ns, 1 AS n, w.blocked_ns AS longest_ns
  FROM wait AS w JOIN life AS t USING (thread_id) WHERE w.blocked_ns > 0
  UNION ALL
  SELECT runnable_category, inside_ns - blocked_inside_ns, 1, runnable_ns FROM wait
  WHERE runnable_ns > 0 AND tid <> 0
  UNION ALL
  SELECT '[waits shorter than ' || duration(min_wait_ns) || ']', (SELECT sum(short_wait_ns) FROM life), NULL, NULL
  FROM recording
  UNION ALL
  SELECT category, (SELECT sum(on_cpu_ns) FROM life) * (ns * 1.0 / (SELECT sum(ns) FROM sampled)), NULL, NULL
  FROM sampled
  UNION ALL
  SELECT '[on a CPU, no samples]', sum(on_cpu_ns), NULL, NULL FROM life WHERE NOT EXISTS (SELECT 1 FROM sampled)
  UNION ALL
  SELECT 'unknown', sum(unknown_ns), NULL, NULL FROM life
), summed AS (
  SELECT category, cast(sum(ns) AS INTEGER) AS total_ns, sum(n) AS waits, max(longest_ns) AS longest_ns
  FROM part GROUP BY category HAVING sum(ns) > 0
)
SELECT category, total_ns, total_ns * 1.0 / (SELECT sum(total_ns) FROM summed) AS share, waits, longest_ns
FROM summed
ORDER BY total_ns DESC, category
