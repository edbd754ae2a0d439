-- Per hour: certificates recorded and published.
SELECT (e.at - $2::bigint) / 3600 AS hour,
       coalesce(sum((SELECT count(*) FROM generate_series(0, cardinality(h.offsets) - 1) i
             WHERE get_byte(h.afters, i) & 15 IN (state_code('recorded'), state_code('was_before'))
               AND get_byte(h.befores, i) & 15 NOT IN (state_code('recorded'), state_code('was_before')))), 0),
       coalesce(sum((SELECT count(*) FROM generate_series(0, cardinality(h.offsets) - 1) i
             WHERE get_byte(h.afters, i) & 15 = state_code('published') AND get_byte(h.befores, i) & 15 <> state_code('published'))), 0)
  FROM event e JOIN change h USING (campaign, seq)
 WHERE e.campaign = $1 AND e.type IN ('settle', 'sighting') GROUP BY 1 ORDER BY 1
