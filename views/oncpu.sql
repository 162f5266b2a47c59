-- SPDX-License-Identifier: BSD-2-Clause
-- title: On-CPU time by stack, as a tree
-- help: What threads did while they ran, by thread name and stack, from samples: each stands for one tick of
--   the sampling clock, so that times are estimates. User frames first, kernel frames inside them. The clock is
--   a timer: kernel code that runs with interrupts off is seen where they come on again
--   (_raw_spin_unlock_irqrestore, finish_task_switch).
-- limits: samples
-- shape: tree
WITH part AS (
  SELECT comm, kernel_stack, user_stack, sum(period_ns) AS ns, count(*) AS n
  FROM sample WHERE tid <> 0
  GROUP BY comm, kernel_stack, user_stack
)
SELECT coalesce(comm, '[unknown]') || ';' ||
         coalesce(stack(kernel_stack, user_stack), '[no stack could be taken]') AS stack,
       sum(ns) AS total_ns, sum(n) AS samples
FROM part
GROUP BY 1
ORDER BY total_ns DESC
