-- Notes what an edge showed last; true: its findings are others than before.
SELECT edge_note($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
