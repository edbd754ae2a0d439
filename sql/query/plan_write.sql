-- Writes a plan and its chunks -> plan.
SELECT plan_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
