-- Alerts of campaign $1 that are not over, and those that ended at $2 or later; $3 is the engine that asks (0: nobody):
-- whether another living one alone sees the cause.
SELECT alert, kind, subject, since, text, cost, command, raised_at, acked_at, acked_by, cleared_at,
       engine IS NOT NULL AND engine <> $3 AND engine_lives(engine)
  FROM alert WHERE campaign = $1 AND (cleared_at IS NULL OR cleared_at >= $2) ORDER BY alert
