-- An object and what it showed -> object, fresh.
SELECT object, fresh FROM sight($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
