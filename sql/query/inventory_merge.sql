-- Upserts the $4 staged inventory rows, refreshes certificates of unstarted cohorts.
SELECT inventory_merge($1, $2, $3, $4)
