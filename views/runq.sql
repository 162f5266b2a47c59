-- SPDX-License-Identifier: BSD-2-Clause
-- title: Run-queue delays: waiting for a CPU
-- help: How long threads that could run had to wait for a CPU: first all delays counted by length, short ones
--   too; then the longest, each with who ran on that CPU meanwhile (idle: nobody did; unknown: events were
--   lost) and who ran and stood in its queue at the moment it became runnable, in their order. A thread
--   counts in the queue of the CPU on which it ran next.
-- min: 1ms
-- section: Run-queue delays of all waits
-- shape: histogram
SELECT bucket_from_ns, bucket_to_ns, count FROM runq_histogram
-- section: The longest
-- shape: list
-- hide: tid pid comm cpu runnable_ns wait_id
-- limit: 10
SELECT duration(w.runnable_ns) || '  ' || w.comm || ' (tid ' || w.tid || ') on CPU ' || w.cpu AS headline,
       w.wake_ns AS at_ns,
       CASE WHEN w.state = 'runnable' THEN 'preempted'
            WHEN w.waker_comm IS NULL THEN 'woken'
            WHEN w.is_irq THEN 'woken by an interrupt'
            ELSE 'woken by ' || w.waker_comm || ' (tid ' || w.waker_tid || ')' END AS why,
       (SELECT group_concat(who, ', ') FROM (
          SELECT comm || CASE WHEN tid > 0 THEN ' (tid ' || tid || ')' ELSE '' END ||
                 ' ' || duration(ran_ns) || ' ' || cast(round(share * 100) AS INTEGER) || ' %' ||
                 CASE WHEN prio < 100 THEN ' (real time)' ELSE '' END AS who
          FROM ran_instead WHERE wait_id = w.id AND min_ns = :min ORDER BY ran_ns DESC LIMIT 8)) AS ran_instead,
       (SELECT group_concat(who, ', ') FROM (
          SELECT comm || CASE WHEN position = 0 AND tid > 0 AND running_ns > 0 THEN ' (running for ' || duration(running_ns) || ')'
                              WHEN position = 0 THEN ''
                              ELSE ' (' || duration(waiting_ns) || ')' END AS who
          FROM run_queue WHERE wait_id = w.id AND min_ns = :min ORDER BY position LIMIT 16)) AS queue,
       w.tid, w.pid, w.comm, w.cpu, w.runnable_ns, w.id AS wait_id
FROM wait AS w
WHERE w.runnable_ns >= :min AND NOT w.is_open
ORDER BY w.runnable_ns DESC, w.id
