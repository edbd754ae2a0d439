-- Work dealt per cohort of campaign $1 at time $2: last due time of what is not recorded yet, certificates in chunks
-- that are due, and certificates whose chunk leaves $3 seconds to be published within the SHOULD.
SELECT o.cohort, max(h.due_at) FILTER (WHERE h.state IN ('ready', 'claimed')),
       coalesce(sum(cardinality(h.numbers)) FILTER (WHERE h.state IN ('ready', 'claimed') AND h.due_at <= $2), 0),
       coalesce(sum(cardinality(h.numbers)) FILTER (WHERE h.due_at + $3 <= o.should_by), 0)
  FROM cohort o JOIN chunk h USING (campaign, cohort)
 WHERE o.campaign = $1 AND h.state <> 'closed' GROUP BY o.cohort ORDER BY o.cohort
