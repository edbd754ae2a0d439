-- How many certificates of cohort $2 of campaign $1 are affected.
SELECT count(*) FROM certificate WHERE campaign = $1 AND cohort = $2 AND excluded IS NULL AND NOT withdrawn
