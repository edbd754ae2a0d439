-- Replacements of campaign $1 that fail lint, at most $2.
SELECT serial, lint, file FROM replacement WHERE campaign = $1 AND lint <> '' ORDER BY at DESC, issuer, serial LIMIT $2
