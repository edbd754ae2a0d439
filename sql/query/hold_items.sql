-- Certificates that hold $2 of campaign $1 names, released ones too.
SELECT issuer, serial FROM hold_item WHERE campaign = $1 AND hold = $2 ORDER BY issuer, serial
