-- The open work of campaign $1 per cohort: the last hour of what is not recorded yet, certificates due at $2.
SELECT o.cohort, (SELECT max(h.due_at) FROM chunk h WHERE h.campaign = $1 AND h.cohort = o.cohort AND h.state IN ('ready', 'claimed')),
       (SELECT coalesce(sum(h.size), 0) FROM chunk h
         WHERE h.campaign = $1 AND h.cohort = o.cohort AND h.state IN ('ready', 'claimed') AND h.due_at <= $2)
  FROM cohort o WHERE o.campaign = $1 ORDER BY o.cohort
