-- SPDX-License-Identifier: BSD-2-Clause
-- title: What a function calls
-- help: What the functions that --function chooses called: how often, what those calls took (calls of a function from
--   inside itself are not counted twice), and their share of all the caller's time. (self) is its own time, without
--   traced functions. Calls that were only counted are not in it.
--   Without --function: of all functions.
-- shape: table
-- limits: calls
-- limit: 50
WITH chosen AS (
  SELECT name, sum(iif(is_inside_itself, 0, total_ns)) AS whole_ns, sum(self_ns) AS self_ns, sum(calls) AS calls
  FROM call_node(1)
  WHERE is_chosen(name)
  GROUP BY name
), called AS (
  SELECT n.name AS function, callee.name AS callee, sum(callee.calls) AS calls,
         sum(iif(callee.is_inside_itself, 0, callee.total_ns)) AS total_ns
  FROM call_node(1) AS callee
  JOIN call_node(1) AS n ON n.id = callee.parent_id
  WHERE is_chosen(n.name)
  GROUP BY n.name, callee.name
  UNION ALL
  SELECT name, '(self)', calls, self_ns FROM chosen
)
SELECT total_ns, total_ns * 1.0 / nullif(whole_ns, 0) AS share, called.calls AS calls, callee, function
FROM called
JOIN chosen ON chosen.name = function
ORDER BY total_ns DESC, called.calls DESC, callee
