-- Per running cohort of campaign $1 and CA what has been due for some time at $2 (chunks $3 are left out, and what
-- waits for a canary): the oldest, how many; when the cohort was planned, is that plan feasible, and are there
-- replaced certificates that it does not know of and that still wait.
SELECT o.cohort, w.ca, w.oldest, coalesce(w.backlog, 0), q.at, (q.summary::json ->> 'feasible')::boolean,
       EXISTS (SELECT 1 FROM replacement r JOIN affected y USING (campaign, issuer, serial)
                 JOIN page p ON p.campaign = y.campaign AND p.page = y.number / 1000
                WHERE r.campaign = o.campaign AND r.plan = o.plan AND y.cohort = o.cohort
                  AND get_byte(p.states, y.number % 1000) & 15 = state_code('waiting'))
  FROM cohort o JOIN plan q USING (campaign, plan)
  LEFT JOIN LATERAL (
    SELECT h.ca, min(h.due_at) AS oldest, sum(cardinality(h.numbers)) AS backlog FROM chunk h
     WHERE h.campaign = o.campaign AND h.cohort = o.cohort AND h.state = 'ready' AND h.due_at <= $2
       AND NOT h.chunk = ANY ($3::integer[])
       AND (h.canary OR (h.cohort, h.issuer) NOT IN (SELECT g.cohort, g.issuer FROM gated($1) g))
           AND h.issuer NOT IN (SELECT g.issuer FROM stopped($1) g)
     GROUP BY h.ca) w ON true
 WHERE o.campaign = $1 AND o.started_at IS NOT NULL AND o.voided_at IS NULL ORDER BY o.cohort, w.ca
