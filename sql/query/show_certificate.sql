-- Everything about serial $2 of campaign $1, in every cohort and issuer.
SELECT k.issuer, i.subject, k.serial, k.cohort, k.number, k.subscriber,
       coalesce((SELECT n.reason FROM reasons_now($1) n WHERE n.done AND n.number = k.number), k.reason), k.known, k.excluded, k.withdrawn, k.not_after,
       coalesce(v.subject, ''), coalesce(v.dns_names, ''), coalesce(v.cdp, ''), coalesce(v.ocsp, ''),
       CASE WHEN k.number IS NOT NULL AND p.page IS NOT NULL THEN get_byte(p.states, k.number % 1000) END,
       coalesce(h.chunk, 0), h.slot_start, h.state, v.cert_sha256, k.line
  FROM affected k JOIN issuer i USING (issuer)
  LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
  LEFT JOIN chunk h ON h.campaign = k.campaign AND h.state <> 'closed' AND h.numbers @> ARRAY[k.number]
 WHERE k.campaign = $1 AND k.serial = $2::bytea ORDER BY k.issuer, k.id
