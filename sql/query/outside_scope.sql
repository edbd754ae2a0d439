-- How many withdrawn certificates of campaign $1 are revoked all the same.
SELECT coalesce(sum((SELECT count(*) FROM generate_series(0, p.used - 1) i
                      WHERE get_byte(p.states, i) & 15 = state_code('withdrawn') AND get_byte(p.states, i) & 48 <> 0)), 0)
  FROM page p WHERE p.campaign = $1 AND p.withdrawn > 0
