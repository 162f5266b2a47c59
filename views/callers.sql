-- SPDX-License-Identifier: BSD-2-Clause
-- title: Callers of a function
-- help: From where the functions that --function chooses were called: how often, what those calls took (calls of a
--   function from inside itself are not counted twice), and their share of all its time. Callers are traced
--   functions: the nearest one around the call. Calls that were only counted are not in it.
--   Without --function: of all functions.
-- shape: table
-- limits: calls
-- limit: 50
-- total: total_ns
WITH called AS (
  SELECT n.name AS function, coalesce(caller.name, '(outermost)') AS caller, n.calls AS calls,
         iif(n.is_inside_itself, 0, n.total_ns) AS total_ns
  FROM call_node(1) AS n
  LEFT JOIN call_node(1) AS caller ON caller.id = n.parent_id
  WHERE is_chosen(n.name)
), whole AS (
  SELECT function AS name, sum(total_ns) AS whole_ns FROM called GROUP BY function
)
SELECT sum(total_ns) AS total_ns, sum(total_ns) * 1.0 / nullif(whole_ns, 0) AS share, sum(calls) AS calls, caller,
       function
FROM called
JOIN whole ON whole.name = function
GROUP BY function, caller
ORDER BY total_ns DESC, calls DESC, caller
