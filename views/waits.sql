-- SPDX-License-Identifier: BSD-2-Clause
-- title: The longest waits, with all that is known of them
-- help: Each with how long it was blocked and then runnable, what it was about, who held it, who ended it, and
--   the innermost functions of the stacks, innermost first.
-- limits: waits
-- min: 1ms
-- section: The longest that ended
-- shape: list
-- hide: tid pid wait_id
-- limit: 10
WITH top AS (
  SELECT * FROM wait WHERE waited_ns >= :min AND tid <> 0 AND NOT is_open ORDER BY waited_ns DESC, id
)
SELECT duration(waited_ns) || '  ' || comm || ' (tid ' || tid || ') ' || state AS headline,
       start_ns, blocked_ns, runnable_ns, syscall, object,
       coalesce(owner_comm || ' (tid ' || owner_tid || ')', 'tid ' || owner_tid) AS owner,
       CASE WHEN waker_tid IS NULL THEN NULL
            WHEN waker_tid = 0 THEN 'an interrupt'
            WHEN is_irq THEN 'an interrupt, while ' || waker_comm || ' (tid ' || waker_tid || ') ran'
            ELSE waker_comm || ' (tid ' || waker_tid || ')' END AS woken_by,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = kernel_stack AND NOT is_skipped ORDER BY depth LIMIT 8)) AS kernel_stack,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = user_stack ORDER BY depth LIMIT 12)) AS user_stack,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = waker_kernel_stack ORDER BY depth LIMIT 8)) AS waker_kernel,
       (SELECT group_concat(function, ' < ') FROM (SELECT function FROM frame
          WHERE stack_id = waker_user_stack ORDER BY depth LIMIT 12)) AS waker_user,
       tid, pid, cpu, id AS wait_id
FROM top
-- section: Not over at the end of the recording, or lost from sight
-- shape: table
-- limit: 10
SELECT comm, tid, pid, state, start_ns, waited_ns, id AS wait_id
FROM wait
WHERE is_open AND waited_ns >= :min AND tid <> 0
ORDER BY waited_ns DESC, id
