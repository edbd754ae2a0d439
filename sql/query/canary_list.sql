-- Canaries of started cohorts that still have to show themselves or gave their place up, and what the CA recorded of them.
-- Those of an issuer that is stopped wait for a person, whatever they show. A change of reasons that is bound has the reason
-- that is wanted, and the one before it.
SELECT x.number, x.cohort, x.issuer, x.state, recorded_at($1, x.number), r.at, r.reason, coalesce(n.reason, k.reason), k.serial,
       n.old_reason
  FROM (SELECT p.page * 1000 + o AS number, p.cohort, p.issuer, get_byte(p.states, o) & 15 AS state
          FROM page p JOIN cohort c USING (campaign, cohort) CROSS JOIN unnest(p.canaries) o
         WHERE p.campaign = $1 AND p.canaries <> '{}' AND c.started_at IS NOT NULL AND c.voided_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM canary_pass g WHERE g.campaign = p.campaign AND g.cohort = p.cohort
                              AND g.issuer = p.issuer)
           AND p.issuer NOT IN (SELECT s.issuer FROM stopped($1) s)) x
  JOIN certificate k ON k.campaign = $1 AND k.id = (ids_of($1, ARRAY[x.number]))[1]
  LEFT JOIN reasons_now($1) n ON n.number = x.number
  LEFT JOIN LATERAL (
        SELECT f.ca_at[i] AS at, f.ca_reasons[i] AS reason
          FROM result f CROSS JOIN LATERAL (SELECT array_position(f.offsets, (x.number % 1000)::smallint) AS i) y
         WHERE f.campaign = $1 AND f.page = x.number / 1000 AND y.i IS NOT NULL
         ORDER BY f.seq DESC LIMIT 1) r ON true
 WHERE x.state NOT IN (state_code('crl_seen'), state_code('published'), state_code('vanished'))
 ORDER BY x.number
