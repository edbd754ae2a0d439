-- At most $2 replacements of campaign $1 that no linter has seen.
SELECT issuer, serial, file FROM replacement WHERE campaign = $1 AND lint IS NULL ORDER BY issuer, serial LIMIT $2
