-- Per cohort of campaign $1: the summary of its plan.
SELECT o.cohort, coalesce(l.summary, '')
  FROM cohort o LEFT JOIN plan l ON l.campaign = o.campaign AND l.plan = o.plan
 WHERE o.campaign = $1 ORDER BY o.cohort
