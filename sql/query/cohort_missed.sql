-- Marks cohort $2 of campaign $1 as having missed its deadline.
UPDATE cohort SET missed = true WHERE campaign = $1 AND cohort = $2
