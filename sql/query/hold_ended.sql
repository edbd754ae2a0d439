-- Holds whose end has come.
SELECT hold FROM hold WHERE campaign = $1 AND active AND until_at <= $2 ORDER BY hold
