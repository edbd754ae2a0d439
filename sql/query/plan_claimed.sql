-- Numbers of cohort $2 that an engine works on.
SELECT numbers FROM chunk WHERE campaign = $1 AND cohort = $2 AND state = 'claimed'
