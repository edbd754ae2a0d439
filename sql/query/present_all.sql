-- Certificates of issuer $2 that campaign $1 has, along its key; do they run on a clock that ends after $3?
SELECT k.serial, o.deadline > $3 FROM certificate k JOIN cohort o ON o.campaign = $1 AND o.cohort = k.cohort
 WHERE k.campaign = $1 AND k.issuer = $2 AND NOT k.withdrawn ORDER BY k.serial
