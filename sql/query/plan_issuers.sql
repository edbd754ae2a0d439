-- Issuers ever configured.
SELECT issuer, sha256 FROM issuer ORDER BY issuer
