-- Somebody takes an alert, or all -> those taken.
SELECT alert_ack($1, $2, $3, $4, $5)
