-- The newest object that counted per CRL pointer -> url, issuer, fetched_at, sha256, this_update.
SELECT DISTINCT ON (url, issuer) url, issuer, fetched_at, sha256, this_update FROM object
 WHERE campaign = $1 AND kind = 'crl' ORDER BY url, issuer, object DESC
