-- SPDX-License-Identifier: BSD-2-Clause
-- title: Threads: where their time went
-- help: For each thread, how long it ran, how long it could have run but had no CPU (runnable), how long it
--   slept for something (blocked), and what is not known (unknown: lost events, or before it was first
--   seen). The four add up to the thread's life inside the recording.
-- shape: table
-- limit: 30
-- total: on_cpu_ns runnable_ns blocked_ns unknown_ns
SELECT comm, tid, pid, on_cpu_ns, runnable_ns, blocked_ns, unknown_ns, switches, preemptions,
       longest_wait_ns, longest_runnable_ns
FROM thread
WHERE tid <> 0
ORDER BY on_cpu_ns DESC, runnable_ns DESC, blocked_ns DESC, tid
