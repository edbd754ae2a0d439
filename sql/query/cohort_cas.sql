-- Certificates of cohort $2 that are CA certificates by the inventory -> serial, subject, issuer.
SELECT k.serial, v.subject, i.subject
  FROM inventory v JOIN certificate k USING (issuer, serial) JOIN issuer i USING (issuer)
 WHERE v.type = 'CA' AND k.campaign = $1 AND k.cohort = $2 AND k.excluded IS NULL AND NOT k.withdrawn
 ORDER BY k.issuer, length(k.serial), k.serial
