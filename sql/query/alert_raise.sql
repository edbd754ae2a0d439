-- Raises alerts -> the numbers of new ones.
SELECT alert_raise($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
