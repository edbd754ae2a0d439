-- Fills what the inventory lacks from the staged rows, refreshes certificates of unstarted cohorts.
SELECT inventory_learn($1, $2, $3, $4)
