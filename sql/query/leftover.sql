-- Numbered certificates of started cohorts of campaign $1 that are not settled -> state byte, issuer's number and
-- subject, serial, subscriber, needs, all of them; at most $2.
SELECT get_byte(p.states, k.number % 1000), k.issuer, i.subject, k.serial, k.subscriber, k.needs, count(*) OVER ()
  FROM certificate k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000 AND k.number % 1000 < p.used
  JOIN cohort o ON o.campaign = k.campaign AND o.cohort = k.cohort JOIN issuer i ON i.issuer = k.issuer
 WHERE k.campaign = $1 AND o.started_at IS NOT NULL AND get_byte(p.states, k.number % 1000) & 15
       NOT IN (state_code('published'), state_code('expired'), state_code('withdrawn'))
 ORDER BY k.number LIMIT $2
