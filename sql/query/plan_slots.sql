-- Slots of the live and done chunks of campaign $1, by start.
SELECT h.slot_start, sum(cardinality(h.numbers)),
       (SELECT count(DISTINCT k.subscriber) FROM chunk g, unnest(g.numbers) n JOIN certificate k ON k.campaign = $1 AND k.number = n
         WHERE g.campaign = $1 AND g.cohort = h.cohort AND g.slot_start = h.slot_start AND g.state <> 'closed'),
       min(h.due_at), h.cohort
  FROM chunk h WHERE h.campaign = $1 AND h.state <> 'closed' GROUP BY h.slot_start, h.cohort ORDER BY h.slot_start, h.cohort
