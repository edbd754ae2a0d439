-- The rows of change $2 of campaign $1.
SELECT cohort, kind, old_rule, old_reason, old_received, old_deadline, rule, reason, received, deadline, should_by, source, raw
  FROM clock_change WHERE campaign = $1 AND change = $2 ORDER BY cohort
