-- SPDX-License-Identifier: BSD-2-Clause
-- title: CPUs: busy, idle, unknown
-- help: Where each CPU's time went, and how often it changed hands. With --pid, --tid or --comm, busy is the
--   time of those threads and other that of all else.
-- shape: table
-- total: busy_ns other_ns idle_ns unknown_ns
SELECT cpu, busy_ns, busy_ns * 1.0 / (SELECT shown_ns FROM recording) AS busy_share, other_ns, idle_ns,
       unknown_ns, switches
FROM cpu
ORDER BY cpu
