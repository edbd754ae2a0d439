-- How fast each CA of campaign $1 is at $2; $3 outcomes that revoke, $4 the one that leaves in doubt.
SELECT ca, certificates, seconds FROM measured($1, $2, $3, $4) ORDER BY ca
