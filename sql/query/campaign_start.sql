-- Starts cohort $2.
SELECT campaign_start($1, $2, $3, $4, $5)
