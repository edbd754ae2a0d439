-- Started cohorts of campaign $1 that passed their deadline before $2 with work left, and are not marked yet.
SELECT o.cohort FROM cohort o
 WHERE o.campaign = $1 AND o.started_at IS NOT NULL AND NOT o.missed AND o.deadline < $2
   AND EXISTS (SELECT 1 FROM page p WHERE p.campaign = o.campaign AND p.cohort = o.cohort
                  AND p.not_revoked + p.pending_publication + p.held + p.unknown > 0)
 ORDER BY o.cohort
