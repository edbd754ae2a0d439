-- Keeps what campaign $1 came to at event $2 of its log.
SELECT kept_put($1, $2, $3, $4, $5, $6)
