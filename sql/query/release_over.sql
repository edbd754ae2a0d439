-- Requests to release hold $2, but $3, of which everything is released already.
UPDATE request r SET void_reason = 'what it names is released'
 WHERE r.campaign = $1 AND r.what = 'release' AND r.hold = $2 AND r.request <> $3 AND r.void_reason = ''
   AND NOT EXISTS (SELECT 1 FROM request_item q JOIN hold_item x USING (campaign, issuer, serial)
                    WHERE q.campaign = $1 AND q.request = r.request AND x.hold = $2 AND NOT x.released)
