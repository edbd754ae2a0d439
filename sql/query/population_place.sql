-- Where a list with rule $2 and receipt $3 goes in campaign $1 -> cohort, version, first id; and the inventory's stamp.
SELECT w.cohort, w.version, w.base, (SELECT n FROM stamp WHERE what = 'inventory') FROM population_place($1, $2, $3) w
