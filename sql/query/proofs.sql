-- Every certificate of campaign $1 by number: issuer, serial, state, whether anything can prove it, when it was first
-- recorded by the CA and first published, and whether somebody had it revoked before us. For COPY.
WITH moved AS (
    SELECT h.page * 1000 + o.o AS number, e.at, get_byte(h.afters, (o.i - 1)::integer) & 15 AS state,
           get_byte(h.events, (o.i - 1)::integer) AS event
      FROM change h JOIN event e USING (campaign, seq) CROSS JOIN LATERAL unnest(h.offsets) WITH ORDINALITY o(o, i)
     WHERE h.campaign = $1 AND e.type IN ('settle', 'sighting')
), each AS (
    SELECT number, min(at) FILTER (WHERE state IN (state_code('recorded'), state_code('was_before'))) AS recorded,
           min(at) FILTER (WHERE state = state_code('published')) AS published,
           bool_or(event = event_code('before')) AS before
      FROM moved GROUP BY number
)
SELECT i.subject, k.serial, get_byte(p.states, o)::integer, k.needs <> 0, each.recorded, each.published,
       coalesce(each.before, false)
  FROM page p CROSS JOIN generate_series(0, p.used - 1) o
  JOIN member m ON m.campaign = p.campaign AND m.block = p.page * 4 + o / 250
  JOIN certificate k ON k.campaign = p.campaign AND k.id = m.ids[o % 250 + 1]
  JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN each ON each.number = p.page * 1000 + o
 WHERE p.campaign = $1 ORDER BY p.page, o
