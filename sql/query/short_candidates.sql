-- Certificates of unstarted cohorts of campaign $1 that live ten days or less -> issuer, serial, not_before, not_after.
SELECT k.issuer, k.serial, v.not_before, v.not_after
  FROM certificate k JOIN cohort o USING (campaign, cohort) JOIN inventory v USING (issuer, serial)
 WHERE k.campaign = $1 AND o.started_at IS NULL AND v.not_after - v.not_before <= 864000 AND k.excluded IS NULL
