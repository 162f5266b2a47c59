-- SPDX-License-Identifier: BSD-2-Clause
-- title: On-CPU time by stack, as a table
-- help: As oncpu, with a row for each stack.
-- limits: samples
-- shape: table
-- limit: 30
-- total: total_ns
WITH part AS (
  SELECT comm, kernel_stack, user_stack, sum(period_ns) AS ns, count(*) AS n
  FROM sample WHERE tid <> 0
  GROUP BY comm, kernel_stack, user_stack
)
SELECT sum(ns) AS total_ns,
       sum(ns) * 1.0 / (SELECT sum(ns) FROM part) AS share,
       sum(n) AS samples,
       coalesce(comm, '[unknown]') || ';' ||
         coalesce(stack(kernel_stack, user_stack), '[no stack could be taken]') AS stack
FROM part
GROUP BY stack
ORDER BY total_ns DESC
