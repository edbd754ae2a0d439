-- What became of a call of engine $5.
UPDATE alert_try SET outcome = $6, text = $7
 WHERE campaign = $1 AND alert = $2 AND step = $3 AND path = $4 AND engine = $5 AND outcome IS NULL
