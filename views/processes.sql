-- SPDX-License-Identifier: BSD-2-Clause
-- title: Processes: when they began and ended, and how
-- help: Each with its parent, how many threads it had, the time they were on a CPU, and how it ended. No start:
--   it was there before the recording. No end: it outlived it.
-- shape: table
-- limit: 50
-- total: on_cpu_ns
SELECT p.pid, p.ppid, p.comm, CASE WHEN p.was_born_here THEN p.start_ns END AS start_ns, p.end_ns, p.exit,
       count(t.tid) AS threads, sum(t.on_cpu_ns) AS on_cpu_ns, p.cmdline
FROM process AS p LEFT JOIN thread AS t ON t.process_id = p.process_id
WHERE p.pid <> 0
GROUP BY p.process_id
ORDER BY sum(t.on_cpu_ns) DESC, p.pid
