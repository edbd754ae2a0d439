-- CAs of campaign $1 that are left alone.
SELECT ca, class, opened_at, text FROM breaker WHERE campaign = $1 AND closed_at IS NULL ORDER BY ca
