-- An object and what it showed -> object (0: put its bytes again), fresh.
SELECT object, fresh FROM sight($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
