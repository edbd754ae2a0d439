-- Ends alerts -> how many were not over.
SELECT alert_clear($1, $2, $3, $4, $5)
