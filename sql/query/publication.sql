-- Time from the CA's record to published, by the hour of publication counted from $2: hour, certificates, seconds of the
-- 50th, 90th and 99th percentile and of the slowest.
WITH moved AS (
    SELECT h.page, o.o AS place, e.at, get_byte(h.afters, (o.i - 1)::integer) & 15 AS state
      FROM change h JOIN event e USING (campaign, seq) CROSS JOIN LATERAL unnest(h.offsets) WITH ORDINALITY o(o, i)
     WHERE h.campaign = $1 AND e.type IN ('settle', 'sighting')
), each AS (
    SELECT min(at) FILTER (WHERE state IN (state_code('recorded'), state_code('was_before'))) AS recorded,
           min(at) FILTER (WHERE state = state_code('published')) AS published
      FROM moved GROUP BY page, place
)
SELECT (published - $2::bigint) / 3600, count(*),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY published - recorded),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY published - recorded),
       percentile_disc(0.99) WITHIN GROUP (ORDER BY published - recorded), max(published - recorded)
  FROM each WHERE published IS NOT NULL AND recorded IS NOT NULL GROUP BY 1 ORDER BY 1
