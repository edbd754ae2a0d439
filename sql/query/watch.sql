-- Certificates to look for outside: pending publication, and published ones whose entry must still be there.
SELECT k.number, k.issuer, k.serial, k.reason, k.needs, get_byte(p.states, k.number % 1000), k.not_after,
       CASE WHEN coalesce(v.cdp, '') <> '' THEN v.cdp ELSE i.crl END, coalesce(v.ocsp, '')
  FROM page p JOIN certificate k ON k.campaign = p.campaign AND k.number BETWEEN p.page * 1000 AND p.page * 1000 + 999
  JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE p.campaign = $1 AND ($2 OR p.pending_publication > 0)
   AND get_byte(p.states, k.number % 1000) & 15 IN (state_code('recorded'), state_code('was_before'), state_code('crl_seen'),
       state_code('ocsp_seen'), state_code('vanished'), state_code('published'), state_code('withdrawn'))
   AND ($2 OR get_byte(p.states, k.number % 1000) & 15 NOT IN (state_code('published'), state_code('withdrawn')))
 ORDER BY k.number
