-- Engine $2 of campaign $1 guards issuers $3 by lock file $4; $5: another host is gone; at $6 by $7.
SELECT engine_guard($1, $2, $3, $4, $5, $6, $7, $8)
