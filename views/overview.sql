-- SPDX-License-Identifier: BSD-2-Clause
-- title: Where to look first: threads, waits, who ran instead, hot functions
-- help: The first lines of other views: threads by time on a CPU (threads); what they waited for, by thread name,
--   system call and object, without waits of threads that seem to have had nothing to do (waits, offcpu); who
--   had the CPU when threads had to wait for one (runq); and the functions that samples found running
--   (oncpu). What a report without a view shows.
-- limits: waits samples
-- section: Threads
-- shape: table
-- limit: 8
-- total: on_cpu_ns runnable_ns blocked_ns
SELECT comm, tid, pid, on_cpu_ns, runnable_ns, blocked_ns, longest_wait_ns, longest_runnable_ns
FROM thread
WHERE tid <> 0
ORDER BY on_cpu_ns DESC, runnable_ns DESC, blocked_ns DESC, tid
-- section: What they waited for
-- shape: table
-- limit: 8
-- total: waited_ns
WITH part AS (
  SELECT comm, inside_ns, waited_ns, runnable_ns, coalesce(syscall, '(' || state || ')') AS waited_in, object,
         owner_comm
  FROM wait WHERE tid <> 0 AND NOT is_idle AND state <> 'runnable'
  UNION ALL
  SELECT comm, inside_ns, waited_ns, runnable_ns, '(preempted)', NULL, NULL
  FROM wait WHERE tid <> 0 AND state = 'runnable'
)
SELECT comm, sum(inside_ns) AS waited_ns, count(*) AS waits, max(waited_ns) AS longest_ns, waited_in,
       CASE WHEN object GLOB 'pipe:*' THEN 'pipe' ELSE object END AS object,
       group_concat(DISTINCT owner_comm) AS owners, sum(runnable_ns) AS runnable_ns
FROM part
GROUP BY comm, waited_in, 6
ORDER BY waited_ns DESC, comm
-- section: Who ran while they waited for a CPU (delays from 1 ms on)
-- shape: table
-- limit: 5
SELECT comm, sum(ran_ns) AS delayed_ns, count(DISTINCT wait_id) AS delays, count(DISTINCT tid) AS threads
FROM ran_instead WHERE min_ns = 1000000
GROUP BY comm
ORDER BY delayed_ns DESC, comm
-- section: Functions that ran
-- shape: table
-- limit: 8
WITH hot AS (
  SELECT coalesce(kernel_stack, user_stack) AS stack_id, sum(period_ns) AS ns
  FROM sample WHERE tid <> 0 GROUP BY 1
), named AS (
  SELECT stack_id, ns,
         (SELECT CASE WHEN is_unnamed THEN '[no symbol]' ELSE function END
          FROM frame AS f WHERE f.stack_id = hot.stack_id AND depth = 0) AS function,
         (SELECT module FROM frame AS f WHERE f.stack_id = hot.stack_id AND depth = 0) AS module
  FROM hot
)
SELECT sum(ns) AS on_cpu_ns, sum(ns) * 1.0 / (SELECT sum(ns) FROM hot) AS share,
       coalesce(function, '[no stack could be taken]') AS function, module
FROM named
GROUP BY function, module
ORDER BY on_cpu_ns DESC, function
