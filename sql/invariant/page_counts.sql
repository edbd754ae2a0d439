-- Pages whose counters are not what their state bytes say. $1 campaign.
SELECT p.page, 'counters do not match the state bytes' AS problem
  FROM page p
 CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE b = 1) AS revoked, count(*) FILTER (WHERE b = 2) AS pending,
           count(*) FILTER (WHERE b = 3) AS not_revoked, count(*) FILTER (WHERE b = 4) AS held,
           count(*) FILTER (WHERE b = 5) AS expired, count(*) FILTER (WHERE b = 6) AS unknown,
           count(*) FILTER (WHERE b = 7) AS withdrawn
      FROM (SELECT get_byte(ledger_buckets(), get_byte(p.states, i) & 15) AS b FROM generate_series(0, p.used - 1) i) x
 ) h
 WHERE p.campaign = $1
   AND (p.revoked, p.pending_publication, p.not_revoked, p.held, p.expired, p.unknown, p.withdrawn)
       <> (h.revoked, h.pending, h.not_revoked, h.held, h.expired, h.unknown, h.withdrawn)
