-- Adds certificates whose rows are there -> cohort, added, of them from a later clock, to come from there, how many another
-- open campaign has, too.
SELECT * FROM population_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                             $23, $24, $25, $26)
