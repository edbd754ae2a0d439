-- Slots of the live and done chunks of campaign $1, by start.
WITH dealt AS MATERIALIZED (
    SELECT h.cohort, h.slot_start, unnest(h.numbers) AS number FROM chunk h WHERE h.campaign = $1 AND h.state <> 'closed'
), told AS (
    SELECT slot_start, cohort, count(*) AS subscribers
      FROM (SELECT DISTINCT d.slot_start, d.cohort, k.subscriber
              FROM affected k JOIN dealt d ON d.number = k.number WHERE k.campaign = $1) x GROUP BY 1, 2
)
SELECT h.slot_start, sum(cardinality(h.numbers)), coalesce(max(t.subscribers), 0), min(h.due_at), h.cohort
  FROM chunk h LEFT JOIN told t USING (slot_start, cohort)
 WHERE h.campaign = $1 AND h.state <> 'closed' GROUP BY h.slot_start, h.cohort ORDER BY h.slot_start, h.cohort
