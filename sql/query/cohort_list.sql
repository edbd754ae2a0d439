-- Cohorts of campaign $1, with what waits on each: newest valid request, its approvals and expiry.
SELECT o.cohort, o.rule, o.reason, o.received, o.deadline, o.should_by, o.plan, o.started_at, o.voided_at, o.missed,
       (SELECT max(r.request) FROM request r WHERE r.campaign = o.campaign AND r.cohort = o.cohort AND r.what = 'plan'
           AND r.plan = o.plan AND r.void_reason = ''),
       coalesce((SELECT count(*) FROM approval a JOIN request r USING (campaign, request)
         WHERE r.campaign = o.campaign AND r.cohort = o.cohort AND r.what = 'plan' AND r.plan = o.plan AND r.void_reason = ''
           AND r.request = (SELECT max(x.request) FROM request x WHERE x.campaign = o.campaign AND x.cohort = o.cohort
                              AND x.what = 'plan' AND x.plan = o.plan AND x.void_reason = '')), 0),
       (SELECT r.expires_at FROM request r WHERE r.campaign = o.campaign AND r.cohort = o.cohort AND r.what = 'plan'
           AND r.plan = o.plan AND r.void_reason = '' ORDER BY r.request DESC LIMIT 1), o.compromised_at
  FROM cohort o WHERE o.campaign = $1 ORDER BY o.cohort
