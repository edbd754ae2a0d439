-- Certificates that request $2 of campaign $1 names.
SELECT issuer, serial FROM request_item WHERE campaign = $1 AND request = $2 ORDER BY issuer, serial
