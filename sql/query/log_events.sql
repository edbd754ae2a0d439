-- Leaves of campaign $1 from sequence $2 on, at most $3.
SELECT seq, at, actor, type, leaf, hash FROM event WHERE campaign = $1 AND seq >= $2 ORDER BY seq LIMIT $3
