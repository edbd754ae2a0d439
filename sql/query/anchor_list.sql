-- The anchors of cohort $2 of campaign $1 as last recorded, the campaign's own where the cohort has none. What is told
-- of a report (acknowledged, confirmed, scope) holds only for cohorts with the campaign's receipt.
SELECT DISTINCT ON (anchor) anchor, at FROM clock
 WHERE campaign = $1 AND (cohort = $2 OR (cohort = 0 AND (anchor IN ('received', 'stopped', 'fixed')
       OR (SELECT o.received = g.received FROM cohort o JOIN campaign g USING (campaign) WHERE o.campaign = $1 AND o.cohort = $2))))
 ORDER BY anchor, cohort DESC, nth DESC
