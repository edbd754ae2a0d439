-- All stopped issuers go on; how many there were.
SELECT stops_lift($1, $2, $3, $4)
