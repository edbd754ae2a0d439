-- Certificates of campaign $1 that are revoked although a brake found them not yet revoked: those that a hold in force names,
-- and those that were dropped after the CA had been asked (what was withdrawn in time is outside_scope's).
SELECT count(*) FILTER (WHERE n.type = 'hold' AND EXISTS (
           SELECT 1 FROM hold h JOIN hold_item x USING (campaign, hold)
            WHERE h.campaign = $1 AND h.active AND NOT x.released AND x.issuer = k.issuer AND x.serial = k.serial)),
       count(*) FILTER (WHERE n.type = 'drop')
  FROM (SELECT DISTINCT e.type, c.page, o FROM event e JOIN change c USING (campaign, seq), unnest(c.offsets) o
         WHERE e.campaign = $1 AND NOT is_daily(e.type) AND e.type IN ('hold', 'drop')) n
  JOIN page p ON p.campaign = $1 AND p.page = n.page
  JOIN member m ON m.campaign = $1 AND m.block = n.page * 4 + n.o / 250
  JOIN certificate k ON k.campaign = $1 AND k.id = m.ids[n.o % 250 + 1]
 WHERE get_byte(ledger_buckets(), get_byte(p.states, n.o) & 15)
       IN (get_byte(ledger_buckets(), state_code('recorded')::integer), get_byte(ledger_buckets(), state_code('published')::integer))
