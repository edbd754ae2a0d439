-- Adds a hold that does not bind yet -> its number.
SELECT hold_add($1, $2, $3, $4, $5, $6, $7, $8, $9)
