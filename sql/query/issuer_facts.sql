-- Every issuer: is a CRL configured for it, and the shard of certificates without a pointer.
SELECT issuer, crl <> '', shard_of('', crl) FROM issuer ORDER BY issuer
