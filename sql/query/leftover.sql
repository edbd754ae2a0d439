-- Serials that are not settled, with their state -> state, serial, subscriber; at most $2.
SELECT get_byte(p.states, o) & 15, k.serial, k.subscriber, k.needs, count(*) OVER ()
  FROM page p CROSS JOIN generate_series(0, p.used - 1) o
  JOIN member m ON m.campaign = p.campaign AND m.block = p.page * 4 + o / 250
  JOIN certificate k ON k.campaign = p.campaign AND k.id = m.ids[o % 250 + 1]
 WHERE p.campaign = $1 AND p.pending_publication + p.not_revoked + p.held + p.unknown > 0
   AND get_byte(p.states, o) & 15 NOT IN (state_code('published'), state_code('expired'), state_code('withdrawn'))
 ORDER BY p.page, o LIMIT $2
