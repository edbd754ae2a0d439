-- CAs of campaign $1 that are left alone: by a breaker, or because they want it while an engine sends to them.
SELECT ca, class, opened_at, text FROM breaker WHERE campaign = $1 AND closed_at IS NULL
 UNION ALL
SELECT w.ca, 'away', w.told_at, to_char(to_timestamp(w.until_at) AT TIME ZONE 'UTC',
                                        '"it wants to be left alone until" YYYY-MM-DD"T"HH24:MI:SS"Z (Retry-After)"')
  FROM away w
 WHERE EXISTS (SELECT 1 FROM engine g WHERE g.campaign = $1 AND w.ca = ANY (g.sends) AND w.until_at > g.campaign_seen_at)
 ORDER BY 1, 2
