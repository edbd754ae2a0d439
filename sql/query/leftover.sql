-- Serials that are not settled, with their state -> state, serial, subscriber; at most $2.
SELECT get_byte(p.states, k.number % 1000) & 15, k.serial, k.subscriber, k.needs, count(*) OVER ()
  FROM certificate k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
 WHERE k.campaign = $1 AND get_byte(p.states, k.number % 1000) & 15 NOT IN (state_code('published'), state_code('expired'), state_code('withdrawn'))
 ORDER BY k.number LIMIT $2
