-- Takes a call over -> may it be made?
SELECT alert_call($1, $2, $3, $4, $5, $6, $7)
