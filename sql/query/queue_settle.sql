-- Commits outcomes -> events without an edge.
SELECT number, event FROM queue_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
