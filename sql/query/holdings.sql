-- Active holds of campaign $1 that name any of certificates ($2, $3): hold, kind, document, place of the certificate.
SELECT h.hold, h.kind, h.document, u.n::integer
  FROM unnest($2::integer[], $3::bytea[]) WITH ORDINALITY u(i, z, n)
  JOIN hold_item x ON x.campaign = $1 AND x.issuer = u.i AND x.serial = u.z AND NOT x.released
  JOIN hold h ON h.campaign = $1 AND h.hold = x.hold AND h.active
 ORDER BY h.hold, u.n
