-- Upserts the staged inventory, refreshes certificates of unstarted cohorts -> rows.
SELECT inventory_merge($1, $2, $3)
