-- How certificates of campaign $1 stand -> place, state byte: 0 not in it, waiting for one without a number yet.
SELECT x.n::integer, CASE WHEN t.serial IS NULL THEN 0 WHEN t.withdrawn THEN state_code('withdrawn')
                          WHEN t.number IS NULL THEN state_code('waiting')
                          ELSE get_byte(states_of($1, ARRAY[t.number]), 0) END
  FROM unnest($2::integer[], $3::bytea[]) WITH ORDINALITY x(i, z, n)
  LEFT JOIN current t ON t.campaign = $1 AND t.issuer = x.i AND t.serial = x.z ORDER BY x.n
