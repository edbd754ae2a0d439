-- Affected certificates of campaign $1 that are replaced, those of them that are not revoked yet, failed lints.
SELECT count(*), count(*) FILTER (WHERE k.state IS NULL OR k.state NOT IN (state_code('published'), state_code('expired'),
                                                                           state_code('withdrawn'))),
       count(*) FILTER (WHERE r.lint <> '')
  FROM replacement r JOIN certificate t USING (campaign, issuer, serial)
  LEFT JOIN LATERAL (SELECT get_byte(p.states, y.number % 1000) & 15 AS state
                       FROM affected y JOIN page p ON p.campaign = y.campaign AND p.page = y.number / 1000
                      WHERE y.campaign = r.campaign AND y.issuer = r.issuer AND y.serial = r.serial) k ON true
 WHERE r.campaign = $1 AND t.excluded IS NULL AND NOT t.withdrawn
