-- Certificates of cohort $2 that an active hold names.
SELECT k.id FROM hold h JOIN hold_item x USING (campaign, hold) JOIN certificate k USING (campaign, issuer, serial)
 WHERE h.campaign = $1 AND h.active AND NOT x.released AND k.cohort = $2
