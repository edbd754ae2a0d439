-- Counts per cohort of campaign $1: pages summed; certificates counted independently, without a number, excluded by
-- expiry, excluded as short-lived, withdrawn; summary of the plan; when the last delay by decision ends.
WITH p AS (
    SELECT cohort, sum(revoked) AS revoked, sum(pending_publication) AS pending, sum(not_revoked) AS not_revoked,
           sum(held) AS held, sum(expired) AS expired, sum(unknown) AS unknown, sum(doubt) AS doubt,
           sum(needs_person) AS person
      FROM page WHERE campaign = $1 GROUP BY cohort
), k AS (
    SELECT cohort, count(*) FILTER (WHERE excluded IS NULL AND NOT withdrawn) AS affected,
           count(*) FILTER (WHERE excluded IS NULL AND NOT withdrawn AND number IS NULL) AS unnumbered,
           count(*) FILTER (WHERE excluded = 'expired_before_receipt' AND NOT withdrawn) AS expired_before,
           count(*) FILTER (WHERE excluded = 'short_lived' AND NOT withdrawn) AS short_lived,
           count(*) FILTER (WHERE withdrawn) AS withdrawn
      FROM affected WHERE campaign = $1 GROUP BY cohort
)
SELECT o.cohort, coalesce(p.revoked, 0), coalesce(p.pending, 0), coalesce(p.not_revoked, 0), coalesce(p.held, 0),
       coalesce(p.expired, 0), coalesce(p.unknown, 0), coalesce(p.doubt, 0), coalesce(p.person, 0),
       coalesce(k.affected, 0), coalesce(k.unnumbered, 0), coalesce(k.expired_before, 0), coalesce(k.short_lived, 0),
       coalesce(k.withdrawn, 0), l.summary,
       (SELECT max(h.until_at) FROM hold h JOIN hold_item x USING (campaign, hold)
          JOIN certificate y USING (campaign, issuer, serial)
         WHERE h.campaign = $1 AND h.active AND h.kind = 'delay' AND NOT x.released AND y.cohort = o.cohort AND NOT y.withdrawn)
  FROM cohort o LEFT JOIN p USING (cohort) LEFT JOIN k USING (cohort)
  LEFT JOIN plan l ON l.campaign = o.campaign AND l.plan = o.plan
 WHERE o.campaign = $1 ORDER BY o.cohort
