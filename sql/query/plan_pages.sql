-- Pages of cohort $2.
SELECT page, states, canaries FROM page WHERE campaign = $1 AND cohort = $2 ORDER BY page
