-- Serials $2 of issuer $1, on the CRL $3: which are of the inventory and in no campaign
-- (unasked), which are in one and name another CRL (elsewhere) -> place in the list, elsewhere.
SELECT x.n, k.serial IS NOT NULL
  FROM unnest($2::bytea[]) WITH ORDINALITY x(serial, n)
  JOIN issuer i ON i.issuer = $1
  LEFT JOIN inventory v ON v.issuer = $1 AND v.serial = x.serial
  LEFT JOIN LATERAL ( -- a campaign at a time, by its own key
        SELECT c.serial FROM campaign g CROSS JOIN LATERAL (
               SELECT t.serial FROM certificate t WHERE t.campaign = g.campaign AND t.issuer = $1 AND t.serial = x.serial
                LIMIT 1) c LIMIT 1) k ON true
 WHERE CASE WHEN k.serial IS NULL THEN v.serial IS NOT NULL
            ELSE CASE WHEN coalesce(v.cdp, '') <> '' THEN v.cdp ELSE i.crl END NOT IN ('', $3) END
 ORDER BY 1
