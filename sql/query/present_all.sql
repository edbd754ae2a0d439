-- Certificates of issuer $2 that campaign $1 has, along its key; the id of those on a clock that ends after $3, else -1.
SELECT k.serial, CASE WHEN o.deadline > $3 THEN k.id ELSE -1 END
  FROM certificate k JOIN cohort o ON o.campaign = $1 AND o.cohort = k.cohort
 WHERE k.campaign = $1 AND k.issuer = $2 AND NOT k.withdrawn ORDER BY k.serial
