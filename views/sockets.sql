-- SPDX-License-Identifier: BSD-2-Clause
-- title: Sockets and peers that threads waited for
-- help: Time blocked in waits on a socket's descriptor, by peer, with how many there were, the longest, and whose
--   they were.
-- limits: waits
-- shape: table
-- limit: 30
-- total: waited_ns
SELECT sum(w.inside_ns) AS waited_ns, count(*) AS waits, max(w.waited_ns) AS longest_ns,
       group_concat(DISTINCT w.syscall) AS syscalls, group_concat(DISTINCT w.comm) AS threads,
       w.object AS socket
FROM wait AS w JOIN socket AS s ON s.id = w.object_id
GROUP BY w.object
ORDER BY waited_ns DESC
