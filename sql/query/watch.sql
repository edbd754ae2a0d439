-- Certificates to look for outside: pending publication, those whose reason changes, and published ones whose entry must
-- still be there. Last: was it revoked before this campaign; revoked since when, as far as known; the reason before and until
-- when it may still stand; the date that a change wants; does it change? The date told is not judged while it changes.
WITH n AS MATERIALIZED (SELECT * FROM reasons_now($1)), o AS (SELECT * FROM n WHERE open)
SELECT g.number, k.issuer, k.serial, coalesce(n.reason, k.reason), k.needs, g.state, k.not_after,
       CASE WHEN coalesce(v.cdp, '') <> '' THEN v.cdp ELSE i.crl END, coalesce(v.ocsp, ''),
       CASE WHEN n.open AND n.dated IS NOT NULL THEN NULL ELSE coalesce(CASE WHEN n.done THEN n.dated END, t.told) END,
       t.settled, e.number IS NOT NULL,
       CASE WHEN t.told = c.compromised_at THEN t.settled ELSE coalesce(t.told, t.settled) END,
       n.old_reason, n.until, n.dated, coalesce(n.open, false)
  FROM (SELECT m.block * 250 + x.o - 1 AS number, x.id, get_byte(p.states, (m.block % 4 * 250 + x.o - 1)::integer) AS state
          FROM page p CROSS JOIN generate_series(0, 3) b
          JOIN member m ON m.campaign = p.campaign AND m.block = p.page * 4 + b
         CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY x(id, o)
         WHERE p.campaign = $1 AND ($2 OR p.pending_publication > 0 OR p.page IN (SELECT number / 1000 FROM o))) g
  JOIN certificate k ON k.campaign = $1 AND k.id = g.id
  JOIN cohort c ON c.campaign = $1 AND c.cohort = k.cohort
  JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
  LEFT JOIN told_dates($1, ARRAY(SELECT page FROM page WHERE campaign = $1 AND ($2 OR pending_publication > 0
                                                OR page IN (SELECT number / 1000 FROM o)))) t
         ON t.number = g.number
  LEFT JOIN (SELECT DISTINCT h.page * 1000 + h.offsets[i + 1] AS number
               FROM change h CROSS JOIN LATERAL generate_series(0, length(h.events) - 1) i
              WHERE h.campaign = $1 AND position(set_byte('\x00'::bytea, 0, event_code('before')) IN h.events) > 0
                AND get_byte(h.events, i) = event_code('before')) e ON e.number = g.number
  LEFT JOIN n ON n.number = g.number
 WHERE g.state & 15 IN (state_code('recorded'), state_code('was_before'), state_code('crl_seen'), state_code('ocsp_seen'),
                        state_code('vanished'), state_code('published'), state_code('withdrawn'))
   AND ($2 OR n.open OR g.state & 15 NOT IN (state_code('published'), state_code('withdrawn')))
 ORDER BY 1
