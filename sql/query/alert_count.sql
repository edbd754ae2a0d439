-- Alerts of campaign $1 that are not over, and how many of them nobody has taken.
SELECT count(*), count(*) FILTER (WHERE acked_at IS NULL) FROM alert WHERE campaign = $1 AND cleared_at IS NULL
