-- Adds the staged list -> cohort, version, added, expanded, orphans, precertificates, siblings, expired, short, elsewhere,
-- later.
SELECT * FROM population_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
