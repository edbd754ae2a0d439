-- When the next chunk is due that waits for no canary, how many are claimed, the next expiry, the next end of a hold, and how
-- many certificates wait in chunks $2, which this engine must not take.
SELECT (SELECT min(h.due_at) FROM chunk h JOIN cohort o USING (campaign, cohort)
         WHERE h.campaign = $1 AND h.state = 'ready' AND o.started_at IS NOT NULL AND o.voided_at IS NULL
           AND NOT h.chunk = ANY ($2::integer[])
           AND (h.canary OR (h.cohort, h.issuer) NOT IN (SELECT g.cohort, g.issuer FROM gated($1) g))
           AND h.issuer NOT IN (SELECT g.issuer FROM stopped($1) g)),
       (SELECT count(*) FROM chunk h WHERE h.campaign = $1 AND h.state = 'claimed'),
       next_expiry($1),
       (SELECT min(until_at) FROM hold WHERE campaign = $1 AND active AND kind = 'delay'),
       (SELECT count(*) FROM chunk h, unnest(h.numbers) n JOIN page p ON p.campaign = $1 AND p.page = n / 1000
         WHERE h.campaign = $1 AND h.chunk = ANY ($2::integer[]) AND h.state = 'ready'
           AND get_byte(p.states, n % 1000) & 15 IN (state_code('waiting'), state_code('due'), state_code('asked'),
               state_code('doubt')))
