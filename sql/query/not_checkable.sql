-- Certificates that nothing outside can prove, at most $2: no pointer, and no CRL configured for their issuer -> issuer, serial,
-- in the inventory, how many there are.
SELECT i.subject, k.serial, v.serial IS NOT NULL, count(*) OVER ()
  FROM page p CROSS JOIN generate_series(0, p.used - 1) o
  JOIN member m ON m.campaign = p.campaign AND m.block = p.page * 4 + o / 250
  JOIN certificate k ON k.campaign = p.campaign AND k.id = m.ids[o % 250 + 1]
  JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE p.campaign = $1 AND p.pending_publication > 0 AND k.needs = 0
   AND get_byte(ledger_buckets(), get_byte(p.states, o) & 15) = get_byte(ledger_buckets(), state_code('recorded')::integer)
 ORDER BY p.page, o LIMIT $2
