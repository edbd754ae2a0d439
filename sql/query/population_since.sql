-- What came and went in campaign $1 after version $2, at most $3 of each kind -> as population_reconcile.
SELECT * FROM population_since($1, $2, $3)
