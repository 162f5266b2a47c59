-- SPDX-License-Identifier: BSD-2-Clause
-- title: Calls: who called what, in the order of time
-- help: One line where a call begins that has others inside, one where it ends, and one for a call without, at its end:
--   how long it took, the thread, and the function, indented by the calls around it. A library's functions have
--   its name behind an @. What was passed and came back stands in the line, if it was recorded (-F
--   'f(arg1:str) ret:int'). Words behind a line: unfinished (it had not returned when its thread or the recording
--   ended), inferred (its return was not seen; it ended some time before), inherited (called before the thread was
--   forked, by its parent), exec (it ended as the process began another program). --function, --no-function and
--   --depth: as if only these had been traced.
-- shape: listing
-- limits: calls
SELECT duration_ns, tid, line AS function, time_ns, what, name, level, pid, comm, end_word
FROM call_line
