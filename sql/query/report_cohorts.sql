-- Counts per cohort: pages summed, certificates counted independently, those without a number.
SELECT o.cohort, coalesce(sum(p.revoked), 0), coalesce(sum(p.pending_publication), 0), coalesce(sum(p.not_revoked), 0),
       coalesce(sum(p.held), 0), coalesce(sum(p.expired), 0), coalesce(sum(p.unknown), 0), coalesce(sum(p.withdrawn), 0),
       coalesce(sum(p.doubt), 0), coalesce(sum(p.needs_person), 0),
       (SELECT count(*) FROM certificate k WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.excluded IS NULL AND NOT k.withdrawn),
       (SELECT count(*) FROM certificate k WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.excluded IS NULL AND NOT k.withdrawn
           AND k.number IS NULL),
       (SELECT count(*) FROM certificate k WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.excluded = 'expired_before_receipt'),
       (SELECT count(*) FROM certificate k WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.excluded = 'short_lived'),
       (SELECT count(*) FROM certificate k WHERE k.campaign = o.campaign AND k.cohort = o.cohort AND k.withdrawn),
       (SELECT summary FROM plan l WHERE l.campaign = o.campaign AND l.plan = o.plan)
  FROM cohort o LEFT JOIN page p ON p.campaign = o.campaign AND p.cohort = o.cohort
 WHERE o.campaign = $1 GROUP BY o.campaign, o.cohort, o.plan ORDER BY o.cohort
