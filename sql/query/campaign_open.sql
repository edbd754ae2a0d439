-- Opens a campaign -> its number.
SELECT campaign_open($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
