-- Issuers of cohort $2 -> subject, certificates.
SELECT i.issuer, i.subject, count(*) FROM affected k JOIN issuer i USING (issuer)
 WHERE k.campaign = $1 AND k.cohort = $2 AND k.number IS NOT NULL GROUP BY 1, 2 ORDER BY 1
