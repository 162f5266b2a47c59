-- SPDX-License-Identifier: BSD-2-Clause
-- title: Functions: what the calls of each took
-- help: For each traced function: the time inside it (total; calls of itself from inside are not counted twice), what of
--   that was not spent in traced functions it called (self), how many calls there were, the total by their number (avg), what half
--   of them (p50) and 99 of 100 (p99) took at most, and the longest that returned. Calls that were only counted
--   (--min-time, --max-rate) are in total, self, calls and avg; a percentile that would be the length of
--   one of them is not known. --function, --no-function and --depth: as if only these had been traced. --from and
--   --to: calls that touch the time, total and self only inside of it.
-- shape: table
-- limits: calls sums
-- limit: 50
SELECT total_ns, self_ns, calls, avg_ns, p50_ns, p99_ns, max_ns, name AS function
FROM function
WHERE calls > 0
ORDER BY total_ns DESC, self_ns DESC, name
