-- Where the certificates of campaign $1 (0: of the whole inventory) say that they are revoked: issuer, CRL pointers,
-- responders, one serial that names them. At most $2.
SELECT DISTINCT ON (v.issuer, v.cdp, v.ocsp) v.issuer, v.cdp, v.ocsp, v.serial
  FROM inventory v
 WHERE $1 = 0 OR EXISTS (SELECT 1 FROM certificate k WHERE k.campaign = $1 AND k.issuer = v.issuer AND k.serial = v.serial)
 ORDER BY v.issuer, v.cdp, v.ocsp, v.serial LIMIT $2
