-- An event without a change.
SELECT log_note($1, $2, $3, $4, $5)
