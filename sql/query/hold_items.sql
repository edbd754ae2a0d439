-- Certificates that hold $2 of campaign $1 names; before it binds none of them is released.
SELECT x.issuer, x.serial FROM hold_item x JOIN hold h USING (campaign, hold)
 WHERE x.campaign = $1 AND x.hold = $2 AND (h.active OR h.ended_at IS NOT NULL OR NOT x.released)
 ORDER BY x.issuer, x.serial
