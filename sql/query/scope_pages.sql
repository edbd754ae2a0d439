-- Page digests of cohort $2, ascending.
SELECT page, scope FROM page WHERE campaign = $1 AND cohort = $2 ORDER BY page
