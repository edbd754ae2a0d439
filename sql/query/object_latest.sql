-- The newest object that counted per CRL pointer -> url, issuer, fetched_at, sha256, this_update, crl_number.
SELECT DISTINCT ON (url, issuer) url, issuer, fetched_at, sha256, this_update, crl_number FROM object
 WHERE campaign = $1 AND kind = 'crl' AND counts ORDER BY url, issuer, crl_number DESC NULLS LAST, this_update DESC, object DESC
