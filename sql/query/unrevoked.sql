-- What is not revoked of campaign $1, and the earliest deadline of a cohort that has such. A cohort that has not started
-- has no counters: all of it is left.
SELECT coalesce(sum(l.n), 0), min(l.deadline)
  FROM (SELECT o.deadline, CASE WHEN o.started_at IS NULL THEN
               (SELECT count(*) FROM certificate k
                 WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.excluded IS NULL AND NOT k.withdrawn)
          ELSE (SELECT sum(p.not_revoked) FROM page p WHERE p.campaign = o.campaign AND p.cohort = o.cohort) END AS n
          FROM cohort o WHERE o.campaign = $1) l
 WHERE l.n > 0
