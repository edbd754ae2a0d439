-- Certificates that are revoked although a brake found them not yet revoked: those that a hold in force names, and those that
-- were dropped after the CA had been asked (what was withdrawn in time is outside_scope's). Asked by every status, and few
-- campaigns have a hold or a drop: the rest of it is not even planned for the others.
CREATE FUNCTION despite(c integer, OUT held bigint, OUT dropped bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    held := 0;
    dropped := 0;
    IF NOT EXISTS (SELECT FROM event e WHERE e.campaign = c AND NOT is_daily(e.type) AND e.type IN ('hold', 'drop')) THEN
        RETURN;
    END IF;
    SELECT count(*) FILTER (WHERE n.type = 'hold' AND EXISTS (
               SELECT 1 FROM hold h JOIN hold_item x USING (campaign, hold)
                WHERE h.campaign = c AND h.active AND NOT x.released AND x.issuer = k.issuer AND x.serial = k.serial)),
           count(*) FILTER (WHERE n.type = 'drop')
      INTO held, dropped
      FROM (SELECT DISTINCT e.type, g.page, o FROM event e JOIN change g USING (campaign, seq), unnest(g.offsets) o
             WHERE e.campaign = c AND NOT is_daily(e.type) AND e.type IN ('hold', 'drop')) n
      JOIN page p ON p.campaign = c AND p.page = n.page
      JOIN member m ON m.campaign = c AND m.block = n.page * 4 + n.o / 250
      JOIN certificate k ON k.campaign = c AND k.id = m.ids[n.o % 250 + 1]
     WHERE get_byte(ledger_buckets(), get_byte(p.states, n.o) & 15)
           IN (get_byte(ledger_buckets(), state_code('recorded')::integer), get_byte(ledger_buckets(), state_code('published')::integer));
END $$;
