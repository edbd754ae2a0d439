-- Engine $2 of campaign $1 claims of changes $3 and issuers $4, quiet $5, at $6 by $7, at most $8.
SELECT change, number, issuer, serial FROM reason_claim($1, $2, $3, $4, $5, $6, $7, $8)
