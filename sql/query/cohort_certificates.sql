-- Certificates of cohort $2, at most $3 -> serial, subject, issuer.
SELECT k.serial, coalesce(v.subject, ''), i.subject
  FROM certificate k JOIN issuer i USING (issuer) LEFT JOIN inventory v USING (issuer, serial)
 WHERE k.campaign = $1 AND k.cohort = $2 AND k.excluded IS NULL AND NOT k.withdrawn
 ORDER BY k.issuer, length(k.serial), k.serial LIMIT $3
