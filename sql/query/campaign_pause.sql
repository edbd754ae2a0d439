-- Pauses or resumes.
SELECT campaign_pause($1, $2, $3, $4, $5, $6, $7, $8)
