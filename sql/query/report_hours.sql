-- Per hour since $2: certificates planned, recorded and published in it.
WITH dealt AS (
    SELECT (slot_start - $2::bigint) / 3600 AS hour, sum(cardinality(numbers)) AS planned
      FROM chunk WHERE campaign = $1 AND state <> 'closed' GROUP BY 1
), done AS (
    SELECT (e.at - $2::bigint) / 3600 AS hour, sum(x.recorded) AS recorded, sum(x.published) AS published
      FROM event e JOIN change h USING (campaign, seq)
     CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE a IN (state_code('recorded'), state_code('was_before'))
                                  AND b NOT IN (state_code('recorded'), state_code('was_before'))) AS recorded,
               count(*) FILTER (WHERE a = state_code('published') AND b <> state_code('published')) AS published
          FROM (SELECT get_byte(h.afters, i) & 15 AS a, get_byte(h.befores, i) & 15 AS b
                  FROM generate_series(0, cardinality(h.offsets) - 1) i) y) x
     WHERE e.campaign = $1 AND e.type IN ('settle', 'sighting') AND x.recorded + x.published > 0 GROUP BY 1
)
SELECT hour, coalesce(planned, 0), coalesce(recorded, 0), coalesce(published, 0)
  FROM dealt FULL JOIN done USING (hour) ORDER BY hour
