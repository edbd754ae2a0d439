-- Per cohort of campaign $1: the summary of its plan, when the last delay by decision ends.
SELECT o.cohort, coalesce(l.summary, ''),
       (SELECT max(h.until_at) FROM hold h JOIN hold_item x USING (campaign, hold)
          JOIN certificate y USING (campaign, issuer, serial)
         WHERE h.campaign = $1 AND h.active AND h.kind = 'delay' AND NOT x.released AND y.cohort = o.cohort AND NOT y.withdrawn)
  FROM cohort o LEFT JOIN plan l ON l.campaign = o.campaign AND l.plan = o.plan
 WHERE o.campaign = $1 ORDER BY o.cohort
