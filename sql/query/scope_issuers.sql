-- Issuers of cohort $2 (0: of all) -> subject, certificates.
SELECT i.issuer, i.subject, count(*) FROM affected k JOIN issuer i USING (issuer)
 WHERE k.campaign = $1 AND ($2 = 0 OR k.cohort = $2) AND (k.number IS NOT NULL OR (k.excluded IS NULL AND NOT k.withdrawn))
 GROUP BY 1, 2 ORDER BY 1
