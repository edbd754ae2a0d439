-- The campaign named $1, or (NULL) every one that is not closed; last, the clause that it was opened under, and how many
-- ids its certificates were given.
SELECT campaign, name, mode, opened_at, opened_by, bug, rule, received, profile, generation, paused_revoke, paused_notify,
       pause_reason, closed_at,
       coalesce((SELECT x.old_rule FROM clock_change x
                  WHERE x.campaign = g.campaign AND x.cohort = 0 AND x.applied_at IS NOT NULL ORDER BY x.change LIMIT 1), rule),
       next_certificate
  FROM campaign g WHERE CASE WHEN $1::text IS NULL THEN closed_at IS NULL ELSE name = $1 END ORDER BY campaign
