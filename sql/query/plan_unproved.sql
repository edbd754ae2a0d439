-- Cohort $2 of campaign $1, an issuer a row: certificates without a file in the inventory, and those that only a list knows.
SELECT k.issuer, count(*) FILTER (WHERE coalesce(v.certificate_file, '') = ''), count(*) FILTER (WHERE k.marks & 1 = 1)
  FROM certificate k LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE k.campaign = $1 AND k.cohort = $2 AND k.excluded IS NULL AND NOT k.withdrawn
 GROUP BY k.issuer ORDER BY k.issuer
