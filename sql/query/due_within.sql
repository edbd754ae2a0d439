-- How many certificates of running cohorts of campaign $1 are dealt to be revoked before $2.
SELECT coalesce(sum(cardinality(h.numbers)), 0) FROM chunk h JOIN cohort o USING (campaign, cohort)
 WHERE h.campaign = $1 AND h.state IN ('ready', 'claimed') AND h.due_at < $2
   AND o.started_at IS NOT NULL AND o.voided_at IS NULL
