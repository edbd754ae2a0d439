-- Excludes certificate ($2, $3) of campaign $1 as short-lived.
SELECT short_exclude($1, $2, $3::bytea)
