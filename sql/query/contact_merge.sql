-- Upserts the staged contacts -> rows.
SELECT contact_merge($1, $2, $3)
