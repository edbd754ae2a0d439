-- Drops certificates -> place, verdict.
SELECT place, verdict FROM act_drop($1, $2, $3, $4, $5, $6)
