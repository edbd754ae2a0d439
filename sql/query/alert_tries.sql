-- Calls of the alerts of campaign $1 that alert_list names for $2. The call of an engine that is gone may have arrived.
SELECT t.alert, t.step, t.path, t.attempt, t.at, t.outcome IS NULL AND engine_lives(t.engine),
       coalesce(t.outcome, 'unknown'), t.recipient, t.text
  FROM alert_try t JOIN alert x USING (campaign, alert)
 WHERE t.campaign = $1 AND (x.cleared_at IS NULL OR x.cleared_at >= $2) ORDER BY t.alert, t.at, t.step, t.path
