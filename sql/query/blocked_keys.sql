-- SPKI hashes of the certificates of campaign $1 that are revoked for reason $2, each once.
SELECT DISTINCT v.spki_sha256
  FROM certificate k JOIN inventory v USING (issuer, serial)
 WHERE k.campaign = $1 AND k.reason = $2 AND NOT k.withdrawn AND v.spki_sha256 IS NOT NULL ORDER BY 1
