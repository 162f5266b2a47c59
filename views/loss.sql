-- SPDX-License-Identifier: BSD-2-Clause
-- title: Events that were lost
-- help: What, where and when. Reports show such time as unknown, never as zero.
-- shape: table
-- limit: 100
SELECT kind, cpu, from_ns, to_ns, events, reason FROM loss ORDER BY from_ns
