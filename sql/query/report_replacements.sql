-- Affected certificates of campaign $1 that are replaced, those of them that are not revoked yet, failed lints.
SELECT count(*), count(*) FILTER (WHERE k.state IS NULL OR k.state NOT IN (state_code('published'), state_code('expired'),
                                                                           state_code('withdrawn'))),
       count(*) FILTER (WHERE k.lint <> '')
  FROM (SELECT r.lint, get_byte(p.states, t.number % 1000) & 15 AS state
          FROM replacement r JOIN affected t USING (campaign, issuer, serial)
          LEFT JOIN page p ON p.campaign = t.campaign AND p.page = t.number / 1000
         WHERE r.campaign = $1 AND t.excluded IS NULL AND NOT t.withdrawn) k
