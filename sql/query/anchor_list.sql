-- The anchors of cohort $2 of campaign $1 as last recorded, the campaign's own where the cohort has none.
SELECT DISTINCT ON (anchor) anchor, at FROM clock WHERE campaign = $1 AND cohort IN (0, $2)
 ORDER BY anchor, cohort DESC, nth DESC
