-- As plan_input, for cohort $2 in the order it would be numbered, whatever numbers it has; numbers count from 0.
SELECT row_number() OVER (ORDER BY k.issuer, k.subscriber COLLATE "C", length(k.serial), k.serial) - 1, k.subscriber, k.issuer,
       coalesce(v.cdp, ''), k.not_after,
       EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = k.subscriber AND NOT t.address_bad),
       EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = k.subscriber AND t.class = 'riskiest'),
       false, false, k.replaced
  FROM certificate k LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE k.campaign = $1 AND k.cohort = $2 AND k.excluded IS NULL AND NOT k.withdrawn
 ORDER BY 1
