-- SPDX-License-Identifier: BSD-2-Clause
-- title: Off-CPU time by stack, as a tree
-- help: Where threads were when they were not running, blocked and runnable time together, by thread name
--   and stack: user frames first, kernel frames inside them. Waits too short to have a stack are one line,
--   and so are threads that slept all the time, so that the whole is all off-CPU time (that of the view
--   threads). offcpu-table has the same as a table.
-- limits: waits
-- shape: tree
WITH resting AS (
  SELECT thread_id FROM thread WHERE on_cpu_ns = 0
), part AS (
  SELECT comm, kernel_stack, user_stack, has_evidence, is_open,
         is_open AND is_idle AND thread_id IN resting AS rests, sum(inside_ns) AS ns, count(*) AS n
  FROM wait WHERE tid <> 0
  GROUP BY comm, kernel_stack, user_stack, has_evidence, is_open, rests
), named AS (
  SELECT CASE WHEN rests THEN '[asleep all the time: nothing is known]' ELSE
         comm || ';' || coalesce(stack(kernel_stack, user_stack),
           CASE WHEN is_open THEN '[not over at the end of the recording]'
                WHEN has_evidence THEN '[no stack could be taken]'
                ELSE '[no evidence was taken]' END) END AS stack, ns, n
  FROM part
), short AS (
  SELECT sum(short_wait_ns) AS ns FROM thread WHERE tid <> 0
)
SELECT stack, sum(ns) AS total_ns, sum(n) AS waits FROM named GROUP BY stack HAVING total_ns > 0
UNION ALL
SELECT '[shorter than ' || duration(min_wait_ns) || ': no stack taken]', ns, NULL
FROM short, recording WHERE ns > 0
ORDER BY total_ns DESC
