-- The open work of campaign $1 per running cohort and CA: of each chunk, in any order, eight octets, its due time times
-- 1024 and its size.
SELECT cohort, ca, string_agg(int8send(due_at * 1024 + size), '')
  FROM chunk WHERE campaign = $1 AND cohort = ANY (cohorts_running($1)) AND state IN ('ready', 'claimed')
 GROUP BY cohort, ca ORDER BY cohort, ca
