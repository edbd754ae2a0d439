-- Applies an approved change of a clock.
SELECT clock_apply($1, $2, $3, $4, $5, $6)
