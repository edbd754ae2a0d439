-- Nothing more is revoked of issuer $2: canary $3 was contradicted.
SELECT canary_stop($1, $2, $3, $4, $5, $6, $7)
