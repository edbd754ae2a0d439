-- Slots of the live and done chunks of campaign $1, by start. OFFSET 0: one pass over the certificates, not a look-up for
-- each number, whatever the server believes of the length of arrays.
WITH dealt AS MATERIALIZED (
    SELECT h.slot_start, h.cohort, m.ids[n % 250 + 1] AS id
      FROM chunk h CROSS JOIN unnest(h.numbers) n JOIN member m ON m.campaign = $1 AND m.block = n / 250
     WHERE h.campaign = $1 AND h.state <> 'closed'
), told AS (
    SELECT slot_start, cohort, count(*) AS subscribers
      FROM (SELECT DISTINCT d.slot_start, d.cohort, k.subscriber
              FROM (SELECT id, subscriber FROM certificate WHERE campaign = $1 OFFSET 0) k JOIN dealt d USING (id)) x
     GROUP BY 1, 2
)
SELECT h.slot_start, sum(cardinality(h.numbers)), coalesce(max(t.subscribers), 0), min(h.due_at), h.cohort
  FROM chunk h LEFT JOIN told t USING (slot_start, cohort)
 WHERE h.campaign = $1 AND h.state <> 'closed' GROUP BY h.slot_start, h.cohort ORDER BY h.slot_start, h.cohort
