-- Delays whose end has come; a court hold has none, whatever its row says.
SELECT hold FROM hold WHERE campaign = $1 AND active AND kind = 'delay' AND until_at <= $2 ORDER BY hold
