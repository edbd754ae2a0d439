-- Affected certificates by issuer.
SELECT i.subject, count(*) FROM certificate k JOIN issuer i USING (issuer)
 WHERE k.campaign = $1 AND k.excluded IS NULL AND NOT k.withdrawn GROUP BY i.issuer, i.subject ORDER BY i.issuer
