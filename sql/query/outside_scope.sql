-- How many withdrawn certificates of campaign $1 are revoked all the same; what went to another cohort is not outside.
SELECT count(*)
  FROM page p CROSS JOIN generate_series(0, p.used - 1) o
  JOIN member m ON m.campaign = $1 AND m.block = p.page * 4 + o / 250
  JOIN certificate k ON k.campaign = $1 AND k.id = m.ids[o % 250 + 1]
 WHERE p.campaign = $1 AND p.withdrawn > 0 AND get_byte(p.states, o) & 15 = state_code('withdrawn')
   AND get_byte(p.states, o) & 48 <> 0
   AND NOT EXISTS (SELECT 1 FROM certificate y WHERE y.campaign = $1 AND y.issuer = k.issuer AND y.serial = k.serial
                      AND NOT y.withdrawn)
