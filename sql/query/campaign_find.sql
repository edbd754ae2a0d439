-- The campaign named $1, or (NULL) every one that is not closed.
SELECT campaign, name, mode, opened_at, opened_by, bug, rule, received, profile, generation, paused_revoke, paused_notify,
       pause_reason, closed_at
  FROM campaign WHERE CASE WHEN $1::text IS NULL THEN closed_at IS NULL ELSE name = $1 END ORDER BY campaign
