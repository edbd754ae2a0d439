-- Writes a change of a clock down -> its number.
SELECT clock_propose($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
