-- Adds a request -> its number.
SELECT request_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
