-- What campaign $1 has of certificates ($2, $3), in their order: cohort (0: none), reason, subject of the issuer.
SELECT coalesce(t.cohort, 0), coalesce(t.reason, 0), g.subject
  FROM unnest($2::integer[], $3::bytea[]) WITH ORDINALITY u(i, z, n) JOIN issuer g ON g.issuer = u.i
  LEFT JOIN current t ON t.campaign = $1 AND t.issuer = u.i AND t.serial = u.z
 ORDER BY u.n
