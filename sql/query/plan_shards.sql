-- The CRL that certificates ($2, $3) are proved from, and its size as last fetched, in their order.
SELECT u.url, coalesce((SELECT b.size FROM object b
                         WHERE b.campaign = $1 AND b.kind = 'crl' AND b.url = u.url AND b.counts
                         ORDER BY b.object DESC LIMIT 1), 0)
  FROM (SELECT CASE WHEN coalesce(v.cdp, '') <> '' THEN v.cdp ELSE i.crl END AS url, x.o
          FROM unnest($2::integer[], $3::bytea[]) WITH ORDINALITY x(issuer, serial, o)
          JOIN issuer i USING (issuer) LEFT JOIN inventory v USING (issuer, serial)) u ORDER BY u.o
