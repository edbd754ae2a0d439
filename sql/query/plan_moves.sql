-- Subscribers whose earliest hour differs between plan $2 and plan $3 (certificates in both), of each direction the first
-- $4 by new hour -> subscriber, old, new, earlier in all, later in all.
WITH old AS MATERIALIZED (
    SELECT m.ids[n % 250 + 1] AS id, h.slot_start FROM chunk h CROSS JOIN unnest(h.numbers) n
      JOIN member m ON m.campaign = $1 AND m.block = n / 250 WHERE h.campaign = $1 AND h.plan = $2
), new AS MATERIALIZED (
    SELECT m.ids[n % 250 + 1] AS id, h.slot_start FROM chunk h CROSS JOIN unnest(h.numbers) n
      JOIN member m ON m.campaign = $1 AND m.block = n / 250 WHERE h.campaign = $1 AND h.plan = $3
), moved AS (
    SELECT k.subscriber, min(o.slot_start) AS was, min(n.slot_start) AS is_now
      FROM (SELECT id, subscriber FROM certificate WHERE campaign = $1 OFFSET 0) k JOIN new n USING (id) JOIN old o USING (id)
     GROUP BY k.subscriber HAVING min(o.slot_start) <> min(n.slot_start)
), ranked AS (
    SELECT subscriber, was, is_now, count(*) FILTER (WHERE is_now < was) OVER () AS earlier,
           count(*) FILTER (WHERE is_now > was) OVER () AS later,
           row_number() OVER (PARTITION BY is_now < was ORDER BY is_now, subscriber COLLATE "C") AS place
      FROM moved
)
SELECT subscriber, was, is_now, earlier, later FROM ranked WHERE place <= $4
 ORDER BY is_now >= was, is_now, subscriber COLLATE "C"
