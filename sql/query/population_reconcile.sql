-- The staged list against the ledger of campaign $1, at most $2 of each kind -> totals first, then differences.
SELECT * FROM population_reconcile($1, $2)
