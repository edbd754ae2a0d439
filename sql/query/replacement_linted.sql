-- What the linter found ('' nothing).
SELECT replacement_linted($1, $2, $3, $4, $5, $6, $7)
