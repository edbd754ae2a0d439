-- Active holds that name certificate ($2, $3).
SELECT h.hold, h.kind FROM hold h JOIN hold_item x USING (campaign, hold)
 WHERE h.campaign = $1 AND h.active AND NOT x.released AND x.issuer = $2 AND x.serial = $3::bytea ORDER BY h.hold
