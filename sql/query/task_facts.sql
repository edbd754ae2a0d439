-- What tasks follow from, per cohort of campaign $1: plan made, infeasible, last approval, first slot dealt, first notice
-- accepted, whether a silent subscriber has a backup contact that was not tried, canaries that have not spoken.
SELECT o.cohort, l.at, coalesce(position('"feasible":false' IN l.summary) > 0, false),
       (SELECT max(a.at) FROM approval a JOIN request r USING (campaign, request)
         WHERE r.campaign = $1 AND r.what = 'plan' AND r.cohort = o.cohort AND r.plan = o.plan AND r.void_reason = ''),
       (SELECT min(h.slot_start) FROM chunk h WHERE h.campaign = $1 AND h.cohort = o.cohort AND h.state <> 'closed'),
       (SELECT t.at FROM notice n JOIN notice_try t USING (campaign, notice)
         WHERE n.campaign = $1 AND n.cohort = o.cohort AND n.kind = 'first' AND t.outcome = 'accepted'
         ORDER BY n.notice, t.attempt LIMIT 1),
       EXISTS (SELECT 1 FROM notice n JOIN contact b ON b.subscriber = n.subscriber AND b.role = 'backup'
                WHERE n.campaign = $1 AND n.cohort = o.cohort AND n.kind = 'first'
                  AND NOT EXISTS (SELECT 1 FROM ack a WHERE a.campaign = $1 AND a.subscriber = n.subscriber)
                  AND NOT EXISTS (SELECT 1 FROM notice m JOIN contact d ON d.contact = m.contact AND d.role = 'backup'
                                   WHERE m.campaign = $1 AND m.cohort = o.cohort AND m.subscriber = n.subscriber)),
       (SELECT coalesce(sum(p.canary_open), 0) FROM page p WHERE p.campaign = $1 AND p.cohort = o.cohort AND p.canaries <> '{}')
  FROM cohort o
  LEFT JOIN plan l ON l.campaign = o.campaign AND l.plan = o.plan
 WHERE o.campaign = $1 ORDER BY o.cohort
