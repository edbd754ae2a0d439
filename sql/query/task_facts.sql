-- What tasks follow from, per cohort of campaign $1: plan made, infeasible, last approval, first slot dealt, first notice
-- accepted, silent subscribers whose backup contact was not tried, canaries that have not spoken, certificates left.
WITH silent AS (
    SELECT n.cohort, count(DISTINCT n.subscriber) AS n FROM notice n JOIN contact c USING (contact)
     WHERE n.campaign = $1 AND n.kind = 'first' AND c.role = 'primary'
       AND NOT EXISTS (SELECT 1 FROM ack a WHERE a.campaign = $1 AND a.subscriber = n.subscriber)
       AND EXISTS (SELECT 1 FROM contact b WHERE b.subscriber = n.subscriber AND b.role = 'backup')
       AND NOT EXISTS (SELECT 1 FROM notice m JOIN contact b USING (contact)
                        WHERE m.campaign = $1 AND m.cohort = n.cohort AND m.subscriber = n.subscriber AND b.role = 'backup')
     GROUP BY n.cohort
), told AS (
    SELECT n.cohort, min(t.at) AS at FROM notice n JOIN notice_try t USING (campaign, notice)
     WHERE n.campaign = $1 AND n.kind = 'first' AND t.outcome = 'accepted' GROUP BY n.cohort
), slots AS (
    SELECT cohort, min(slot_start) AS at FROM chunk WHERE campaign = $1 AND state <> 'closed' GROUP BY cohort
), pages AS (
    SELECT cohort, sum(canary_open) AS canaries, sum(not_revoked + pending_publication + held + unknown) AS undone
      FROM page WHERE campaign = $1 GROUP BY cohort
)
SELECT o.cohort, l.at, coalesce(position('"feasible":false' IN l.summary) > 0, false),
       (SELECT max(a.at) FROM approval a JOIN request r USING (campaign, request)
         WHERE r.campaign = o.campaign AND r.what = 'plan' AND r.cohort = o.cohort AND r.plan = o.plan AND r.void_reason = ''),
       slots.at, told.at, coalesce(silent.n, 0), coalesce(pages.canaries, 0), coalesce(pages.undone, 1)
  FROM cohort o LEFT JOIN silent USING (cohort) LEFT JOIN told USING (cohort) LEFT JOIN slots USING (cohort)
  LEFT JOIN pages USING (cohort) LEFT JOIN plan l ON l.campaign = o.campaign AND l.plan = o.plan
 WHERE o.campaign = $1 ORDER BY o.cohort
