-- The breaker of CA $2 opens or closes.
SELECT breaker_set($1, $2, $3, $4, $5, $6, $7)
