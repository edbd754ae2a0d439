-- The number of the issuer with certificate digest $1 (made when new; subject $2, configured CRL $3).
INSERT INTO issuer (sha256, subject, crl) VALUES ($1::bytea, $2, $3)
ON CONFLICT (sha256) DO UPDATE SET crl = excluded.crl RETURNING issuer
