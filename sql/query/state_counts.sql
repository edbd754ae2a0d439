-- Numbered certificates of started cohorts by state, and how many of the pending ones are not checkable.
SELECT s.state, count(*), count(*) FILTER (WHERE s.needs = 0)
  FROM (SELECT get_byte(p.states, i) & 15 AS state, get_byte(p.needs, i) AS needs
          FROM page p JOIN cohort o USING (campaign, cohort), generate_series(0, p.used - 1) i
         WHERE p.campaign = $1 AND o.started_at IS NOT NULL) s GROUP BY 1 ORDER BY 1
