-- What campaign $1 has dealt, per cohort and hour since $2: certificates, and those whose chunk leaves $3 seconds to be
-- published within the SHOULD.
SELECT h.cohort, (h.slot_start - $2::bigint) / 3600, sum(h.size), coalesce(sum(h.size) FILTER (WHERE h.due_at + $3 <= o.should_by), 0)
  FROM chunk h JOIN cohort o USING (campaign, cohort)
 WHERE h.campaign = $1 AND h.state <> 'closed' GROUP BY 1, 2 ORDER BY 1, 2
