-- SPDX-License-Identifier: BSD-2-Clause
-- title: Who woke whom
-- help: For each pair of threads how often one woke the other, and how long it had been blocked by then. idle
--   as the waker: an interrupt on a CPU that had nothing to do. By interrupt: it stopped the waker, which
--   has nothing to do with it; this is known of waits long enough for the waker's stack, and "-" where
--   there is none: then the waker may have been a bystander.
-- shape: table
-- limit: 30
-- total: blocked_ns
SELECT waker_comm, waker_tid, comm, tid, count, interrupt_count, blocked_ns,
       blocked_ns / count AS average_ns, longest_ns
FROM wakeup
ORDER BY blocked_ns DESC, count DESC
