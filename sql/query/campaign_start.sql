-- Starts cohort $2 as request $3 asks.
SELECT campaign_start($1, $2, $3, $4, $5, $6)
