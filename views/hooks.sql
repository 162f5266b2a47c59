-- SPDX-License-Identifier: BSD-2-Clause
-- title: Kernel hooks: what was observed, and what could not be
-- help: Each hook with whether it worked. fallback: the next best was used in its place.
-- shape: table
SELECT name, status, error, gives FROM hook ORDER BY status = 'works', name
