-- Ends a hold for certificates -> released.
SELECT hold_release($1, $2, $3, $4, $5, $6, $7, $8)
