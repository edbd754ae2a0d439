-- Changes a clock at once -> the number of the change.
SELECT clock_move($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
