-- SPDX-License-Identifier: BSD-2-Clause
-- title: The longest waits, with all that is known of them
-- help: The longest wait of each kind (same thread name, state, system call, stacks), with how many there
--   were: how long it was blocked and then runnable, what it was about, who held it, who ended it, and the
--   innermost functions of the stacks, innermost first. Waits of threads that seem to have had nothing to do
--   (poll, sleep, kernel threads at rest, sleeps without evidence) are summed up in a table of their own.
--   The table wait has each single one (dashcam query).
-- limits: waits
-- min: 1ms
-- section: The longest that ended
-- shape: list
-- hide: tid pid wait_id waits total_ns
-- limit: 10
WITH top AS (
  SELECT max(waited_ns) AS longest_ns, count(*) AS waits, sum(waited_ns) AS total_ns, *
  FROM wait
  WHERE waited_ns >= :min AND tid <> 0 AND NOT is_open AND NOT is_idle
  GROUP BY comm, state, syscall, kernel_stack, user_stack
)
SELECT duration(waited_ns) || '  ' || comm || ' (tid ' || tid || ') ' || state AS headline,
       CASE WHEN waits > 1 THEN (waits - 1) || ' more, ' || duration(total_ns) || ' in all' END AS like_it,
       start_ns, blocked_ns, runnable_ns, syscall, CASE WHEN state <> 'runnable' THEN object END AS object,
       owner_comm || ' (tid ' || owner_tid || ')' AS owner,
       CASE WHEN waker_tid IS NULL THEN NULL
            WHEN waker_tid = 0 THEN 'an interrupt'
            WHEN is_irq THEN 'an interrupt, while ' || waker_comm || ' (tid ' || waker_tid || ') ran'
            ELSE waker_comm || ' (tid ' || waker_tid || ')' ||
                 CASE WHEN coalesce(waker_kernel_stack, waker_user_stack) IS NULL
                      THEN ', or an interrupt while it ran' ELSE '' END END AS woken_by,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = kernel_stack AND NOT is_skipped ORDER BY depth LIMIT 8)) AS kernel_stack,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = user_stack ORDER BY depth LIMIT 12)) AS user_stack,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = waker_kernel_stack AND NOT is_skipped ORDER BY depth LIMIT 8)) AS waker_kernel,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = waker_user_stack ORDER BY depth LIMIT 12)) AS waker_user,
       tid, pid, cpu, id AS wait_id, waits, total_ns
FROM top
ORDER BY waited_ns DESC, id
-- section: Waits of threads that seem to have had nothing to do
-- shape: table
-- limit: 10
SELECT comm, count(DISTINCT tid) AS threads, state, syscall, count(*) AS waits, sum(waited_ns) AS total_ns,
       max(waited_ns) AS longest_ns
FROM wait
WHERE waited_ns >= :min AND tid <> 0 AND NOT is_open AND is_idle
GROUP BY comm, state, syscall
ORDER BY longest_ns DESC, comm
-- section: Not over at the end of the recording, or lost from sight: those that are not asleep, and those that ran, first
-- shape: table
-- limit: 10
SELECT comm, tid, pid, state, start_ns, waited_ns, id AS wait_id
FROM wait
WHERE is_open AND waited_ns >= :min AND tid <> 0
ORDER BY state IN ('sleeping', 'idle', 'parked'), thread_id IN (SELECT thread_id FROM thread WHERE on_cpu_ns = 0),
         waited_ns DESC, id
